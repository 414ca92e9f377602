// SPDX-License-Identifier: GPL-2.0-or-later
// Collecting what the machine wants done (etcd raft, rawnode.go).
#include "raft/core.h"

namespace coracle::raft {

Effects Core::take_effects() {
  Effects effects;
  Log& log = machine_.log();
  std::span<const Entry> entries = log.unstable().next_entries();
  effects.entries.assign(entries.begin(), entries.end());
  Result<std::vector<Entry>> committed = log.next_committed(allow_unstable());
  if (committed)
    effects.committed = std::move(*committed);
  else
    effects.failure = std::move(committed.error());
  if (machine_.soft_state() != last_soft_) effects.soft = last_soft_ = machine_.soft_state();
  HardState hard = machine_.hard_state();
  effects.must_sync =
      !effects.entries.empty() || hard.vote != last_hard_.vote || hard.term != last_hard_.term;
  if (hard != last_hard_) effects.hard = last_hard_ = hard;
  if (log.unstable().has_next_snapshot()) effects.snapshot = log.unstable().snapshot();
  effects.reads = machine_.take_reads();
  effects.messages = machine_.take_messages();
  std::vector<Message> after_append = machine_.take_after_append();
  if (machine_.options().async_storage) {
    add_storage_messages(effects, std::move(after_append));
  } else {
    keep_for_advance(effects, std::move(after_append));
  }
  log.unstable().accept();
  if (!effects.committed.empty()) {
    uint64_t bytes = encoded_size(effects.committed);
    log.accept_applying(effects.committed.back().index, bytes, allow_unstable());
  }
  return effects;
}

void Core::advance() {
  ASSERT(!machine_.options().async_storage);
  std::vector<Message> messages = std::exchange(on_advance_, {});
  for (Message& message : messages) {
    Result<> stepped = machine_.step(std::move(message));
    ASSERT(stepped);  // own acknowledgements
  }
}

// The message to the log lane carries everything that must be durable, and behind it what may only
// be said then.
void Core::add_storage_messages(Effects& effects, std::vector<Message> after_append) const {
  NodeId self = machine_.id();
  bool stores = !effects.entries.empty() || !effects.hard.empty() || !effects.snapshot.empty() ||
                !after_append.empty();
  if (stores) {
    Message append{.type = MessageType::kStorageAppend, .to = kAppendLane, .from = self};
    append.entries = effects.entries;
    append.term = effects.hard.term;
    append.vote = effects.hard.vote;
    append.commit = effects.hard.commit;
    append.snapshot = effects.snapshot;
    append.responses = std::move(after_append);
    // After the leader's own acknowledgement, which may still need the terms of unstable entries.
    if (auto reply = append_reply(effects)) append.responses.push_back(std::move(*reply));
    effects.messages.push_back(std::move(append));
  }
  if (effects.committed.empty()) return;
  Message apply{.type = MessageType::kStorageApply, .to = kApplyLane, .from = self};
  apply.entries = effects.committed;
  apply.responses.push_back(apply_reply(effects));
  effects.messages.push_back(std::move(apply));
}

void Core::keep_for_advance(Effects& effects, std::vector<Message> after_append) {
  ASSERT(on_advance_.empty());
  for (Message& message : after_append) {
    bool own = message.to == machine_.id();
    (own ? on_advance_ : effects.messages).push_back(std::move(message));
  }
  if (auto reply = append_reply(effects)) on_advance_.push_back(std::move(*reply));
  if (!effects.committed.empty()) on_advance_.push_back(apply_reply(effects));
}

// Attests, at this term, that the log is durable up to its last entry once all writes so far are.
// The term makes it void if another leader's entries have come in between: an older write could
// otherwise pass for the newer one that replaces it (the ABA problem). So it is asked for again
// with every write while anything is unstable, or entries whose reply was ignored would stay in
// memory for ever.
std::optional<Message> Core::append_reply(const Effects& effects) const {
  const Log& log = machine_.log();
  bool unstable = !log.unstable().entries().empty();
  if (!unstable && effects.snapshot.empty()) return std::nullopt;
  Message reply{.type = MessageType::kStorageAppendReply, .to = machine_.id(), .from = kAppendLane};
  reply.term = machine_.term();
  if (unstable) {
    EntryId last = log.last();
    reply.index = last.index;
    reply.log_term = last.term;
  }
  reply.snapshot = effects.snapshot;
  return reply;
}

Message Core::apply_reply(const Effects& effects) const {
  Message reply{.type = MessageType::kStorageApplyReply, .to = machine_.id(), .from = kApplyLane};
  reply.entries = effects.committed;
  return reply;
}

}  // namespace coracle::raft
