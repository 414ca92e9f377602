// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/quorum.h"

#include <algorithm>
#include <functional>

namespace coracle::raft {

std::string Voters::text() const {
  return joint() ? incoming.text() + "&&" + outgoing.text() : incoming.text();
}

Index committed_index(const NodeSet& voters, const Acknowledged& acknowledged) {
  if (voters.empty()) return kUnlimited;
  std::vector<Index> indexes;
  indexes.reserve(voters.size());
  for (NodeId id : voters)
    indexes.push_back(acknowledged.by(id).value_or(0));
  // With the highest first, the element at size/2 is held by it and everyone before it: a majority.
  auto decisive = indexes.begin() + static_cast<std::ptrdiff_t>(indexes.size() / 2);
  std::nth_element(indexes.begin(), decisive, indexes.end(), std::greater<>());
  return *decisive;
}

Index committed_index(const Voters& voters, const Acknowledged& acknowledged) {
  return std::min(committed_index(voters.incoming, acknowledged),
                  committed_index(voters.outgoing, acknowledged));
}

Vote vote_result(const NodeSet& voters, const Votes& votes) {
  if (voters.empty()) return Vote::kWon;
  size_t granted = 0;
  size_t silent = 0;
  for (NodeId id : voters) {
    auto vote = votes.find(id);
    if (vote == votes.end())
      silent++;
    else if (vote->second)
      granted++;
  }
  size_t majority = voters.size() / 2 + 1;
  if (granted >= majority) return Vote::kWon;
  return granted + silent >= majority ? Vote::kPending : Vote::kLost;
}

Vote vote_result(const Voters& voters, const Votes& votes) {
  Vote incoming = vote_result(voters.incoming, votes);
  Vote outgoing = vote_result(voters.outgoing, votes);
  if (incoming == outgoing) return incoming;
  if (incoming == Vote::kLost || outgoing == Vote::kLost) return Vote::kLost;
  return Vote::kPending;
}

}  // namespace coracle::raft
