// SPDX-License-Identifier: GPL-2.0-or-later
// What comes over one connection: puts long messages together, judges every message and checks the
// stream of a snapshot, then tells the store. Owned by a link.
#pragma once

#include <string>

#include "peer/frame.h"
#include "store/transport.h"

namespace coracle::peer {

class Inbox;

// Shared by all connections of a member.
struct Delivery {
  store::TransportEvents* events = nullptr;  // null: stopped, nothing is told any more
  Inbox* receiving = nullptr;                // one snapshot at a time comes in
};

class Inbox {
 public:
  Inbox(Delivery& delivery, raft::NodeId self) : delivery_(delivery), self_(self) {}
  ~Inbox() { close(); }
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  void open(raft::NodeId from) { from_ = from; }
  // Frames to answer with are added to `answer`. An error: what comes is not ours to understand,
  // and the connection must end.
  Result<> take(const Frame& frame, std::string& answer);
  void close();  // an unfinished snapshot is reported as broken

 private:
  Result<> take_message(std::string_view bytes);
  Result<> take_part(std::string_view bytes, std::string& answer);
  Result<> begin(uint32_t stream, std::string_view bytes, std::string& answer);
  Result<> take_chunk(uint32_t stream, std::string_view bytes, std::string& answer);
  void end(uint32_t stream, std::string& answer);
  void reply(uint32_t stream, const Result<>& outcome, std::string& answer);
  void consume(size_t bytes, std::string& answer);
  bool is_current(uint32_t stream) const;
  Result<raft::Message> decode(std::string_view bytes) const;

  Delivery& delivery_;
  raft::NodeId self_;
  raft::NodeId from_ = raft::kNobody;
  std::string long_message_;
  size_t consumed_ = 0;  // and not yet credited to the sender
  raft::Message announcement_;
  uint32_t stream_ = 0;
  uint32_t checksum_ = 0;
};

}  // namespace coracle::peer
