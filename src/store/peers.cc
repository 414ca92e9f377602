// SPDX-License-Identifier: GPL-2.0-or-later
// What other members say.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "store/replicated_store.h"

namespace coracle::store {
namespace {

constexpr size_t kStreamsMax = 2;
constexpr size_t kEarlyMax = 256;  // more are dropped: who sent them waits in vain
constexpr size_t kEarlyBytesMax = 1024 * 1024;
constexpr Duration kCampaignFirst = milliseconds(50);
constexpr Duration kCampaignTurn = milliseconds(100);

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
  const bool of_another = message.from != from;
  if (stopped() || closing_) return;
  if (of_another && message.type != raft::MessageType::kTransferLeader) return;
  if (message.type == raft::MessageType::kSnapshot) return;  // comes behind its stream
  if (for_leader(message.type) && stance() != Stance::kLeading)
    return keep_early(std::move(message));
  parts_.clock.at_turn_end(*this);
  if (message.type == raft::MessageType::kPropose) return take_proposal(std::move(message));
  if (from_leader(message.type)) silent_ticks_ = 0;
  if (leads()) heard_[from] = parts_.clock.now();
  give({.kind = raft::Input::Kind::kMessage, .message = std::move(message)});
}

// Who has won an election is known to the others before it has committed anything itself.
void ReplicatedStore::keep_early(raft::Message message) {
  size_t bytes = 0;
  for (const raft::Entry& entry : message.entries)
    bytes += entry.data.size();
  if (!leads() || early_.size() >= kEarlyMax || early_bytes_ + bytes > kEarlyBytesMax) return;
  early_bytes_ += bytes;
  early_.push_back(std::move(message));
}

void ReplicatedStore::take_early() {
  if (early_.empty() || (leads() && stance() != Stance::kLeading)) return;
  early_bytes_ = 0;
  for (raft::Message& message : std::exchange(early_, {})) {
    const raft::NodeId from = message.from;
    if (leads()) on_message(from, std::move(message));
  }
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

// A leader whose process has gone is not waited for. The others take turns by their ids, so that no
// two ask at once; who asked in vain asks again when the next call is refused. Whoever still hears
// the leader refuses the vote, so nothing is lost by a wrong alarm.
void ReplicatedStore::on_absent(raft::NodeId member) {
  if (stopped() || leads()) return;
  const raft::Machine& machine = core_->machine();
  if (machine.leader() != raft::kNobody) absent_leader_ = machine.leader();
  if (absent_leader_ != member || campaign_timer_->armed()) return;
  const auto& voters = roster_.configuration().voters;
  const auto before = std::count_if(voters.begin(), voters.end(), [&](raft::NodeId each) {
    return each != member && each < parts_.identity.member;
  });
  absent_term_ = machine.term();
  give({.kind = raft::Input::Kind::kForgetLeader});
  campaign_timer_->arm(parts_.clock.now() + kCampaignFirst + kCampaignTurn * before);
  parts_.clock.at_turn_end(*this);
}

// Unless another one was faster.
void ReplicatedStore::replace_absent_leader() {
  if (stopped() || leads()) return;
  const raft::Machine& machine = core_->machine();
  if (machine.leader() != raft::kNobody || machine.term() != absent_term_) return;
  give({.kind = raft::Input::Kind::kCampaign});
}

void ReplicatedStore::on_removed() {
  if (stopped() || removed_) return;
  removed_ = true;
  LOG(kError, "store: removed", kv("why", removal().message));
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
