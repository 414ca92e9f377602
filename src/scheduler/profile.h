// SPDX-License-Identifier: GPL-2.0-or-later
// How pods that name a scheduler in spec.schedulerName are placed (upstream
// KubeSchedulerConfiguration: profiles, NodeResourcesFitArgs.scoringStrategy).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace coracle::scheduler {

enum class FitStrategy : uint8_t { kLeastAllocated, kMostAllocated, kRequestedToCapacityRatio };

struct Profile {
  std::string name = "default-scheduler";
  FitStrategy fit = FitStrategy::kLeastAllocated;
  // kRequestedToCapacityRatio: percent in use -> score from 0 to 10; linear between, rising
  // percents.
  std::vector<std::pair<int64_t, int64_t>> shape = {};
};

// "packed=MostAllocated", "odd=RequestedToCapacityRatio:0=0,70=10,100=2"; a name alone places as
// the default profile does.
Result<Profile> parse_profile(std::string_view text);

}  // namespace coracle::scheduler
