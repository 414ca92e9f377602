// SPDX-License-Identifier: GPL-2.0-or-later
// A message's term first, then the messages that every role treats alike.
#include <algorithm>

#include "raft/machine.h"

namespace coracle::raft {

Result<> Machine::step(Message message) {
  if (!step_term(message)) return {};
  switch (message.type) {
    case MessageType::kCampaign:
      hup(options_.pre_vote ? Campaign::kPreElection : Campaign::kElection);
      return {};
    case MessageType::kStorageAppendReply:
      stored(message);
      return {};
    case MessageType::kStorageApplyReply:
      applied(message);
      return {};
    case MessageType::kVote:
    case MessageType::kPreVote:
      answer_vote(message);
      return {};
    default:
      return step_role(std::move(message));
  }
}

Result<> Machine::step_role(Message message) {
  switch (role_) {
    case Role::kLeader:
      return step_leader(std::move(message));
    case Role::kFollower:
      return step_follower(std::move(message));
    case Role::kCandidate:
    case Role::kPreCandidate:
      return step_candidate(std::move(message));
  }
  return {};
}

bool Machine::step_term(const Message& message) {
  if (message.term == 0 || message.term == term_) return true;
  if (message.term > term_) return step_higher_term(message);
  step_lower_term(message);
  return false;
}

bool Machine::step_higher_term(const Message& message) {
  bool asks = message.type == MessageType::kVote || message.type == MessageType::kPreVote;
  // While this member hears from a leader, nobody may depose that leader by a mere timeout.
  bool in_lease =
      options_.check_quorum && leader_ != kNobody && election_elapsed_ < options_.election_ticks;
  if (asks && !message.transfer && in_lease) {
    note({.fact = Fact::kLeaseHolds,
          .message = &message,
          .peer = message.from,
          .first = options_.election_ticks - election_elapsed_});
    return false;
  }
  // A pre-vote is asked, and granted, for a term that nobody is in yet.
  if (message.type == MessageType::kPreVote) return true;
  if (message.type == MessageType::kPreVoteReply && !message.reject) return true;
  note_message(Fact::kHigherTerm, message);
  bool leads = message.type == MessageType::kAppend || message.type == MessageType::kHeartbeat ||
               message.type == MessageType::kSnapshot;
  become_follower(message.term, leads ? message.from : kNobody);
  return true;
}

void Machine::step_lower_term(const Message& message) {
  bool leads = message.type == MessageType::kHeartbeat || message.type == MessageType::kAppend;
  if ((options_.check_quorum || options_.pre_vote) && leads) {
    // Votes do not raise terms then, so a member whose term ran ahead would stay out for ever; the
    // answer makes the leader step down and a new election includes both.
    send({.type = MessageType::kAppendReply, .to = message.from});
  } else if (message.type == MessageType::kPreVote) {
    // An answer, because members that only ever hear silence could block each other.
    note_message(Fact::kVoteRejected, message);
    send({.type = MessageType::kPreVoteReply, .to = message.from, .term = term_, .reject = true});
  } else if (message.type == MessageType::kStorageAppendReply) {
    // These entries may have been replaced since; a later reply of this term will tell (the ABA
    // problem).
    if (message.index != 0) note_message(Fact::kLowerTermStored, message);
    // A snapshot is committed state of any term.
    if (!message.snapshot.empty()) applied_snapshot(message.snapshot);
  } else {
    note_message(Fact::kLowerTerm, message);
  }
}

void Machine::stored(const Message& message) {
  if (message.index != 0) log_.unstable().stored({message.log_term, message.index});
  if (!message.snapshot.empty()) applied_snapshot(message.snapshot);
}

void Machine::applied(const Message& message) {
  if (message.entries.empty()) return;
  applied_to(message.entries.back().index, encoded_size(message.entries));
  reduce_uncommitted(payload_size(message.entries));
}

void Machine::applied_snapshot(const Snapshot& snapshot) {
  log_.unstable().stored_snapshot(snapshot.index);
  applied_to(snapshot.index, 0);
}

void Machine::applied_to(Index index, uint64_t bytes) {
  log_.applied_to(std::max(index, log_.applied()), bytes);
  leave_joint_if_due();
}

// Asked again with every applied entry, and when a transfer of leadership that stood in the way has
// failed; or by the next leader, once it applies its first entry.
void Machine::leave_joint_if_due() {
  if (!tracker_.config.auto_leave || role_ != Role::kLeader) return;
  if (log_.applied() < pending_change_) return;
  Message leave{.type = MessageType::kPropose, .from = options_.id};
  leave.entries.push_back({.type = EntryType::kConfChangeV2});
  Result<> proposed = step(std::move(leave));
  note({.fact = proposed ? Fact::kAutoLeft : Fact::kAutoLeaveRefused,
        .reason = proposed ? std::string_view() : proposed.error().message});
}

}  // namespace coracle::raft
