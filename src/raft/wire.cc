// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/wire.h"

#include <algorithm>

namespace coracle::raft {
namespace {

enum Flag : uint8_t { kReject = 1, kTransfer = 2, kHasSnapshot = 4 };
constexpr uint8_t kFlags = kReject | kTransfer | kHasSnapshot;

constexpr size_t kVarintBytesMax = 10;
constexpr size_t kHeadBytesMax = 3 + 11 * kVarintBytesMax;
constexpr size_t kEntryBytesMin = 4;  // term, index, type, size
constexpr size_t kEntryBytesMax = 3 * kVarintBytesMax + 1;

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void put_bytes(std::string& out, std::string_view bytes) {
  put_varint(out, bytes.size());
  out.append(bytes);
}

void put_ids(std::string& out, const std::vector<NodeId>& ids) {
  put_varint(out, ids.size());
  for (const NodeId id : ids)
    put_varint(out, id);
}

void put_snapshot(std::string& out, const Snapshot& snapshot) {
  put_varint(out, snapshot.index);
  put_varint(out, snapshot.term);
  const ConfState& state = snapshot.conf_state;
  for (const auto* ids :
       {&state.voters, &state.voters_outgoing, &state.learners, &state.learners_next}) {
    put_ids(out, *ids);
  }
  out.push_back(state.auto_leave ? 1 : 0);
  put_bytes(out, snapshot.data.view());
}

bool has_snapshot(const Message& message) {
  const Snapshot& snapshot = message.snapshot;
  return !snapshot.empty() || snapshot.term != 0 || snapshot.data.size() != 0 ||
         snapshot.conf_state != ConfState{};
}

// Takes the bytes apart; once something is wrong everything after it is 0 or empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  bool broken() const { return broken_; }
  size_t left() const { return left_.size(); }
  void refuse() {
    broken_ = true;
    left_ = {};
  }

  uint8_t byte() {
    if (left_.empty()) return refuse(), uint8_t{0};
    const auto value = static_cast<uint8_t>(left_.front());
    left_.remove_prefix(1);
    return value;
  }

  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const uint8_t next = byte();
      const uint64_t part = next & 0x7f;
      if (shift == 63 && part > 1) break;
      value |= part << shift;
      if ((next & 0x80) != 0) continue;
      if (next == 0 && shift > 0) break;  // a shorter form says the same
      return value;
    }
    return refuse(), uint64_t{0};
  }

  std::string_view bytes() {
    const uint64_t size = varint();
    if (size > left_.size()) return refuse(), std::string_view();
    const std::string_view taken = left_.substr(0, static_cast<size_t>(size));
    left_.remove_prefix(taken.size());
    return taken;
  }

  // How many things follow, each of at least `bytes_min`.
  size_t count(size_t most, size_t bytes_min) {
    const uint64_t count = varint();
    if (count > most || count > left_.size() / bytes_min) return refuse(), size_t{0};
    return static_cast<size_t>(count);
  }

  bool boolean() {
    const uint8_t value = byte();
    if (value > 1) refuse();
    return value == 1;
  }

 private:
  std::string_view left_;
  bool broken_ = false;
};

std::vector<NodeId> read_ids(Reader& reader) {
  std::vector<NodeId> ids(reader.count(kWireMembersMax, 1));
  for (NodeId& id : ids)
    id = reader.varint();
  return ids;
}

Snapshot read_snapshot(Reader& reader) {
  Snapshot snapshot;
  snapshot.index = reader.varint();
  snapshot.term = reader.varint();
  ConfState& state = snapshot.conf_state;
  for (auto* ids : {&state.voters, &state.voters_outgoing, &state.learners, &state.learners_next}) {
    *ids = read_ids(reader);
  }
  state.auto_leave = reader.boolean();
  snapshot.data = Payload(reader.bytes());
  return snapshot;
}

void read_entries(Reader& reader, std::vector<Entry>& entries) {
  const size_t count = reader.count(kWireEntriesMax, kEntryBytesMin);
  entries.reserve(count);
  for (size_t i = 0; i < count && !reader.broken(); i++) {
    Entry entry;
    entry.term = reader.varint();
    entry.index = reader.varint();
    const uint8_t type = reader.byte();
    if (type > static_cast<uint8_t>(EntryType::kConfChangeV2)) return reader.refuse();
    entry.type = static_cast<EntryType>(type);
    entry.data = Payload(reader.bytes());
    entries.push_back(std::move(entry));
  }
}

bool may_travel(uint8_t type) {
  return type <= static_cast<uint8_t>(MessageType::kForgetLeader) &&
         !is_local(static_cast<MessageType>(type));
}

}  // namespace

size_t wire_size_max(const Message& message) {
  const ConfState& state = message.snapshot.conf_state;
  const size_t ids = 4 + state.voters.size() + state.voters_outgoing.size() +
                     state.learners.size() + state.learners_next.size();
  return kHeadBytesMax + message.entries.size() * kEntryBytesMax +
         static_cast<size_t>(payload_size(message.entries)) +
         (has_snapshot(message) ? message.snapshot.data.size() + (4 + ids) * kVarintBytesMax : 0);
}

std::string encode(const Message& message) {
  ASSERT(!is_local(message.type) && message.responses.empty());
  ASSERT(message.entries.size() <= kWireEntriesMax);
  std::string out;
  out.reserve(wire_size_max(message));
  out.push_back(static_cast<char>(kWireVersion));
  out.push_back(static_cast<char>(message.type));
  out.push_back(static_cast<char>((message.reject ? kReject : 0) |
                                  (message.transfer ? kTransfer : 0) |
                                  (has_snapshot(message) ? kHasSnapshot : 0)));
  for (const uint64_t number :
       {message.to, message.from, message.term, message.log_term, message.index, message.commit,
        message.vote, message.reject_hint, message.read_number, message.request}) {
    put_varint(out, number);
  }
  put_varint(out, message.entries.size());
  for (const Entry& entry : message.entries) {
    put_varint(out, entry.term);
    put_varint(out, entry.index);
    out.push_back(static_cast<char>(entry.type));
    put_bytes(out, entry.data.view());
  }
  if (has_snapshot(message)) put_snapshot(out, message.snapshot);
  return out;
}

Result<Message> decode_message(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.byte() != kWireVersion) return fail(Code::kCorrupt, "raft: unknown message version");
  const uint8_t type = reader.byte();
  if (!may_travel(type)) return fail(Code::kCorrupt, "raft: message type that may not travel");
  const uint8_t flags = reader.byte();
  if ((flags & ~kFlags) != 0) return fail(Code::kCorrupt, "raft: unknown message flags");
  Message message;
  message.type = static_cast<MessageType>(type);
  message.reject = (flags & kReject) != 0;
  message.transfer = (flags & kTransfer) != 0;
  for (uint64_t* number : {&message.to, &message.from, &message.term, &message.log_term,
                           &message.index, &message.commit, &message.vote, &message.reject_hint,
                           &message.read_number, &message.request}) {
    *number = reader.varint();
  }
  read_entries(reader, message.entries);
  if ((flags & kHasSnapshot) != 0) {
    message.snapshot = read_snapshot(reader);
    if (!has_snapshot(message)) reader.refuse();  // then the flag would not be set
  }
  if (reader.broken()) return fail(Code::kCorrupt, "raft: message is cut short or malformed");
  if (reader.left() != 0) return fail(Code::kCorrupt, "raft: bytes after a message");
  return message;
}

}  // namespace coracle::raft
