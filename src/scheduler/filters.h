// SPDX-License-Identifier: GPL-2.0-or-later
// Filters and scores are rows, named as upstream's plugins.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/survey.h"

namespace coracle::scheduler {

// What may let a pod in that a filter keeps out; changes are told in the same words.
enum Help : uint32_t {
  kNodeAdded = 1u << 0,
  kNodeRoom = 1u << 1,  // allocatable grew
  kNodeLabels = 1u << 2,
  kNodeTaints = 1u << 3,  // also unschedulable
  kPodGone = 1u << 4,     // or about to go
  kPodPlaced = 1u << 5,
  kPodRelabelled = 1u << 6,
  kOther = 1u << 7,    // namespaces' labels, budgets
  kVolumes = 1u << 8,  // claims, volumes, classes
  kAnyHelp = 0xffff'ffffu,
};

struct Refused {
  std::vector<std::string> reasons;
  bool for_good = false;  // no pod that goes would change it: preemption is not helpful
  explicit operator bool() const { return !reasons.empty(); }
};

struct Filter {
  std::string_view name;
  void (*check)(const Survey& survey, const NodeOffer& node, Refused& refused);
  uint32_t helped_by;
};
// In upstream's order: the first that refuses a node gives its reasons.
std::span<const Filter> filters();
// The first refusal; `helped_by` gets the filter's.
Refused refusal_of(const Survey& survey, const NodeOffer& node, uint32_t& helped_by);

using Nodes = std::span<const BoardNode* const>;
struct Score {
  std::string_view name;
  std::vector<int64_t> (*rate)(const Survey& survey, Nodes nodes);  // 0 to 100 each
  int64_t weight;
};
std::span<const Score> scores();

}  // namespace coracle::scheduler
