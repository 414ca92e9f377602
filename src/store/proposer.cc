// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/proposer.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "base/tooth.h"

namespace coracle::store {
namespace {

constexpr size_t kFormBytes = 256 * 1024;  // of entries at a time; a larger one goes alone
constexpr size_t kKeyRoom = 1024;
constexpr size_t kLogReserve = 512;  // for what raft itself must write
constexpr uint32_t kFullRetryAfter = 10;
constexpr Duration kLeaderWait = seconds(2);    // for a leader to be found
constexpr Duration kOutcomeWait = seconds(10);  // for a proposal to be applied

Error unavailable(std::string message, uint32_t retry_after_s) {
  Error error = fail(Code::kUnavailable, std::move(message));
  error.retry_after_s = retry_after_s;
  return error;
}

Error full_error() {
  return unavailable("the disk is full: only deletions are accepted", kFullRetryAfter);
}

Error unknown_outcome() {
  return fail(Code::kTimeout, "the leader changed: it is unknown whether the write was stored");
}

}  // namespace

Result<> Proposer::propose(Proposal proposal, Waiter& waiter) {
  if (queue_.full()) {
    Error error = fail(Code::kTooManyRequests, "too many writes are waiting");
    error.retry_after_s = 1;
    return error;
  }
  const bool lazy = proposal.kind->write_class == api::WriteClass::kLazy;
  queue_.push({std::move(proposal), {}, &waiter, parts_.clock.now(), lazy});
  return {};
}

void Proposer::take_foreign(raft::Payload payload) {
  const std::optional<Mutation> mutation = Mutation::decode(payload.view());
  if (!mutation || queue_.full()) return;  // its proposer will wait in vain, but not for ever
  const api::StoredName name = api::parse_storage_key(mutation->key);
  if (name.kind == nullptr) return;
  const bool lazy = name.kind->write_class == api::WriteClass::kLazy;
  queue_.push({{}, std::move(payload), nullptr, parts_.clock.now(), lazy});
}

void Proposer::forget(Waiter& waiter) {
  queue_.forget(waiter);
  for (auto& [refused, error] : refusals_) {
    if (refused == &waiter) refused = nullptr;
  }
  for (auto& [sequence, sent] : sent_) {
    if (sent.waiter == &waiter) sent.waiter = nullptr;
  }
  for (Deferred& deferred : deferred_) {
    if (deferred.waiter == &waiter) deferred.waiter = nullptr;
  }
}

void Proposer::refuse(Waiter* waiter, Error error) {
  if (waiter != nullptr) refusals_.emplace_back(waiter, std::move(error));
}

// A waiter may propose or forget from inside its outcome.
void Proposer::deliver_refusals() {
  for (size_t i = 0; i < refusals_.size(); ++i) {
    Waiter* waiter = std::exchange(refusals_[i].first, nullptr);
    Error error = std::move(refusals_[i].second);
    if (waiter != nullptr) waiter->on_outcome(std::move(error));
  }
  refusals_.clear();
}

std::optional<Mono> Proposer::due(Stance stance) const {
  if (queue_.empty()) return std::nullopt;
  if (stance == Stance::kLeading) return queue_.due();
  return std::nullopt;
}

bool Proposer::has_room(const Pending& pending, Stance stance) const {
  if (sent_.size() >= limits::kProposalsMax) return false;
  if (stance != Stance::kLeading) return true;
  const uint64_t waiting = parts_.appender->waiting_bytes();
  if (waiting > kFormBytes || (parts_.flusher.must_wait() && !parts_.flusher.full())) return false;
  const uint64_t needed = waiting + record_bytes(pending.bytes() + kKeyRoom) + kLogReserve;
  return needed <= parts_.log.room() || parts_.flusher.full();
}

std::vector<raft::Payload> Proposer::form(Stance stance, raft::Index first_index, raft::Term term) {
  std::vector<raft::Payload> batch;
  size_t bytes = 0;
  formed_from_ = next_.sequence;
  undo_.clear();
  while (stance != Stance::kWaiting && !queue_.empty() && bytes < kFormBytes) {
    if (!has_room(queue_.front(), stance)) break;
    if (bytes > 0 && bytes + queue_.front().bytes() + kKeyRoom > parts_.log.room()) break;
    Pending pending = queue_.pop();
    const raft::Index index = first_index + batch.size();
    if (pending.foreign.size() > 0) {
      if (stance == Stance::kLeading) batch.push_back(admit_foreign(pending.foreign, index));
      bytes += pending.bytes();
      continue;
    }
    bytes += pending.bytes();
    Result<Admitted> admitted = admit(pending.proposal, stance, index);
    if (!admitted) {
      const Code code = admitted.error().code;
      const bool of_state = code == Code::kConflict || code == Code::kAlreadyExists;
      if (!of_state || !quorum_needed_) {
        refuse_in_time(pending, std::move(admitted).error());
        continue;
      }
      admitted = Admitted{raft::Payload(Refusal{next_, std::move(admitted).error()}.encode()), {}};
    }
    sent_[next_.sequence++] = {pending.waiter, std::move(admitted->object), term,
                               parts_.clock.now()};
    batch.push_back(std::move(admitted->payload));
  }
  return batch;
}

void Proposer::refuse_in_time(const Pending& pending, Error error) {
  const Proposal& proposal = pending.proposal;
  const auto planned = planned_.find(api::storage_key(*proposal.kind, proposal.ns, proposal.name));
  if (planned == planned_.end()) return refuse(pending.waiter, std::move(error));
  deferred_.push_back({planned->second.index, pending.waiter, std::move(error)});
}

void Proposer::release_deferred(raft::Index applied) {
  for (; !deferred_.empty() && deferred_.front().index <= applied; deferred_.pop_front())
    refuse(deferred_.front().waiter, std::move(deferred_.front().error));
}

Result<> Proposer::check_room(Operation operation, size_t text_bytes) const {
  const size_t most = parts_.log.batch_bytes_max() - 2 * kRecordHeaderBytes - kKeyRoom;
  if (text_bytes > limits::kObjectBytesMax || text_bytes > most) {
    return fail(Code::kTooLarge,
                join({"the object is larger than ",
                      std::to_string(std::min(limits::kObjectBytesMax, most)), " bytes"}));
  }
  if (parts_.flusher.stuck()) return full_error();
  const uint64_t needed =
      parts_.appender->waiting_bytes() + record_bytes(text_bytes + kKeyRoom) + kLogReserve;
  if (parts_.flusher.full() && needed > parts_.log.room()) return full_error();
  if (operation == Operation::kDelete) return {};
  if (parts_.flusher.full()) return full_error();
  if (parts_.flusher.bytes_used() > limits::kDatabaseBytesMax) {
    return unavailable("the database is at its limit: only deletions are accepted",
                       kFullRetryAfter);
  }
  return {};
}

// Against the state that there will be when everything planned has been applied.
Result<> Proposer::check_expectation(const Mutation& mutation, raft::Index index) {
  if (bites(Tooth::kUncheckedApply)) return {};
  const auto planned = planned_.find(mutation.key);
  const std::string key(mutation.key);
  const uint64_t version =
      planned != planned_.end() ? planned->second.version : TRY(parts_.state.look_up(key));
  const bool pointless = mutation.operation == Operation::kDelete && version == 0;
  if (version == mutation.expected && !pointless) {
    const bool fresh = planned == planned_.end();
    undo_.emplace_back(key, fresh ? std::nullopt : std::optional(planned->second));
    planned_[key] = {mutation.operation == Operation::kPut ? index : 0, index};
    return {};
  }
  if (planned == planned_.end()) parts_.state.forget_lookup(key);
  if (mutation.expected == 0 && !pointless)
    return fail(Code::kAlreadyExists, "the object already exists");
  if (pointless && mutation.expected == 0) return fail(Code::kConflict, "there is no such object");
  return fail(Code::kConflict,
              "the object has been modified; please apply your changes to the latest version");
}

Result<Proposer::Admitted> Proposer::admit(Proposal& proposal, Stance stance, raft::Index index) {
  TRY(check_room(proposal.operation, proposal.text.size()));
  const std::string key = api::storage_key(*proposal.kind, proposal.ns, proposal.name);
  const Mutation mutation{proposal.operation, proposal.expected, key, proposal.text, next_};
  Admitted admitted;
  if (stance == Stance::kLeading) TRY(check_expectation(mutation, index));
  admitted.payload = raft::Payload(mutation.encode());
  if (proposal.operation == Operation::kDelete) return admitted;
  // Of a follower the index is not known yet: then the object only proves that it can be made.
  Result<api::ObjectRef> object = api::make_object(*proposal.kind, std::move(proposal.text), index);
  const bool named = object && (*object)->name() == proposal.name && (*object)->ns() == proposal.ns;
  if (named) {
    admitted.object = std::move(*object);
    return admitted;
  }
  if (stance == Stance::kLeading) undo_last();
  if (!object) return std::move(object).error();
  return fail(Code::kInternal, "the object's name differs from its key");
}

raft::Payload Proposer::admit_foreign(const raft::Payload& payload, raft::Index index) {
  const std::optional<Mutation> mutation = Mutation::decode(payload.view());
  ASSERT(mutation);
  Result<> allowed = check_room(mutation->operation, mutation->text.size());
  if (allowed) allowed = check_expectation(*mutation, index);
  if (allowed) return payload;
  return raft::Payload(Refusal{mutation->origin, std::move(allowed).error()}.encode());
}

api::ObjectRef Proposer::object_for(const Origin& origin) const {
  if (origin.member != next_.member) return {};
  const auto sent = sent_.find(origin.sequence);
  return sent == sent_.end() ? api::ObjectRef() : sent->second.object;
}

Waiter* Proposer::take_sent(const Origin& origin) {
  if (origin.member != next_.member) return nullptr;
  const auto sent = sent_.find(origin.sequence);
  if (sent == sent_.end()) return nullptr;
  Waiter* waiter = sent->second.waiter;
  sent_.erase(sent);
  return waiter;
}

void Proposer::applied(const Mutation& mutation, raft::Index index, Result<api::Change> outcome) {
  const auto planned = planned_.find(mutation.key);
  if (planned != planned_.end() && planned->second.index <= index) planned_.erase(planned);
  Waiter* waiter = take_sent(mutation.origin);
  if (waiter != nullptr) waiter->on_outcome(std::move(outcome));
  release_deferred(index);
}

void Proposer::refused(Refusal refusal) {
  refuse(take_sent(refusal.origin), std::move(refusal.error));
}

void Proposer::lost_leadership() {
  planned_.clear();
  for (Deferred& deferred : std::exchange(deferred_, {}))
    refuse(deferred.waiter, unavailable("the leader changed before the write was tried", 1));
  parts_.state.forget_lookups();
  std::vector<Pending> own;
  while (!queue_.empty()) {
    Pending pending = queue_.pop();
    if (pending.foreign.size() == 0) own.push_back(std::move(pending));
  }
  for (Pending& pending : own)
    queue_.push(std::move(pending));
}

void Proposer::new_term_applied(raft::Term term) {
  for (auto sent = sent_.begin(); sent != sent_.end();) {
    const auto next = std::next(sent);
    if (sent->second.term < term) {
      refuse(sent->second.waiter, unknown_outcome());
      sent_.erase(sent);
    }
    sent = next;
  }
}

void Proposer::reset() {
  lost_leadership();
  new_term_applied(UINT64_MAX);
}

void Proposer::undo_last() {
  if (undo_.empty()) return;
  auto& [key, before] = undo_.back();
  if (before) {
    planned_[key] = *before;
  } else {
    planned_.erase(key);
    parts_.state.forget_lookup(key);
  }
  undo_.pop_back();
}

// What was planned with it will not come. What is granted must be certain: whoever applies it may
// be unable to check it (state_machine.cc).
void Proposer::not_proposed() {
  while (!undo_.empty())
    undo_last();
  for (auto sent = sent_.lower_bound(formed_from_); sent != sent_.end(); sent = sent_.erase(sent))
    refuse(sent->second.waiter, unavailable("too many writes are uncommitted", 1));
}

void Proposer::expire(Mono now, Stance stance) {
  while (stance == Stance::kWaiting && !queue_.empty() &&
         queue_.front().arrived + kLeaderWait <= now) {
    refuse(queue_.pop().waiter, unavailable("there is no leader: no quorum of the servers", 1));
  }
  for (auto sent = sent_.begin(); sent != sent_.end();) {
    const auto next = std::next(sent);
    if (sent->second.at + kOutcomeWait <= now) {
      refuse(sent->second.waiter,
             fail(Code::kTimeout, "no quorum: it is unknown whether the write was stored"));
      sent_.erase(sent);
    }
    sent = next;
  }
}

void Proposer::end(const Error& queued, const Error& sent) {
  while (!queue_.empty())
    refuse(queue_.pop().waiter, Error(queued));
  for (Deferred& deferred : std::exchange(deferred_, {}))
    refuse(deferred.waiter, std::move(deferred.error));
  for (auto& [sequence, one] : sent_)
    refuse(one.waiter, Error(sent));
  sent_.clear();
}

}  // namespace coracle::store
