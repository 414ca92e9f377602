// SPDX-License-Identifier: GPL-2.0-or-later
// What waits to go over one connection, and in which order: short messages first, so that a
// heartbeat never waits for a long append; then appends and proposals, in parts; then a snapshot,
// pulled only when nothing else waits and the other side has taken what was sent. Owned by a link;
// what waits is dropped with it.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "raft/message.h"
#include "store/transport.h"

namespace coracle::peer {

class Outbox {
 public:
  Outbox() = default;
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  bool push(raft::Message message);  // false: no room, or too long for the protocol
  // False: one is under way already.
  bool start_snapshot(const raft::Message& message, std::unique_ptr<store::SnapshotSource> rows);

  // Adds the next frame; false: nothing waits, or the window is used up.
  bool next(std::string& out);
  bool credit(size_t bytes);  // the other side took them; false: more than were sent

  // The receiver's word on the snapshot, or why it broke off. False: of an older stream, or none.
  bool settle_snapshot(uint32_t stream);
  bool has_snapshot() const { return phase_ != Phase::kNone; }
  // Why the source failed, once: the stream was broken off by this side.
  std::string take_source_error() { return std::exchange(source_error_, {}); }

 private:
  enum class Phase : uint8_t { kNone, kBegin, kRows, kAwaitingReply };

  bool next_urgent(std::string& out);
  bool next_part(std::string& out);
  bool next_row(std::string& out);
  void begin_snapshot(std::string& out);
  void end_snapshot(std::string& out);
  void break_snapshot(std::string& out, std::string why);

  std::deque<raft::Message> urgent_;
  std::deque<raft::Message> bulk_;  // the order of appends is kept: out of order they are refused
  size_t queued_bytes_ = 0;
  std::string current_;  // a long message, encoded
  size_t current_sent_ = 0;
  size_t in_flight_ = 0;  // parts and chunks that were not taken yet

  Phase phase_ = Phase::kNone;
  std::string announcement_;  // the encoded message
  std::unique_ptr<store::SnapshotSource> rows_;
  std::string chunk_;
  uint32_t stream_ = 0;
  uint32_t checksum_ = 0;
  std::string source_error_;
};

}  // namespace coracle::peer
