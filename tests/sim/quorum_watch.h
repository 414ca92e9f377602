// SPDX-License-Identifier: GPL-2.0-or-later
// A client that lists once and then watches, through whichever member is up: it moves on to another
// one, resumes by version, and lists again only where it is told that history does not reach back.
// Judges what etcd promises of watches: events come in order, each once, with none missing, whole,
// with the right state before them; a bookmark never overtakes an event.
#pragma once

#include <map>
#include <string>

#include "tests/sim/quorum_life.h"

namespace coracle::sim {

class QuorumLife::Onlooker {
 public:
  explicit Onlooker(QuorumLife& life) : life_(life) {}

  void act();
  // The member that it watches is about to go.
  void hang_up(raft::NodeId id) {
    if (peer_ == id) peer_ = raft::kNobody;
  }
  // At rest: what the events made of the list is what the leader lists.
  void compare(Peer& leader);

 private:
  using State = std::map<std::string, std::pair<uint64_t, std::string>>;
  bool attach(Peer& peer);
  void list(Peer& peer);
  void pull(Peer& peer);
  void take(const api::Change& change);

  QuorumLife& life_;
  raft::NodeId peer_ = raft::kNobody;
  store::Position position_;
  uint64_t version_ = 0;  // all up to here is known; 0: nothing yet
  State state_;
};

}  // namespace coracle::sim
