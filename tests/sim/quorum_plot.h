// SPDX-License-Identifier: GPL-2.0-or-later
// Plots: schedules that chance hardly ever finds, acted out step by step in the middle of a life.
// They only cut links, stop members and write; whether something is wrong is for the checks to say.
#pragma once

#include <memory>

#include "tests/sim/quorum_life.h"

namespace coracle::sim {

class QuorumLife::Plot {
 public:
  static std::unique_ptr<Plot> begin(QuorumLife& life);
  explicit Plot(QuorumLife& life) : life_(life), since_(life.world_.now()) {}
  virtual ~Plot() = default;
  // After each event of the world. False: it is over.
  bool step();

 protected:
  virtual bool act() = 0;
  // What to do next, and at the earliest after so many milliseconds.
  template <class Phase>
  bool go_on(Phase& phase, Phase next, uint64_t milliseconds_most) {
    phase = next;
    since_ = life_.world_.now();
    const uint64_t wait = life_.dice().below(milliseconds_most + 1);
    not_before_ = since_ + milliseconds(static_cast<int64_t>(wait));
    return true;
  }
  port_sim::Dice& dice() { return life_.dice(); }
  Peer* find(raft::NodeId id) { return life_.group_.find(id); }
  bool up(raft::NodeId id) {
    const Peer* peer = find(id);
    return peer != nullptr && peer->up();
  }
  // Believes to lead in a term after `term`, whether or not it can commit anything.
  Peer* leader_after(raft::Term term);
  void cut_off(raft::NodeId id) { life_.group_.net().cut_off(id); }
  void bring_back(raft::NodeId id);
  void strike(raft::NodeId id, bool power);

  QuorumLife& life_;

 private:
  Mono since_;
  Mono not_before_;
};

}  // namespace coracle::sim
