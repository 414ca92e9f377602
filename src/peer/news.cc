// SPDX-License-Identifier: GPL-2.0-or-later
#include "peer/news.h"

#include <algorithm>
#include <utility>

#include "peer/bounds.h"

namespace coracle::peer {

bool News::is_new(const std::string& what, Mono now) {
  std::erase_if(said_, [&](const Said& each) { return now - each.at >= kSayAgain; });
  const bool was_said =
      std::any_of(said_.begin(), said_.end(), [&](const Said& each) { return each.what == what; });
  if (was_said || said_.size() >= kKindsOfTroubleMax) {
    unsaid_++;
    return false;
  }
  said_.push_back({what, now});
  return true;
}

uint64_t News::take_unsaid() {
  return std::exchange(unsaid_, 0);
}

}  // namespace coracle::peer
