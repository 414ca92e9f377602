// SPDX-License-Identifier: GPL-2.0-or-later
#include "peer/inbox.h"

#include <utility>

#include "base/bytes.h"
#include "peer/bounds.h"
#include "raft/wire.h"

namespace coracle::peer {
namespace {

constexpr size_t kReplyTextMax = 512;

Result<> nonsense(std::string_view what) {
  return fail(Code::kCorrupt, join({"not the peer protocol: ", what}));
}

}  // namespace

Result<> Inbox::take(const Frame& frame, std::string& answer) {
  const std::string_view payload = frame.payload;
  if (frame.type == FrameType::kMessage) return take_message(payload);
  if (frame.type == FrameType::kPart || frame.type == FrameType::kLastPart) {
    TRY(take_part(payload, answer));
    if (frame.type == FrameType::kPart) return {};
    return take_message(std::exchange(long_message_, {}));
  }
  const uint32_t stream = get_u32(payload.data());  // frame sizes were judged by the reader
  switch (frame.type) {
    case FrameType::kSnapshotBegin:
      return begin(stream, payload.substr(4), answer);
    case FrameType::kSnapshotChunk:
      return take_chunk(stream, payload.substr(4), answer);
    case FrameType::kSnapshotEnd:
      end(stream, answer);
      return {};
    case FrameType::kSnapshotBreak:
      if (is_current(stream)) close();
      return {};
    default:
      return nonsense("frame out of place");
  }
}

// The connection vouches for who sends; a message in another name is an attack or a bug.
Result<raft::Message> Inbox::decode(std::string_view bytes) const {
  raft::Message message = TRY(raft::decode_message(bytes));
  // A wish for another leader names that one, whoever passes it on.
  if (message.from != from_ && message.type != raft::MessageType::kTransferLeader)
    return fail(Code::kCorrupt, "raft: message in another's name");
  TRY(raft::admissible(message, self_));
  return message;
}

Result<> Inbox::take_message(std::string_view bytes) {
  raft::Message message = TRY(decode(bytes));
  if (message.type == raft::MessageType::kSnapshot) return nonsense("snapshot without its rows");
  if (delivery_.events != nullptr) delivery_.events->on_message(from_, std::move(message));
  return {};
}

Result<> Inbox::take_part(std::string_view bytes, std::string& answer) {
  if (long_message_.size() + bytes.size() > kMessageBytesMax) return nonsense("endless message");
  long_message_.append(bytes);
  consume(bytes.size(), answer);
  return {};
}

void Inbox::consume(size_t bytes, std::string& answer) {
  consumed_ += bytes;
  if (consumed_ < kWindowBytes / 4) return;
  std::string credit;
  put_u32(credit, static_cast<uint32_t>(std::exchange(consumed_, 0)));
  put_frame(answer, FrameType::kCredit, credit);
}

bool Inbox::is_current(uint32_t stream) const {
  return delivery_.receiving == this && stream == stream_;
}

void Inbox::reply(uint32_t stream, const Result<>& outcome, std::string& answer) {
  std::string payload;
  put_u32(payload, stream);
  payload.push_back(outcome ? 1 : 0);
  if (!outcome) payload.append(std::string_view(outcome.error().message).substr(0, kReplyTextMax));
  put_frame(answer, FrameType::kSnapshotReply, payload);
}

Result<> Inbox::begin(uint32_t stream, std::string_view bytes, std::string& answer) {
  raft::Message message = TRY(decode(bytes));
  if (message.type != raft::MessageType::kSnapshot) return nonsense("rows without a snapshot");
  if (delivery_.events == nullptr) return {};
  if (delivery_.receiving == this) close();  // the sender began anew
  if (delivery_.receiving != nullptr) {
    reply(stream, fail(Code::kUnavailable, "another snapshot is coming in"), answer);
    return {};
  }
  const Result<> begun = delivery_.events->on_snapshot_begin(from_, message);
  if (!begun) return reply(stream, begun, answer), Result<>();
  delivery_.receiving = this;
  announcement_ = std::move(message);
  stream_ = stream;
  checksum_ = 0;
  return {};
}

// Of a stream that was refused some chunks are still on their way: taken, and thrown away.
Result<> Inbox::take_chunk(uint32_t stream, std::string_view bytes, std::string& answer) {
  const std::string_view chunk = bytes.substr(4);
  consume(chunk.size(), answer);
  if (!is_current(stream)) return {};
  checksum_ = crc32c(chunk, checksum_);
  if (checksum_ != get_u32(bytes.data())) {
    close();
    reply(stream, fail(Code::kCorrupt, "checksum does not match"), answer);
    return {};
  }
  const Result<> taken = delivery_.events->on_snapshot_chunk(from_, chunk);
  if (taken) return {};
  if (delivery_.receiving == this) delivery_.receiving = nullptr;
  reply(stream, taken, answer);
  return {};
}

void Inbox::end(uint32_t stream, std::string& answer) {
  if (!is_current(stream)) return;
  delivery_.receiving = nullptr;
  reply(stream, delivery_.events->on_snapshot_end(from_, std::move(announcement_)), answer);
}

void Inbox::close() {
  if (delivery_.receiving != this) return;
  delivery_.receiving = nullptr;
  if (delivery_.events != nullptr) delivery_.events->on_snapshot_broken(from_);
}

}  // namespace coracle::peer
