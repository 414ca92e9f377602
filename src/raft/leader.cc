// SPDX-License-Identifier: GPL-2.0-or-later
// Messages as the leader takes them.
#include "raft/machine.h"

namespace coracle::raft {

Result<> Machine::step_leader(Message message) {
  switch (message.type) {
    case MessageType::kBeat:
      broadcast_heartbeat();
      return {};
    case MessageType::kCheckQuorum:
      check_quorum();
      return {};
    case MessageType::kPropose:
      return propose(std::move(message));
    case MessageType::kReadIndex:
      return read(std::move(message));
    case MessageType::kForgetLeader:
      return {};
    default:
      break;
  }
  Progress* peer = tracker_.find(message.from);
  if (!peer) {
    note_message(Fact::kUnknownPeer, message);
    return {};
  }
  return step_peer(message, *peer);
}

Result<> Machine::step_peer(const Message& message, Progress& peer) {
  switch (message.type) {
    case MessageType::kAppendReply:
      peer.recently_active = true;
      if (!message.reject) return acknowledged(message, peer);
      refused(message, peer);
      return {};
    case MessageType::kHeartbeatReply:
      heartbeat_answered(message, peer);
      return {};
    case MessageType::kSnapshotStatus:
      snapshot_reported(message, peer);
      return {};
    case MessageType::kUnreachable:
      // What was streamed to it ahead is probably lost.
      if (peer.state() == Progress::State::kReplicate) peer.become_probe();
      note({.fact = Fact::kPeerUnreachable, .progress = &peer, .peer = message.from});
      return {};
    case MessageType::kTransferLeader:
      transfer_leader(message.from, peer);
      return {};
    default:
      return {};
  }
}

void Machine::check_quorum() {
  if (!tracker_.quorum_active()) {
    note({.fact = Fact::kQuorumLost});
    become_follower(term_, kNobody);
  }
  for (auto& [id, member] : tracker_.progress) {
    if (id != options_.id) member.recently_active = false;
  }
}

void Machine::refused(const Message& message, Progress& peer) {
  note_message(Fact::kRefusalHeard, message);
  Index hint = message.reject_hint;
  // Where our terms are above the peer's they cannot agree: skip that whole part at once.
  if (message.log_term > 0) hint = log_.possible_agreement({message.log_term, hint}).index;
  if (!peer.refused(message.index, hint)) return;
  note({.fact = Fact::kProgressLowered, .progress = &peer, .peer = message.from});
  if (peer.state() == Progress::State::kReplicate) peer.become_probe();
  send_append(message.from, true);
}

Result<> Machine::acknowledged(const Message& message, Progress& peer) {
  if (message.index > log_.last_index()) {
    return fail(Code::kCorrupt, "raft: acknowledgement of an entry that does not exist");
  }
  bool news = peer.acknowledged(message.index);
  // A peer that only proved what was known may still leave probing; its earlier appends got lost.
  bool proved = peer.match() == message.index && peer.state() == Progress::State::kProbe;
  if (!news && !proved) return {};
  if (peer.state() == Progress::State::kProbe) {
    peer.become_replicate();
  } else if (peer.state() == Progress::State::kReplicate) {
    peer.free_window(message.index);
  } else if (peer.match() + 1 >= log_.first_index()) {
    // Whichever snapshot it took and from whom: the log can serve it again.
    note({.fact = Fact::kSnapshotCaughtUp, .progress = &peer, .peer = message.from});
    peer.become_probe();
    peer.become_replicate();
  }
  bool self = message.from == options_.id;
  if (maybe_commit()) {
    release_postponed_reads();
    broadcast_append();
  } else if (!self && peer.can_bump_commit(log_.committed())) {
    send_append(message.from, true);
  }
  while (!self && send_append(message.from, false)) {
  }
  if (message.from == transferee_ && peer.match() == log_.last_index()) {
    note_message(Fact::kTimeoutSent, message);
    send({.type = MessageType::kTimeoutNow, .to = message.from});
  }
  return {};
}

void Machine::heartbeat_answered(const Message& message, Progress& peer) {
  peer.recently_active = true;
  peer.resume();
  // Also when the window is full or the peer is probed: an empty append finds out what got lost.
  if (peer.match() < log_.last_index() || peer.state() == Progress::State::kProbe) {
    send_append(message.from, true);
  }
  if (message.read_number == 0) return;
  read_queue_.acknowledge(message.from, message.read_number);
  release_confirmed_reads();
}

void Machine::snapshot_reported(const Message& message, Progress& peer) {
  if (peer.state() != Progress::State::kSnapshot) return;
  if (message.reject) peer.forget_snapshot();
  peer.become_probe();
  note({.fact = message.reject ? Fact::kSnapshotFailed : Fact::kSnapshotSucceeded,
        .progress = &peer,
        .peer = message.from});
  // Wait for its acknowledgement, or for a heartbeat's before the next try.
  peer.pause();
}

void Machine::transfer_leader(NodeId to, const Progress& peer) {
  if (peer.learner) return note({.fact = Fact::kTransferToLearner, .peer = to});
  if (transferee_ == to) return note({.fact = Fact::kTransferRepeated, .peer = to});
  if (transferee_ != kNobody) {
    note({.fact = Fact::kTransferReplaced, .peer = transferee_});
    transferee_ = kNobody;
  }
  if (to == options_.id) return note({.fact = Fact::kTransferToSelf, .peer = to});
  note({.fact = Fact::kTransferStarted, .peer = to});
  election_elapsed_ = 0;  // it has one election timeout
  transferee_ = to;
  if (peer.match() == log_.last_index()) {
    send({.type = MessageType::kTimeoutNow, .to = to});
    note({.fact = Fact::kTimeoutSentAtOnce, .peer = to});
  } else {
    send_append(to, true);
  }
}

}  // namespace coracle::raft
