// SPDX-License-Identifier: GPL-2.0-or-later
#include "peer/frame.h"

#include "base/bytes.h"
#include "peer/bounds.h"
#include "store/transport.h"

namespace coracle::peer {
namespace {

constexpr size_t kHeaderBytes = 5;
constexpr size_t kIdleBytes = 4096;  // a larger buffer is given back when it is empty

struct Extent {
  uint32_t least = 0;
  uint32_t most = 0;
};

// By type. A snapshot's message holds a configuration and no rows.
constexpr Extent kExtents[] = {
    {1, 0},                                  // none
    {6, 512},                                // hello
    {0, 1024},                               // refusal
    {0, 1024},                               // goodbye
    {0, 0},                                  // ping
    {0, 0},                                  // pong
    {4, 4},                                  // credit
    {1, kPartBytes},                         // message
    {1, kPartBytes},                         // part
    {1, kPartBytes},                         // last part
    {5, kPartBytes},                         // snapshot begin
    {9, 8 + store::kSnapshotChunkBytesMax},  // snapshot chunk
    {4, 4},                                  // snapshot end
    {4, 4},                                  // snapshot break
    {5, 1024},                               // snapshot reply
    {16, 16},                                // sighting
    {16, 16},                                // dispute
};

static_assert(kHeaderBytes + 8 + store::kSnapshotChunkBytesMax <= kFrameBytesMax);

bool is_greeting(size_t type) {
  return type == static_cast<size_t>(FrameType::kHello) ||
         type == static_cast<size_t>(FrameType::kRefusal) ||
         type == static_cast<size_t>(FrameType::kGoodbye);
}

}  // namespace

void put_frame(std::string& out, FrameType type, std::string_view payload) {
  put_u32(out, static_cast<uint32_t>(payload.size()));
  out.push_back(static_cast<char>(type));
  out.append(payload);
}

Result<std::optional<Frame>> FrameReader::next() {
  const std::string_view bytes = std::string_view(buffer_).substr(taken_);
  if (bytes.size() >= kHeaderBytes) {
    const uint32_t size = get_u32(bytes.data());
    const size_t type = static_cast<uint8_t>(bytes[4]);
    if (type >= std::size(kExtents) || (!trusted_ && !is_greeting(type))) {
      return fail(Code::kCorrupt, "not the peer protocol: frame of unknown type");
    }
    if (size < kExtents[type].least || size > kExtents[type].most) {
      return fail(Code::kCorrupt, "not the peer protocol: frame of impossible size");
    }
    if (bytes.size() >= kHeaderBytes + size) {
      taken_ += kHeaderBytes + size;
      return std::optional<Frame>({static_cast<FrameType>(type), bytes.substr(kHeaderBytes, size)});
    }
  }
  buffer_.erase(0, taken_);
  taken_ = 0;
  if (buffer_.empty() && buffer_.capacity() > kIdleBytes) std::string().swap(buffer_);
  return std::optional<Frame>();
}

}  // namespace coracle::peer
