// SPDX-License-Identifier: GPL-2.0-or-later
// The active configuration and what is known about each of its members: their progress and their
// votes (etcd raft, tracker/tracker.go).
#pragma once

#include "raft/progress.h"

namespace coracle::raft {

// Invariants: no learner is a voter of either half; learners_next are voters of the outgoing half
// that become learners when the joint configuration is left; auto_leave only while joint.
struct Config {
  Voters voters;
  NodeSet learners;
  NodeSet learners_next;
  bool auto_leave = false;

  std::string text() const;  // "voters=(1 2)&&(1) learners=(3) autoleave"
  friend bool operator==(const Config&, const Config&) = default;
};

using ProgressMap = std::map<NodeId, Progress>;

struct Tally {
  size_t granted = 0;
  size_t rejected = 0;
  Vote result = Vote::kPending;
};

struct Tracker {
  Config config;
  ProgressMap progress;
  Votes votes;
  Window window;

  Progress* find(NodeId id);
  const Progress* find(NodeId id) const;
  bool only_voter(NodeId id) const {
    return config.voters.incoming == NodeSet{id} && config.voters.outgoing.empty();
  }
  Index committed() const;  // highest index that the voters hold
  bool quorum_active() const;
  void record_vote(NodeId id, bool granted) { votes.emplace(id, granted); }  // the first one counts
  Tally tally() const;
};

}  // namespace coracle::raft
