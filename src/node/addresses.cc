// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/addresses.h"

#include <algorithm>

namespace coracle::node {

std::optional<Ip4> Addresses::take() {
  const uint32_t first = gateway().value + 1;
  const uint32_t broadcast = prefix_.network().value | ~prefix_.mask();
  if (broadcast <= first) return std::nullopt;
  const uint32_t count = broadcast - first;
  for (uint32_t i = 1; i <= count; ++i) {
    const uint32_t behind = last_.value < first ? i - 1 : last_.value - first + i;
    const Ip4 ip{first + behind % count};
    if (taken_.contains(ip)) continue;
    taken_.insert(ip);
    last_ = ip;
    return ip;
  }
  return std::nullopt;
}

void Addresses::claim(Ip4 ip) {
  taken_.insert(ip);
  last_ = std::max(last_, ip);
}

}  // namespace coracle::node
