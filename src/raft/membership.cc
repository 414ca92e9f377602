// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/machine.h"

namespace coracle::raft {

// An entry that turns out impossible when it is applied changes nothing, on any member: they all
// hold the same configuration at the same index.
Result<ConfState> Machine::apply(const ConfChange& change) {
  Membership now{tracker_.config, tracker_.progress};
  Changer changer(std::move(now), options_.window, log_.last_index());
  return switch_to(TRY(changer.apply(change)));
}

ConfState Machine::switch_to(Membership membership) {
  tracker_.config = std::move(membership.config);
  tracker_.progress = std::move(membership.progress);
  note({.fact = Fact::kConfigSwitched});
  ConfState state = conf_state(tracker_.config);
  if (role_ != Role::kLeader) return state;
  const Progress* self = tracker_.find(options_.id);
  if (!self || self->learner) {
    if (options_.step_down_on_removal) become_follower(term_, kNobody);
    return state;
  }
  if (state.voters.empty()) return state;
  // Fewer voters may have decided already; newcomers need not wait for a heartbeat.
  if (maybe_commit()) {
    release_postponed_reads();
    broadcast_append();
  } else {
    for (auto& [id, member] : tracker_.progress) {
      if (id != options_.id) send_append(id, false);
    }
  }
  release_confirmed_reads();
  if (!tracker_.config.voters.has(transferee_)) transferee_ = kNobody;
  return state;
}

}  // namespace coracle::raft
