// SPDX-License-Identifier: GPL-2.0-or-later
// What other members say.
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "store/replicated_store.h"

namespace coracle::store {
namespace {

constexpr size_t kStreamsMax = 2;

bool from_leader(raft::MessageType type) {
  return type == raft::MessageType::kAppend || type == raft::MessageType::kHeartbeat ||
         type == raft::MessageType::kSnapshot;
}

// Answered by the leader alone: passing them on could go round in circles.
bool for_leader(raft::MessageType type) {
  return type == raft::MessageType::kPropose || type == raft::MessageType::kReadIndex ||
         type == raft::MessageType::kTransferLeader;
}

}  // namespace

void ReplicatedStore::on_message(raft::NodeId from, raft::Message message) {
  if (stopped() || closing_ || message.from != from) return;
  if (message.type == raft::MessageType::kSnapshot) return;  // comes behind its stream
  if (for_leader(message.type) && stance() != Stance::kLeading) return;
  parts_.clock.at_turn_end(*this);
  if (message.type == raft::MessageType::kPropose) return take_proposal(std::move(message));
  if (from_leader(message.type)) silent_ticks_ = 0;
  give({.kind = raft::Input::Kind::kMessage, .message = std::move(message)});
}

void ReplicatedStore::take_proposal(raft::Message message) {
  for (raft::Entry& entry : message.entries) {
    if (entry.type == raft::EntryType::kNormal) {
      proposer_.take_foreign(std::move(entry.data));
      continue;
    }
    const Result<raft::ConfChange> change = raft::decode_conf_change(entry.data.view());
    if (!change) continue;
    const std::optional<MemberRequest> request = MemberRequest::decode(change->context);
    if (!request) continue;
    const Result<> proposed = propose_change(*request);
    if (proposed) continue;
    const Refusal refusal{{request->asker, request->sequence}, Error(proposed.error())};
    raft::Input input{.kind = raft::Input::Kind::kPropose};
    input.data = raft::Payload(refusal.encode());
    give(std::move(input));
  }
}

void ReplicatedStore::on_unreachable(raft::NodeId member) {
  if (stopped()) return;
  give({.kind = raft::Input::Kind::kUnreachable, .node = member});
  parts_.clock.at_turn_end(*this);
}

// Runs in the turn in which raft decided for it: the state is just what the message says.
void ReplicatedStore::send_snapshot(raft::Message message) {
  const raft::NodeId to = message.to;
  Result<std::unique_ptr<RowStream>> stream = fail(Code::kUnavailable, "too many streams");
  if (parts_.options.transport != nullptr && message.snapshot.index == last_applied_.index &&
      pins_->streams < kStreamsMax) {
    stream = RowStream::open(parts_.path, parts_.disk.sqlite_vfs(), state_.memtable(), pins_);
  }
  if (!stream) {
    LOG(kWarn, "store: snapshot not sent", kv("to", to), kv("error", stream.error().message));
    return give({.kind = raft::Input::Kind::kSnapshotDone, .node = to, .failed = true});
  }
  LOG(kInfo, "store: snapshot starts", kv("to", to), kv("index", message.snapshot.index));
  parts_.options.transport->send_snapshot(std::move(message), std::move(*stream));
}

void ReplicatedStore::on_snapshot_sent(raft::NodeId to, bool failed) {
  if (stopped()) return;
  LOG(kInfo, "store: snapshot ended", kv("to", to), kv("failed", failed ? "yes" : "no"));
  give({.kind = raft::Input::Kind::kSnapshotDone, .node = to, .failed = failed});
  parts_.clock.at_turn_end(*this);
}

}  // namespace coracle::store
