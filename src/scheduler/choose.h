// SPDX-License-Identifier: GPL-2.0-or-later
// Chooses a node for a pod. Pure: numbers in, a name or the reasons out. Filters and scores are
// rows (kFilters, kScores in choose.cc) with upstream's plugin names.
#pragma once

#include <map>
#include <span>
#include <string>

#include "scheduler/needs.h"

namespace coracle::scheduler {

struct Choice {
  std::string node;     // empty: no node fits
  std::string message;  // then: "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were
                        // unschedulable."
};

Choice choose(const PodNeeds& pod, std::span<const NodeOffer* const> nodes);

}  // namespace coracle::scheduler
