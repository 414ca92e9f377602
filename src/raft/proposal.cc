// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "raft/machine.h"

namespace coracle::raft {

Result<> Machine::propose(Message message) {
  // Removed from the configuration while leading: nothing new may enter the log.
  if (!tracker_.find(options_.id)) return fail(Code::kUnavailable, "raft proposal dropped");
  if (transferee_ != kNobody) {
    note({.fact = Fact::kProposalDuringTransfer, .peer = transferee_});
    return fail(Code::kUnavailable, "raft proposal dropped");
  }
  for (size_t i = 0; i < message.entries.size(); i++) {
    TRY(check_change(message.entries[i], i));
  }
  if (!append(std::move(message.entries))) return fail(Code::kUnavailable, "raft proposal dropped");
  broadcast_append();
  return {};
}

// At most one change may be on its way. One that cannot be made now becomes an empty entry, which
// tells whoever waits for its index that nothing was changed.
Result<> Machine::check_change(Entry& entry, size_t position) {
  if (entry.type == EntryType::kNormal) return {};
  ConfChange change = TRY(decode_conf_change(entry.data.view()));
  bool joint = tracker_.config.voters.joint();
  bool leaves = change.changes.empty();
  std::string refusal;
  if (pending_change_ > log_.applied()) {
    refusal = "possible unapplied conf change at index " + std::to_string(pending_change_) +
              " (applied to " + std::to_string(log_.applied()) + ")";
  } else if (joint && !leaves) {
    refusal = "must transition out of joint config first";
  } else if (!joint && leaves) {
    refusal = "not in joint state; refusing empty conf change";
  }
  if (refusal.empty() || !options_.validate_changes) {
    pending_change_ = log_.last_index() + position + 1;
    return {};
  }
  note({.fact = Fact::kChangeRefused,
        .change = &change,
        .reason = refusal,
        .first = static_cast<uint64_t>(entry.type)});
  entry = Entry{};
  return {};
}

bool Machine::append(std::vector<Entry> entries) {
  Index last = log_.last_index();
  for (Entry& entry : entries) {
    entry.term = term_;
    entry.index = ++last;
  }
  // One entry always gets through, and an empty one even then: a new leader's first, and the one
  // that leaves a joint configuration.
  uint64_t bytes = payload_size(entries);
  if (uncommitted_bytes_ > 0 && bytes > 0 &&
      uncommitted_bytes_ + bytes > options_.uncommitted_bytes_max) {
    note({.fact = Fact::kProposalTooLarge});
    return false;
  }
  uncommitted_bytes_ += bytes;
  log_.append(entries);
  // The leader's own acknowledgement, when its log is durable.
  send({.type = MessageType::kAppendReply, .to = options_.id, .index = last});
  return true;
}

void Machine::reduce_uncommitted(uint64_t bytes) {
  uncommitted_bytes_ -= std::min(bytes, uncommitted_bytes_);
}

}  // namespace coracle::raft
