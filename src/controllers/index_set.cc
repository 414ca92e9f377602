// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/index_set.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::controllers {

IndexSet::IndexSet(std::string_view text, int64_t end) {
  if (text.empty()) return;
  int64_t next = 0;
  for (const std::string_view part : split(text, ',')) {
    const size_t dash = part.find('-');
    const auto first = parse_unsigned(part.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : parse_unsigned(part.substr(dash + 1));
    if (!first || !last || *last > INT32_MAX || *first > *last) continue;
    const auto low = static_cast<int64_t>(*first);
    const int64_t high = std::min(static_cast<int64_t>(*last), end - 1);
    if (low < next || low > high) continue;
    if (!ranges_.empty() && ranges_.back().second + 1 == low)
      ranges_.back().second = high;
    else
      ranges_.emplace_back(low, high);
    next = high + 1;
  }
}

void IndexSet::add(int64_t index) {
  if (contains(index)) return;
  auto after = std::upper_bound(ranges_.begin(), ranges_.end(), std::pair{index, INT64_MAX});
  const bool joins_after = after != ranges_.end() && after->first == index + 1;
  const bool joins_before = after != ranges_.begin() && std::prev(after)->second == index - 1;
  if (joins_after && joins_before) {
    std::prev(after)->second = after->second;
    ranges_.erase(after);
  } else if (joins_after) {
    after->first = index;
  } else if (joins_before) {
    std::prev(after)->second = index;
  } else {
    ranges_.insert(after, {index, index});
  }
}

bool IndexSet::contains(int64_t index) const {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), std::pair{index, INT64_MAX});
  return after != ranges_.begin() && std::prev(after)->second >= index;
}

int64_t IndexSet::size() const {
  int64_t total = 0;
  for (const auto& [first, last] : ranges_)
    total += last - first + 1;
  return total;
}

std::string IndexSet::text() const {
  std::string out;
  for (const auto& [first, last] : ranges_) {
    if (!out.empty()) out += ',';
    out += std::to_string(first);
    if (last > first) out += (last == first + 1 ? "," : "-") + std::to_string(last);
  }
  return out;
}

}  // namespace coracle::controllers
