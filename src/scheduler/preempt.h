// SPDX-License-Identifier: GPL-2.0-or-later
// Preemption: which pods of lower priority must go, and where, so that a pod that fits nowhere does
// (upstream plugins/defaultpreemption, framework/preemption).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "scheduler/choose.h"

namespace coracle::scheduler {

// A PodDisruptionBudget as far as it matters here.
struct Budget {
  std::string ns;
  api::LabelSelector selector;
  int64_t allowed = 0;                 // status.disruptionsAllowed
  std::vector<std::string> disrupted;  // status.disruptedPods: those count already
};
std::vector<Budget> read_budgets(const api::State& state);

struct Preemption {
  std::string node;              // empty: nothing can be done
  std::vector<PodName> victims;  // most important first
  std::string message;           // then why: "preemption: 0/3 nodes are available: ..."
};

// Takes pods off the board to try and puts all of them back. `start` is where the search among
// nodes begins.
Preemption find_victims(Board& board,
                        const Shape& pod,
                        const Choice& choice,
                        std::span<const Budget> budgets,
                        size_t start);

}  // namespace coracle::scheduler
