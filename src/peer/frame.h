// SPDX-License-Identifier: GPL-2.0-or-later
// What peers say to each other, inside TLS: size u32, type u8, payload (integers little-endian).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace coracle::peer {

enum class FrameType : uint8_t {
  kHello = 1,      // first from each side, the caller first; see hello.h
  kRefusal,        // text for people, instead of a hello or at any time; the connection ends
  kGoodbye,        // text for people: this connection is not needed any more
  kPing,           // anything is an answer; a pong if there is nothing else to say
  kPong,           //
  kCredit,         // u32: bytes of parts and chunks that were taken
  kMessage,        // a whole short message, ahead of the parts of long ones
  kPart,           // of a long message; more follows
  kLastPart,       //
  kSnapshotBegin,  // u32 number of the stream, the message
  kSnapshotChunk,  // u32 number, u32 CRC-32C of all chunks so far, bytes
  kSnapshotEnd,    // u32 number
  kSnapshotBreak,  // u32 number: the sender gives up
  kSnapshotReply,  // u32 number, u8 taken whole (1) or failed (0), text for people
  kSighting,       // u64 member, u64 instance: it is connected here
  kDispute,        // u64 member, u64 instance: but this one is alive here, too
};

struct Frame {
  FrameType type = FrameType::kPing;
  std::string_view payload;
};

void put_frame(std::string& out, FrameType type, std::string_view payload);

// Takes a stream of bytes apart. Bounded by the largest frame that may come.
class FrameReader {
 public:
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // Nothing: needs more bytes. An error: not our protocol; nothing comes after it. Valid until the
  // next call.
  Result<std::optional<Frame>> next();
  // Strangers may only greet.
  void trust() { trusted_ = true; }
  size_t buffered() const { return buffer_.size() - taken_; }

 private:
  std::string buffer_;
  size_t taken_ = 0;
  bool trusted_ = false;
};

}  // namespace coracle::peer
