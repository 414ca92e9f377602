// SPDX-License-Identifier: GPL-2.0-or-later
// How members of the replicated store talk to each other. The store gives messages and hears them;
// who carries them (peers over mutual TLS, or a simulator) vouches for the sender's id and for
// nothing else: everything may be lost, late, repeated or out of order, but never altered.
// Proposals alone (kPropose) are never repeated: a repeated creation could undo a deletion in
// between.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "port/net.h"
#include "raft/message.h"

namespace coracle::store {

inline constexpr size_t kSnapshotChunkBytesMax = 64 * 1024;

// Where a member can be reached. Ids are never used twice in the life of a cluster.
struct PeerAddress {
  raft::NodeId id = raft::kNobody;
  std::vector<port::Endpoint> endpoints;  // tried in turn; may be empty: it will call us
};

// The state as rows, pulled as fast as the receiver takes it. Owned by the transport until its end.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  // The next chunk, at most kSnapshotChunkBytesMax; false: that was all.
  virtual Result<bool> next(std::string& chunk) = 0;
};

class TransportEvents {
 public:
  virtual void on_message(raft::NodeId from, raft::Message message) = 0;
  virtual void on_unreachable(raft::NodeId member) = 0;  // a message to it was dropped
  virtual void on_absent(raft::NodeId) {}  // its machine says that nobody listens there any more
  virtual void on_removed() {}             // another member says that this one was removed
  // The end of send_snapshot: the receiver has it whole (failed: it broke off).
  virtual void on_snapshot_sent(raft::NodeId to, bool failed) = 0;
  // A snapshot comes in: begin, chunks in order, then end with the message that announces it.
  // An error refuses the stream. At most one stream at a time comes in; `broken` ends it early.
  virtual Result<> on_snapshot_begin(raft::NodeId from, const raft::Message& message) = 0;
  virtual Result<> on_snapshot_chunk(raft::NodeId from, std::string_view chunk) = 0;
  virtual Result<> on_snapshot_end(raft::NodeId from, raft::Message message) = 0;
  virtual void on_snapshot_broken(raft::NodeId from) = 0;

 protected:
  ~TransportEvents() = default;
};

// Owned by who wires the store; outlives it. No call blocks, none calls back from inside.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void start(TransportEvents& events) = 0;
  virtual void stop() = 0;  // no event after this
  // All other members, learners included, whenever they change.
  virtual void set_members(std::span<const PeerAddress> members) = 0;
  // Dropped (and reported as unreachable) when there is no connection or its queue is full: raft
  // repeats what matters.
  virtual void send(raft::Message message) = 0;
  // `message` is the kSnapshot message, delivered behind the last chunk.
  virtual void send_snapshot(raft::Message message, std::unique_ptr<SnapshotSource> rows) = 0;
};

}  // namespace coracle::store
