// SPDX-License-Identifier: GPL-2.0-or-later
// What the leader sends.
#include <algorithm>

#include "base/tooth.h"
#include "raft/machine.h"

namespace coracle::raft {

// True if something was sent. An append without entries still carries the commit index.
bool Machine::send_append(NodeId to, bool even_if_empty) {
  Progress* peer = tracker_.find(to);
  if (!peer || peer->paused()) return false;
  Index previous = peer->next() - 1;
  std::optional<Term> previous_term = log_.term(previous);
  if (!previous_term) return send_snapshot(to, *peer);

  Message message{.type = MessageType::kAppend, .to = to};
  bool window_full = peer->state() == Progress::State::kReplicate && peer->inflights().full();
  if (!window_full) {
    Result<std::vector<Entry>> entries = log_.entries(peer->next(), options_.message_bytes_max);
    // What was recycled or rotted comes with a snapshot; else they are not readable just now.
    const bool gone = !entries && (entries.error().code == Code::kExpired ||
                                   entries.error().code == Code::kCorrupt);
    if (!entries && !gone) return false;
    if (!entries) return even_if_empty && send_snapshot(to, *peer);
    message.entries = std::move(*entries);
  }
  if (message.entries.empty() && !even_if_empty) return false;
  size_t count = message.entries.size();
  uint64_t bytes = payload_size(message.entries);
  message.index = previous;
  message.log_term = *previous_term;
  message.commit = log_.committed();
  send(std::move(message));
  peer->sent_entries(count, bytes);
  peer->sent_commit(log_.committed());
  return true;
}

bool Machine::send_snapshot(NodeId to, Progress& peer) {
  if (!peer.recently_active) {
    note({.fact = Fact::kSnapshotToInactive, .peer = to});
    return false;
  }
  Result<Snapshot> snapshot = log_.snapshot();
  if (!snapshot || snapshot->empty()) {
    note({.fact = Fact::kSnapshotUnavailable, .peer = to});
    return false;
  }
  Message message{.type = MessageType::kSnapshot, .to = to};
  message.snapshot = std::move(*snapshot);
  note({.fact = Fact::kSnapshotSent, .message = &message, .progress = &peer, .peer = to});
  peer.become_snapshot(message.snapshot.index);
  note({.fact = Fact::kReplicationPaused, .progress = &peer, .peer = to});
  send(std::move(message));
  return true;
}

void Machine::send_heartbeat(NodeId to, Progress& peer, uint64_t read_number) {
  // Never above what the peer is known to hold: its log beyond may be another leader's.
  Index commit = std::min(peer.match(), log_.committed());
  send({.type = MessageType::kHeartbeat, .to = to, .commit = commit, .read_number = read_number});
  peer.sent_commit(commit);
}

void Machine::broadcast_append() {
  for (auto& [id, member] : tracker_.progress) {
    if (id != options_.id) send_append(id, true);
  }
}

void Machine::broadcast_heartbeat() {
  for (auto& [id, member] : tracker_.progress) {
    if (id != options_.id) send_heartbeat(id, member, read_queue_.newest());
  }
}

bool Machine::maybe_commit() {
  const Index counted = tracker_.committed();
  if (bites(Tooth::kOldTermCommitted))
    return log_.maybe_commit({log_.term_or_zero(counted), counted});
  return log_.maybe_commit({term_, counted});
}

}  // namespace coracle::raft
