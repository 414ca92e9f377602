// SPDX-License-Identifier: GPL-2.0-or-later
// Chooses a node for a pod. Pure: a board in, a name or the reasons out.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "scheduler/filters.h"

namespace coracle::scheduler {

// Why nodes were refused, and how many. Told as upstream does:
// "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable."
struct Reasons {
  size_t nodes = 0;
  std::map<std::string, size_t> counts;
  std::string text() const;
};

struct Choice {
  const BoardNode* node = nullptr;  // null: no node fits
  Reasons reasons;
  std::string message;                         // then: the reasons as text
  std::vector<const BoardNode*> worth_trying;  // nodes where pods that go would make room
  uint32_t helped_by = 0;                      // changes that may let it in
  size_t looked_at = 0;
};

// Looks at nodes from the start-th on, round and round; of many that fit it takes the best of the
// first hundred (upstream minFeasibleNodesToFind), so that a choice among thousands costs no more.
Choice choose(const Board& board,
              const Shape& pod,
              size_t start = 0,
              const Profile* profile = nullptr);

}  // namespace coracle::scheduler
