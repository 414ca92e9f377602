// SPDX-License-Identifier: GPL-2.0-or-later
// Messages as followers, learners and candidates take them.
#include <algorithm>

#include "base/tooth.h"
#include "raft/machine.h"

namespace coracle::raft {

Result<> Machine::step_candidate(Message message) {
  MessageType own_reply =
      role_ == Role::kPreCandidate ? MessageType::kPreVoteReply : MessageType::kVoteReply;
  switch (message.type) {
    case MessageType::kPropose:
      note({.fact = Fact::kProposalWithoutLeader});
      return fail(Code::kUnavailable, "raft proposal dropped");
    case MessageType::kReadIndex:
      note({.fact = Fact::kReadWithoutLeader});
      return fail(Code::kUnavailable, "raft: no leader to read from");
    case MessageType::kAppend:
    case MessageType::kHeartbeat:
    case MessageType::kSnapshot:
      become_follower(message.term, message.from);
      return from_leader(std::move(message));
    case MessageType::kTimeoutNow:
      note_message(Fact::kTimeoutIgnored, message);
      return {};
    default:
      if (message.type == own_reply) count_vote(message);
      return {};
  }
}

Result<> Machine::step_follower(Message message) {
  switch (message.type) {
    case MessageType::kPropose:
    case MessageType::kTransferLeader:
    case MessageType::kReadIndex:
      return forward(std::move(message));
    case MessageType::kAppend:
    case MessageType::kHeartbeat:
    case MessageType::kSnapshot:
      election_elapsed_ = 0;
      leader_ = message.from;
      return from_leader(std::move(message));
    case MessageType::kForgetLeader:
      // A lease read trusts that no majority forgets its leader early.
      if (options_.reads == Reads::kLease) {
        note({.fact = Fact::kForgetRefused});
      } else if (leader_ != kNobody) {
        note({.fact = Fact::kLeaderForgotten});
        leader_ = kNobody;
      }
      return {};
    case MessageType::kTimeoutNow:
      note_message(Fact::kTimeoutReceived, message);
      // No pre-vote: the leader itself asked, so nobody is disturbed.
      hup(Campaign::kTransfer);
      return {};
    case MessageType::kReadIndexReply:
      read_states_.push_back({message.index, message.request});
      return {};
    default:
      return {};
  }
}

Result<> Machine::forward(Message message) {
  bool proposal = message.type == MessageType::kPropose;
  if (leader_ == kNobody) {
    note({.fact = proposal                                  ? Fact::kProposalWithoutLeader
                  : message.type == MessageType::kReadIndex ? Fact::kReadWithoutLeader
                                                            : Fact::kTransferWithoutLeader});
    if (proposal) return fail(Code::kUnavailable, "raft proposal dropped");
    return fail(Code::kUnavailable, "raft: no leader");
  }
  if (proposal && !options_.forward_proposals) {
    note({.fact = Fact::kProposalNotForwarded});
    return fail(Code::kUnavailable, "raft proposal dropped");
  }
  message.to = leader_;
  if (message.type == MessageType::kTransferLeader) message.term = 0;
  send(std::move(message));
  return {};
}

Result<> Machine::from_leader(Message message) {
  if (message.type == MessageType::kAppend) return take_append(std::move(message));
  if (message.type == MessageType::kHeartbeat) return take_heartbeat(message);
  return take_snapshot(message);
}

Result<> Machine::take_append(Message message) {
  Message reply{.type = MessageType::kAppendReply, .to = message.from};
  if (message.index < log_.committed()) {
    // What is committed agrees with every leader's log.
    reply.index = log_.committed();
    send(std::move(reply));
    return {};
  }
  EntryId previous{message.log_term, message.index};
  std::optional<Index> last = TRY(log_.append_after(previous, message.commit, message.entries));
  if (last) {
    reply.index = *last;
    send(std::move(reply));
    return {};
  }
  note_message(Fact::kAppendRefused, message);
  // Tells where the logs may agree, so that a long diverging end is skipped term by term.
  Index from = std::min(message.index, log_.last_index());
  EntryId hint = log_.possible_agreement({message.log_term, from});
  reply.index = message.index;
  reply.reject = true;
  reply.reject_hint = hint.index;
  reply.log_term = hint.term;
  send(std::move(reply));
  return {};
}

// A leader never names a commit index above what it knows to be here: one above the log means that
// a part of this log, acknowledged before, is lost.
Result<> Machine::take_heartbeat(const Message& message) {
  if (message.commit > log_.last_index()) {
    return fail(Code::kCorrupt, "raft: an acknowledged part of the log is missing");
  }
  log_.commit_to(message.commit);
  if (bites(Tooth::kHeartbeatAcknowledges))
    send({.type = MessageType::kAppendReply, .to = message.from, .index = log_.last_index()});
  send({.type = MessageType::kHeartbeatReply,
        .to = message.from,
        .read_number = message.read_number});
  return {};
}

Result<> Machine::take_snapshot(const Message& message) {
  bool taken = TRY(restore(message.snapshot));
  note_message(taken ? Fact::kSnapshotTaken : Fact::kSnapshotIgnored, message);
  send({.type = MessageType::kAppendReply,
        .to = message.from,
        .index = taken ? log_.last_index() : log_.committed()});
  return {};
}

Result<bool> Machine::restore(const Snapshot& snapshot) {
  if (snapshot.index <= log_.committed()) return false;
  const ConfState& state = snapshot.conf_state;
  bool member = false;
  for (const auto* ids : {&state.voters, &state.learners, &state.voters_outgoing}) {
    member = member || std::find(ids->begin(), ids->end(), options_.id) != ids->end();
  }
  if (!member) {
    note({.fact = Fact::kSnapshotForeign});
    return false;
  }
  if (log_.matches({snapshot.term, snapshot.index})) {
    Message matching;
    matching.snapshot = snapshot;
    note_message(Fact::kSnapshotMatches, matching);
    log_.commit_to(snapshot.index);
    return false;
  }
  // Everything that can fail comes before the first change.
  Membership membership = TRY(restore_membership(state, options_.window, snapshot.index));
  log_.restore(snapshot);
  switch_to(std::move(membership));
  Message restored;
  restored.snapshot = snapshot;
  note_message(Fact::kSnapshotRestored, restored);
  return true;
}

}  // namespace coracle::raft
