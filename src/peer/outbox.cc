// SPDX-License-Identifier: GPL-2.0-or-later
#include "peer/outbox.h"

#include <algorithm>

#include "base/bytes.h"
#include "peer/bounds.h"
#include "peer/frame.h"
#include "raft/wire.h"

namespace coracle::peer {
namespace {

constexpr size_t kMessageOverhead = sizeof(raft::Message);

// Messages with entries keep their order among themselves and go in parts.
bool is_bulk(const raft::Message& message) {
  return message.type == raft::MessageType::kAppend || message.type == raft::MessageType::kPropose;
}

size_t cost(const raft::Message& message) {
  return kMessageOverhead + raft::wire_size_max(message);
}

std::string number(uint32_t value) {
  std::string out;
  put_u32(out, value);
  return out;
}

}  // namespace

bool Outbox::push(raft::Message message) {
  const size_t bytes = cost(message);
  const size_t most = is_bulk(message) ? kMessageBytesMax : kPartBytes;
  if (bytes > most || message.entries.size() > raft::kWireEntriesMax) return false;
  if (queued_bytes_ + bytes > kQueueBytesMax) return false;
  if (urgent_.size() + bulk_.size() >= kQueueMessagesMax) return false;
  queued_bytes_ += bytes;
  (is_bulk(message) ? bulk_ : urgent_).push_back(std::move(message));
  return true;
}

bool Outbox::start_snapshot(const raft::Message& message,
                            std::unique_ptr<store::SnapshotSource> rows) {
  if (has_snapshot() || cost(message) > kPartBytes) return false;
  phase_ = Phase::kBegin;
  announcement_ = raft::encode(message);
  rows_ = std::move(rows);
  stream_++;
  checksum_ = 0;
  return true;
}

bool Outbox::next(std::string& out) {
  return next_urgent(out) || next_part(out) || next_row(out);
}

bool Outbox::next_urgent(std::string& out) {
  if (urgent_.empty()) return false;
  queued_bytes_ -= cost(urgent_.front());
  put_frame(out, FrameType::kMessage, raft::encode(urgent_.front()));
  urgent_.pop_front();
  return true;
}

bool Outbox::next_part(std::string& out) {
  if (current_.empty()) {
    if (bulk_.empty()) return false;
    queued_bytes_ -= cost(bulk_.front());
    current_ = raft::encode(bulk_.front());
    current_sent_ = 0;
    bulk_.pop_front();
  }
  const std::string_view part = std::string_view(current_).substr(current_sent_, kPartBytes);
  if (in_flight_ + part.size() > kWindowBytes) return false;
  const bool last = current_sent_ + part.size() == current_.size();
  put_frame(out, last ? FrameType::kLastPart : FrameType::kPart, part);
  in_flight_ += part.size();
  current_sent_ += part.size();
  if (last) std::string().swap(current_);
  return true;
}

bool Outbox::next_row(std::string& out) {
  if (phase_ == Phase::kBegin) return begin_snapshot(out), true;
  if (phase_ != Phase::kRows) return false;
  if (in_flight_ + store::kSnapshotChunkBytesMax > kWindowBytes) return false;
  chunk_.clear();
  const Result<bool> more = rows_->next(chunk_);
  if (!more) return break_snapshot(out, more.error().message), true;
  if (!*more) return end_snapshot(out), true;
  if (chunk_.empty() || chunk_.size() > store::kSnapshotChunkBytesMax) {
    return break_snapshot(out, "its source made a chunk of impossible size"), true;
  }
  checksum_ = crc32c(chunk_, checksum_);
  put_frame(out, FrameType::kSnapshotChunk, join({number(stream_), number(checksum_), chunk_}));
  in_flight_ += chunk_.size();
  return true;
}

void Outbox::begin_snapshot(std::string& out) {
  put_frame(out, FrameType::kSnapshotBegin, number(stream_) + announcement_);
  std::string().swap(announcement_);
  phase_ = Phase::kRows;
}

void Outbox::end_snapshot(std::string& out) {
  put_frame(out, FrameType::kSnapshotEnd, number(stream_));
  rows_.reset();
  std::string().swap(chunk_);
  phase_ = Phase::kAwaitingReply;
}

void Outbox::break_snapshot(std::string& out, std::string why) {
  put_frame(out, FrameType::kSnapshotBreak, number(stream_));
  source_error_ = std::move(why);
  rows_.reset();
  std::string().swap(chunk_);
  phase_ = Phase::kNone;
}

bool Outbox::credit(size_t bytes) {
  if (bytes > in_flight_) return false;
  in_flight_ -= bytes;
  return true;
}

bool Outbox::settle_snapshot(uint32_t stream) {
  if (!has_snapshot() || stream != stream_) return false;
  rows_.reset();
  std::string().swap(chunk_);
  phase_ = Phase::kNone;
  return true;
}

}  // namespace coracle::peer
