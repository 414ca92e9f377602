// SPDX-License-Identifier: GPL-2.0-or-later
// What a majority, or two majorities at once, have decided. Pure functions over sets (etcd raft,
// quorum package). An empty half decides nothing by itself: it commits everything and wins every
// vote, so that a configuration with no outgoing voters behaves as a plain majority.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "raft/node_set.h"

namespace coracle::raft {

using Index = uint64_t;
using Term = uint64_t;

inline constexpr uint64_t kUnlimited = UINT64_MAX;

// Who has acknowledged what: log indexes for commitment, heartbeat numbers for reads.
class Acknowledged {
 public:
  virtual ~Acknowledged() = default;
  virtual std::optional<Index> by(NodeId voter) const = 0;
};

enum class Vote : uint8_t { kPending, kLost, kWon };

using Votes = std::map<NodeId, bool>;  // granted?

// Voters of a configuration; outgoing is empty unless a joint change is under way.
struct Voters {
  NodeSet incoming;
  NodeSet outgoing;

  bool joint() const { return !outgoing.empty(); }
  bool has(NodeId id) const { return incoming.has(id) || outgoing.has(id); }
  NodeSet all() const { return united(incoming, outgoing); }
  std::string text() const;  // "(1 2)&&(2 3)"
  friend bool operator==(const Voters&, const Voters&) = default;
};

Index committed_index(const NodeSet& voters, const Acknowledged& acknowledged);
Index committed_index(const Voters& voters, const Acknowledged& acknowledged);
Vote vote_result(const NodeSet& voters, const Votes& votes);
Vote vote_result(const Voters& voters, const Votes& votes);

}  // namespace coracle::raft
