// SPDX-License-Identifier: GPL-2.0-or-later
// What members say to each other, what the core tells its storage, and what it is told back. The
// set of messages is etcd raft's (raftpb/raft.proto), so that its scripts apply; contexts of bytes
// are typed fields here.
#pragma once

#include <span>

#include "raft/conf_change.h"
#include "raft/payload.h"

namespace coracle::raft {

struct EntryId {
  Term term = 0;
  Index index = 0;
  friend bool operator==(const EntryId&, const EntryId&) = default;
};

enum class EntryType : uint8_t { kNormal, kConfChange, kConfChangeV2 };  // V2: more than one change

struct Entry {
  Term term = 0;
  Index index = 0;
  EntryType type = EntryType::kNormal;
  Payload data = {};
};

inline constexpr uint64_t kEntryOverhead = 24;  // what an entry costs besides its payload

uint64_t encoded_size(std::span<const Entry> entries);
uint64_t payload_size(std::span<const Entry> entries);

// index 0: none. The state itself travels by the application's own stream; data may be empty.
struct Snapshot {
  Index index = 0;
  Term term = 0;
  ConfState conf_state = {};
  Payload data = {};

  bool empty() const { return index == 0; }
};

struct HardState {
  Term term = 0;
  NodeId vote = kNobody;
  Index commit = 0;

  bool empty() const { return term == 0 && vote == kNobody && commit == 0; }
  friend bool operator==(const HardState&, const HardState&) = default;
};

enum class Role : uint8_t { kFollower, kCandidate, kLeader, kPreCandidate };

struct SoftState {
  NodeId leader = kNobody;
  Role role = Role::kFollower;
  friend bool operator==(const SoftState&, const SoftState&) = default;
};

// The application may answer a read once it has applied up to index.
struct ReadState {
  Index index = 0;
  uint64_t request = 0;
};

enum class MessageType : uint8_t {
  kCampaign,
  kBeat,
  kPropose,
  kAppend,
  kAppendReply,
  kVote,
  kVoteReply,
  kSnapshot,
  kHeartbeat,
  kHeartbeatReply,
  kUnreachable,
  kSnapshotStatus,
  kCheckQuorum,
  kTransferLeader,
  kTimeoutNow,
  kReadIndex,
  kReadIndexReply,
  kPreVote,
  kPreVoteReply,
  kStorageAppend,
  kStorageAppendReply,
  kStorageApply,
  kStorageApplyReply,
  kForgetLeader,
};

// Ids that stand for this node's own storage: log (append) and state machine (apply).
inline constexpr NodeId kAppendLane = UINT64_MAX;
inline constexpr NodeId kApplyLane = UINT64_MAX - 1;

inline bool is_lane(NodeId id) {
  return id >= kApplyLane;
}

struct Message {
  MessageType type = MessageType::kCampaign;
  NodeId to = kNobody;
  NodeId from = kNobody;
  Term term = 0;      // 0: local, or forwarded on behalf of a client
  Term log_term = 0;  // of the entry at index
  Index index = 0;
  std::vector<Entry> entries = {};
  Index commit = 0;
  NodeId vote = kNobody;  // kStorageAppend: the vote to make durable
  Snapshot snapshot = {};
  bool reject = false;
  Index reject_hint = 0;
  bool transfer = false;     // kVote: the leader asked for this election
  uint64_t read_number = 0;  // kHeartbeat and its reply: reads up to this one are confirmed
  uint64_t request = 0;      // kReadIndex and its reply: the client's own number
  std::vector<Message> responses =
      {};  // to be delivered once a storage message has been carried out
};

bool is_local(MessageType type);  // never valid from another member
bool is_reply(MessageType type);  // only valid from a known member
MessageType reply_to(MessageType vote_or_pre_vote);

// Whether a message from outside is well-formed: types, addresses, terms and indexes in order. Says
// nothing about this node's own state.
Result<> admissible(const Message& message, NodeId self);

}  // namespace coracle::raft
