// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/message.h"

namespace coracle::raft {

namespace {

// Far above anything reachable; keeps every sum of terms and indexes inside 64 bits.
constexpr uint64_t kNumberMax = uint64_t{1} << 62;

bool has_no_term(MessageType type) {
  return type == MessageType::kPropose || type == MessageType::kReadIndex;
}

Result<> continues(const Message& append) {
  EntryId previous{append.log_term, append.index};
  for (const Entry& entry : append.entries) {
    if (entry.index != previous.index + 1 || entry.term < previous.term ||
        entry.term > append.term) {
      return fail(Code::kCorrupt, "raft: append out of order");
    }
    previous = {entry.term, entry.index};
  }
  return {};
}

}  // namespace

uint64_t encoded_size(std::span<const Entry> entries) {
  return payload_size(entries) + entries.size() * kEntryOverhead;
}

uint64_t payload_size(std::span<const Entry> entries) {
  uint64_t size = 0;
  for (const Entry& entry : entries)
    size += entry.data.size();
  return size;
}

bool is_local(MessageType type) {
  switch (type) {
    case MessageType::kCampaign:
    case MessageType::kBeat:
    case MessageType::kUnreachable:
    case MessageType::kSnapshotStatus:
    case MessageType::kCheckQuorum:
    case MessageType::kForgetLeader:
    case MessageType::kStorageAppend:
    case MessageType::kStorageAppendReply:
    case MessageType::kStorageApply:
    case MessageType::kStorageApplyReply:
      return true;
    default:
      return false;
  }
}

bool is_reply(MessageType type) {
  switch (type) {
    case MessageType::kAppendReply:
    case MessageType::kVoteReply:
    case MessageType::kHeartbeatReply:
    case MessageType::kReadIndexReply:
    case MessageType::kPreVoteReply:
      return true;
    default:
      return false;
  }
}

MessageType reply_to(MessageType vote_or_pre_vote) {
  return vote_or_pre_vote == MessageType::kVote ? MessageType::kVoteReply
                                                : MessageType::kPreVoteReply;
}

Result<> admissible(const Message& message, NodeId self) {
  if (is_local(message.type)) {
    return fail(Code::kForbidden, "raft: cannot step raft local message");
  }
  if (message.to != self) return fail(Code::kBadRequest, "raft: message for another node");
  if (message.from == kNobody || message.from == self || is_lane(message.from)) {
    return fail(Code::kBadRequest, "raft: message from nobody else");
  }
  if ((message.term == 0) != has_no_term(message.type)) {
    return fail(Code::kBadRequest, "raft: message without a term");
  }
  for (uint64_t number : {message.term, message.log_term, message.index, message.commit,
                          message.reject_hint, message.snapshot.index, message.snapshot.term}) {
    if (number > kNumberMax) return fail(Code::kCorrupt, "raft: number out of range");
  }
  if (message.type == MessageType::kAppend) return continues(message);
  if (message.type == MessageType::kPropose && message.entries.empty()) {
    return fail(Code::kBadRequest, "raft: empty proposal");
  }
  if (message.type == MessageType::kSnapshot && message.snapshot.empty()) {
    return fail(Code::kBadRequest, "raft: empty snapshot");
  }
  return {};
}

}  // namespace coracle::raft
