// SPDX-License-Identifier: GPL-2.0-or-later
// How fast nodes that are not ready may be given taints that evict: by zone, so that a cut in the
// network does not empty half of the cluster (upstream nodelifecycle, zone states).
#pragma once

#include <optional>

#include "base/time.h"
#include "controllers/controller.h"
#include "controllers/owners.h"

namespace coracle::controllers {

enum class EvictionRule : uint8_t {
  kNow,    // the node's turn
  kWait,   // later: its zone had another one a moment ago, or its owner wants it so
  kStop,   // too much of the zone is not ready: something else is wrong
  kClear,  // no zone has a ready node: the fault is on this side, evict nobody
};
struct EvictionTurn {
  EvictionRule rule = EvictionRule::kNow;
  Duration wait;  // kWait
};

// Annotation of a Node for edges that are cut off as a matter of course: "never", or the seconds
// that it may be silent before its pods are given up.
inline constexpr std::string_view kEvictAfter = "coracle.io/evict-after";

// `silent` is how long the node has not been ready.
EvictionTurn eviction_turn(const Now& now, const Parsed& node, Duration silent);

}  // namespace coracle::controllers
