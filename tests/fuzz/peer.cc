// SPDX-License-Identifier: GPL-2.0-or-later
// Whatever another member sends behind TLS: greetings and frames, in pieces of any size.
#include <cstddef>
#include <cstdint>

#include "peer/bounds.h"
#include "peer/hello.h"
#include "peer/inbox.h"

using namespace coracle;

namespace {

struct Store final : store::TransportEvents {
  void on_message(raft::NodeId from, raft::Message message) override {
    ASSERT(from == 1 && message.from == 1 && message.to == 2);
    ASSERT(message.type != raft::MessageType::kSnapshot);
  }
  void on_unreachable(raft::NodeId) override { ASSERT(false); }
  void on_snapshot_sent(raft::NodeId, bool) override { ASSERT(false); }
  Result<> on_snapshot_begin(raft::NodeId, const raft::Message& message) override {
    ASSERT(!receiving && message.type == raft::MessageType::kSnapshot);
    if (message.snapshot.index % 7 == 0) return fail(Code::kUnavailable, "not now");
    receiving = true;
    return {};
  }
  Result<> on_snapshot_chunk(raft::NodeId, std::string_view chunk) override {
    ASSERT(receiving && !chunk.empty());
    if (chunk[0] != 'f') return {};
    receiving = false;
    return fail(Code::kIo, "disk full");
  }
  Result<> on_snapshot_end(raft::NodeId, raft::Message) override {
    ASSERT(receiving);
    receiving = false;
    return {};
  }
  void on_snapshot_broken(raft::NodeId) override {
    ASSERT(receiving);
    receiving = false;
  }
  bool receiving = false;
};

void judge(std::string_view payload) {
  const auto hello = peer::decode_hello(payload);
  if (!hello) return;
  peer::Hello own;
  own.cluster = own.from = 2;
  const std::string why = peer::objection(*hello, {hello->cluster, hello->from}, own);
  ASSERT(!why.empty() || (hello->cluster == 2 && hello->to == 2));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  Store store;
  peer::Delivery delivery;
  delivery.events = &store;
  {
    peer::Inbox inbox(delivery, 2);
    inbox.open(1);
    peer::FrameReader reader;
    if ((bytes[0] & 1) != 0) reader.trust();
    const size_t piece = 1 + (bytes[0] >> 1);
    std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
    std::string answer;
    while (!input.empty()) {
      reader.feed(input.substr(0, piece));
      input.remove_prefix(input.size() < piece ? input.size() : piece);
      auto frame = reader.next();
      for (; frame && frame->has_value(); frame = reader.next()) {
        if ((*frame)->type == peer::FrameType::kHello) judge((*frame)->payload);
        if ((*frame)->type >= peer::FrameType::kMessage && !inbox.take(**frame, answer)) return 0;
      }
      if (!frame) return 0;
      ASSERT(reader.buffered() <= peer::kFrameBytesMax);
    }
  }
  ASSERT(!store.receiving);
  return 0;
}
