// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/changer.h"

#include <algorithm>

namespace coracle::raft {

namespace {

Result<> check(const Membership& membership) {
  const Config& config = membership.config;
  const Voters& voters = config.voters;
  for (const NodeSet& set : {voters.all(), config.learners, config.learners_next}) {
    for (NodeId id : set) {
      if (!membership.progress.contains(id)) {
        return fail(Code::kInternal, "no progress for " + std::to_string(id));
      }
    }
  }
  for (NodeId id : config.learners_next) {
    if (!voters.outgoing.has(id) || membership.progress.find(id)->second.learner) {
      return fail(Code::kInternal, std::to_string(id) + " cannot be a learner to come");
    }
  }
  for (NodeId id : config.learners) {
    if (voters.has(id) || !membership.progress.find(id)->second.learner) {
      return fail(Code::kInternal, std::to_string(id) + " is both learner and voter");
    }
  }
  if (!voters.joint() && (!config.learners_next.empty() || config.auto_leave)) {
    return fail(Code::kInternal, "a plain configuration has traits of a joint one");
  }
  return {};
}

Result<Membership> checked(Membership membership) {
  TRY(check(membership));
  return membership;
}

// A voter of the outgoing half keeps its progress until that half is gone.
void remove(Membership& from, NodeId id) {
  if (!from.progress.contains(id)) return;
  from.config.voters.incoming.erase(id);
  from.config.learners.erase(id);
  from.config.learners_next.erase(id);
  if (!from.config.voters.outgoing.has(id)) from.progress.erase(id);
}

}  // namespace

Result<Membership> Changer::simple(std::span<const Change> changes) const {
  if (now_.config.voters.joint()) {
    return fail(Code::kConflict, "can't apply simple config change in joint config");
  }
  Membership to = now_;
  TRY(change(to, changes));
  if (differences(now_.config.voters.incoming, to.config.voters.incoming) > 1) {
    return fail(Code::kInvalid, "more than one voter changed without entering joint config");
  }
  return checked(std::move(to));
}

Result<Membership> Changer::enter_joint(bool auto_leave, std::span<const Change> changes) const {
  if (now_.config.voters.joint()) return fail(Code::kConflict, "config is already joint");
  if (now_.config.voters.incoming.empty()) {
    return fail(Code::kInvalid, "can't make a zero-voter config joint");
  }
  Membership to = now_;
  to.config.voters.outgoing = to.config.voters.incoming;
  TRY(change(to, changes));
  to.config.auto_leave = auto_leave;
  return checked(std::move(to));
}

Result<Membership> Changer::leave_joint() const {
  if (!now_.config.voters.joint()) return fail(Code::kConflict, "can't leave a non-joint config");
  Membership to = now_;
  for (NodeId id : to.config.learners_next) {
    to.config.learners.insert(id);
    to.progress.find(id)->second.learner = true;
  }
  to.config.learners_next.clear();
  for (NodeId id : to.config.voters.outgoing) {
    if (!to.config.voters.incoming.has(id) && !to.config.learners.has(id)) to.progress.erase(id);
  }
  to.config.voters.outgoing.clear();
  to.config.auto_leave = false;
  return checked(std::move(to));
}

Result<Membership> Changer::apply(const ConfChange& change) const {
  if (change.leaves_joint()) return leave_joint();
  if (change.enters_joint()) return enter_joint(change.auto_leave(), change.changes);
  return simple(change.changes);
}

Result<> Changer::change(Membership& to, std::span<const Change> changes) const {
  for (const Change& change : changes) {
    if (change.node == kNobody) continue;
    switch (change.type) {
      case Change::Type::kAddVoter:
        make_voter(to, change.node);
        break;
      case Change::Type::kAddLearner:
        make_learner(to, change.node);
        break;
      case Change::Type::kRemove:
        remove(to, change.node);
        break;
      case Change::Type::kUpdate:
        break;
    }
  }
  if (to.config.voters.incoming.empty()) return fail(Code::kInvalid, "removed all voters");
  return {};
}

void Changer::make_voter(Membership& to, NodeId id) const {
  auto known = to.progress.find(id);
  if (known == to.progress.end()) return add(to, id, false);
  known->second.learner = false;
  to.config.learners.erase(id);
  to.config.learners_next.erase(id);
  to.config.voters.incoming.insert(id);
}

void Changer::make_learner(Membership& to, NodeId id) const {
  auto known = to.progress.find(id);
  if (known == to.progress.end()) return add(to, id, true);
  if (known->second.learner) return;
  Progress kept = known->second;
  remove(to, id);
  if (to.config.voters.outgoing.has(id)) {
    to.config.learners_next.insert(id);
  } else {
    kept.learner = true;
    to.config.learners.insert(id);
  }
  to.progress.insert_or_assign(id, std::move(kept));
}

void Changer::add(Membership& to, NodeId id, bool learner) const {
  (learner ? to.config.learners : to.config.voters.incoming).insert(id);
  Progress progress(std::max<Index>(last_index_, 1), window_);
  progress.learner = learner;
  // A newcomer counts as heard from, or the next quorum check could depose the leader before it has
  // answered.
  progress.recently_active = true;
  to.progress.insert_or_assign(id, std::move(progress));
}

namespace {

std::vector<Change> incoming_changes(const ConfState& state) {
  std::vector<Change> changes;
  for (NodeId id : state.voters_outgoing)
    changes.push_back({Change::Type::kRemove, id});
  for (NodeId id : state.voters)
    changes.push_back({Change::Type::kAddVoter, id});
  for (NodeId id : state.learners)
    changes.push_back({Change::Type::kAddLearner, id});
  for (NodeId id : state.learners_next)
    changes.push_back({Change::Type::kAddLearner, id});
  return changes;
}

}  // namespace

// Replays the changes that lead there: first the outgoing voters one by one, then the joint step on
// top.
Result<Membership> restore_membership(const ConfState& state, Window window, Index last_index) {
  Membership membership;
  std::vector<Change> incoming = incoming_changes(state);
  if (state.voters_outgoing.empty()) {
    for (const Change& change : incoming) {
      membership = TRY(Changer(std::move(membership), window, last_index).simple({&change, 1}));
    }
  } else {
    for (NodeId id : state.voters_outgoing) {
      Change change{Change::Type::kAddVoter, id};
      membership = TRY(Changer(std::move(membership), window, last_index).simple({&change, 1}));
    }
    Changer changer(std::move(membership), window, last_index);
    membership = TRY(changer.enter_joint(state.auto_leave, incoming));
  }
  if (conf_state(membership.config) != state) {
    return fail(Code::kCorrupt, "a stored configuration cannot be restored");
  }
  return membership;
}

}  // namespace coracle::raft
