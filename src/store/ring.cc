// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/ring.h"

#include <algorithm>

namespace coracle::store {

void Ring::start(uint64_t version) {
  floor_ = version;
  first_ = end() + 1;
  changes_.clear();
  bytes_ = 0;
}

// The state before is counted only if no change in the ring already holds it as its state after.
void Ring::push(const api::Change& change, Mono now) {
  size_t bytes = sizeof(Kept) + change.after->bytes();
  if (change.before && change.before->version() <= floor_) bytes += change.before->bytes();
  changes_.push_back({change, bytes, now});
  bytes_ += bytes;
  while (too_much(now)) {
    bytes_ -= changes_.front().bytes;
    floor_ = changes_.front().change.version;
    changes_.pop_front();
    first_++;
  }
}

bool Ring::too_much(Mono now) const {
  if (changes_.empty()) return false;
  if (bytes_ > bounds_.bytes || changes_.size() > bounds_.changes) return true;
  return bytes_ > bounds_.bytes / 4 && now - changes_.front().at > bounds_.age_min;
}

uint64_t Ring::sequence_after(uint64_t version) const {
  const auto first =
      std::partition_point(changes_.begin(), changes_.end(),
                           [version](const Kept& kept) { return kept.change.version <= version; });
  return first_ + static_cast<uint64_t>(first - changes_.begin());
}

}  // namespace coracle::store
