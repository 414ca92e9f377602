// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/conf_change.h"

#include "base/bytes.h"

namespace coracle::raft {

namespace {
constexpr size_t kHeaderBytes = 2;
constexpr size_t kChangeBytes = 9;
}  // namespace

std::string encode(const ConfChange& change) {
  if (change.leaves_joint() && change.context.empty()) return {};
  ASSERT(change.changes.size() <= kChangesMax);
  std::string bytes;
  bytes.push_back(static_cast<char>(change.transition));
  bytes.push_back(static_cast<char>(change.changes.size()));
  for (const Change& single : change.changes) {
    bytes.push_back(static_cast<char>(single.type));
    put_u64(bytes, single.node);
  }
  return bytes + change.context;
}

Result<ConfChange> decode_conf_change(std::string_view bytes) {
  ConfChange change;
  if (bytes.empty()) return change;
  if (bytes.size() < kHeaderBytes) return fail(Code::kCorrupt, "configuration change is cut short");
  auto transition = static_cast<uint8_t>(bytes[0]);
  size_t count = static_cast<uint8_t>(bytes[1]);
  if (transition > static_cast<uint8_t>(ConfChange::Transition::kJointExplicit)) {
    return fail(Code::kCorrupt, "unknown transition of a configuration change");
  }
  if (count > kChangesMax || bytes.size() < kHeaderBytes + count * kChangeBytes) {
    return fail(Code::kCorrupt, "configuration change is cut short");
  }
  change.transition = static_cast<ConfChange::Transition>(transition);
  for (size_t i = 0; i < count; i++) {
    const char* at = bytes.data() + kHeaderBytes + i * kChangeBytes;
    auto type = static_cast<uint8_t>(*at);
    if (type > static_cast<uint8_t>(Change::Type::kAddLearner)) {
      return fail(Code::kCorrupt, "unknown type of configuration change");
    }
    change.changes.push_back({static_cast<Change::Type>(type), get_u64(at + 1)});
  }
  change.context = bytes.substr(kHeaderBytes + count * kChangeBytes);
  return change;
}

ConfState conf_state(const Config& config) {
  return {config.voters.incoming.ids(), config.voters.outgoing.ids(), config.learners.ids(),
          config.learners_next.ids(), config.auto_leave};
}

}  // namespace coracle::raft
