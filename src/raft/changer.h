// SPDX-License-Identifier: GPL-2.0-or-later
// From one configuration to the next, one voter at a time or through a joint configuration (Raft
// thesis 4.3; etcd raft, confchange package). Nothing is changed in place: the answer is a new
// membership or the reason for none.
#pragma once

#include <span>

#include "raft/conf_change.h"

namespace coracle::raft {

struct Membership {
  Config config;
  ProgressMap progress;
};

class Changer {
 public:
  // `last_index` is the leader's: new members are first probed there.
  Changer(Membership now, Window window, Index last_index)
      : now_(std::move(now)),
        window_(window),
        last_index_(last_index) {}

  Result<Membership> simple(std::span<const Change> changes) const;
  Result<Membership> enter_joint(bool auto_leave, std::span<const Change> changes) const;
  Result<Membership> leave_joint() const;
  Result<Membership> apply(const ConfChange& change) const;  // whichever of the three it asks for

 private:
  Result<> change(Membership& to, std::span<const Change> changes) const;
  void make_voter(Membership& to, NodeId id) const;
  void make_learner(Membership& to, NodeId id) const;
  void add(Membership& to, NodeId id, bool learner) const;

  Membership now_;
  Window window_;
  Index last_index_;
};

// The membership that a stored ConfState describes.
Result<Membership> restore_membership(const ConfState& state, Window window, Index last_index);

}  // namespace coracle::raft
