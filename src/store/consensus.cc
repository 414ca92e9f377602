// SPDX-License-Identifier: GPL-2.0-or-later
// Turns, time, and what raft wants done.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "base/tooth.h"
#include "store/replicated_store.h"

namespace coracle::store {
namespace {

Error disk_failed() {
  Error error =
      fail(Code::kUnavailable, "the disk failed: the store is read-only until it restarts");
  error.retry_after_s = 10;
  return error;
}

}  // namespace

void ReplicatedStore::propose(Proposal proposal, Waiter& waiter) {
  Result<> taken;
  if (failed_) taken = disk_failed();
  if (removed_) taken = removal();
  if (closing_) taken = fail(Code::kUnavailable, "the store is closing");
  if (taken) taken = proposer_.propose(std::move(proposal), waiter);
  if (!taken) proposer_.refuse(&waiter, std::move(taken).error());
  parts_.clock.at_turn_end(*this);
}

bool ReplicatedStore::sole_voter() const {
  const raft::ConfState& now = roster_.configuration();
  return now.voters.size() == 1 && now.voters_outgoing.empty() &&
         now.voters.front() == parts_.identity.member;
}

bool ReplicatedStore::alone() const {
  return sole_voter() && roster_.members().size() == 1;
}

Stance ReplicatedStore::stance() const {
  if (stopped()) return Stance::kWaiting;
  const raft::Machine& machine = core_->machine();
  if (!leads()) return machine.leader() != raft::kNobody ? Stance::kFollowing : Stance::kWaiting;
  return last_applied_.term == machine.term() ? Stance::kLeading : Stance::kWaiting;
}

void ReplicatedStore::on_turn_end() {
  if (gone_) return;
  proposer_.deliver_refusals();
  desk_.deliver();
  if (removed_) {
    proposer_.end(removal(), fail(Code::kTimeout, removal().message));
    desk_.end(removal());
    reads_.end(removal());
  }
  if (!failed_) {
    take_early();
    propose_batch();
    ask_reads();
    pump();
    reads_.applied(bites(Tooth::kReadBeforeApplied) ? UINT64_MAX : state_.applied());
  }
  state_.deliver_changes();
  tell_standing();
  arm_tick();
  if (proposer_.has_refusals() || desk_.has_answers() || state_.has_fresh())
    parts_.clock.at_turn_end(*this);
}

void ReplicatedStore::on_alarm(port::Timer& timer) {
  if (&timer == tick_timer_.get()) on_tick();
  if (&timer == campaign_timer_.get()) replace_absent_leader();
  parts_.clock.at_turn_end(*this);
}

void ReplicatedStore::arm_tick() {
  if (alone() || stopped() || tick_timer_->armed()) return;
  tick_timer_->arm(parts_.clock.now() + parts_.options.timing.tick);
}

void ReplicatedStore::on_tick() {
  if (stopped()) return;
  const Mono now = parts_.clock.now();
  give({.kind = raft::Input::Kind::kTick});
  // A learner never campaigns, so raft does not tell it that the leader is gone.
  const uint32_t patience = 2 * parts_.options.timing.election_ticks;
  if (!leads() && core_->machine().leader() != raft::kNobody && ++silent_ticks_ > patience) {
    silent_ticks_ = 0;
    give({.kind = raft::Input::Kind::kForgetLeader});
  }
  proposer_.expire(now, stance());
  reads_.expire(now);
  desk_.expire(now);
  if (stance() != Stance::kLeading) return;
  promote_who_caught_up();
  hand_over_if_unfit();
}

void ReplicatedStore::propose_batch() {
  const Stance now = stance();
  const std::optional<Mono> due = proposer_.due(now);
  if (!closing_ && due && *due > parts_.clock.now()) {
    if (!lazy_timer_->armed()) lazy_timer_->arm(*due);
    return;
  }
  lazy_timer_->disarm();
  const raft::Machine& machine = core_->machine();
  proposer_.need_quorum(!sole_voter() && !bites(Tooth::kOldLeaderRefuses));
  std::vector<raft::Payload> batch =
      proposer_.form(now, machine.log().last_index() + 1, machine.term());
  if (batch.empty()) return;
  raft::Input input{.kind = raft::Input::Kind::kPropose};
  input.data = std::move(batch.front());
  input.more.assign(std::make_move_iterator(batch.begin() + 1),
                    std::make_move_iterator(batch.end()));
  const Result<> given = core_->give(std::move(input));
  if (!given) proposer_.not_proposed();
  if (!proposer_.idle()) parts_.clock.at_turn_end(*this);
}

void ReplicatedStore::ask_reads() {
  if (core_->machine().leader() == raft::kNobody) return;  // asked when there is one
  const std::optional<uint64_t> request = reads_.ask(parts_.clock.now());
  if (request) give({.kind = raft::Input::Kind::kRead, .request = *request});
}

// Free where nobody else can have acknowledged anything.
bool ReplicatedStore::confirm(ReadWaiter& waiter) {
  const bool up_to_date = state_.applied() >= core_->machine().log().committed();
  if (sole_voter() && (failed_ || (leads() && up_to_date))) return true;
  if (bites(Tooth::kStaleRead)) return true;
  reads_.add(waiter);
  parts_.clock.at_turn_end(*this);
  return false;
}

void ReplicatedStore::give(raft::Input input) {
  const raft::Input::Kind kind = input.kind;
  const raft::MessageType type = input.message.type;
  const Result<> given = core_->give(std::move(input));
  if (given || kind != raft::Input::Kind::kMessage) return;
  if (given.error().code != Code::kCorrupt) return;
  LOG(kError, "store: message refused", kv("error", given.error().message));
  // Only a heartbeat names a commit index that was acknowledged here.
  if (type == raft::MessageType::kHeartbeat) give_up(given.error().message);
}

void ReplicatedStore::pump() {
  if (pumping_ || stopped()) return;
  pumping_ = true;
  while (!stopped() && core_->has_effects())
    handle(core_->take_effects());
  pumping_ = false;
  if (!stopped()) appender_->start();
}

void ReplicatedStore::handle(raft::Effects effects) {
  if (effects.failure) {
    LOG(kError, "store: log not readable", kv("error", effects.failure->message));
    if (effects.failure->code == Code::kCorrupt && !starting_)
      give_up(join({"a committed entry cannot be read: ", effects.failure->message}));
  }
  if (effects.soft) handle_soft(*effects.soft);
  for (const raft::ReadState& read : effects.reads)
    reads_.answered(read);
  for (raft::Message& message : effects.messages)
    handle_message(std::move(message));
}

void ReplicatedStore::handle_soft(const raft::SoftState& soft) {
  if (soft.role != raft::Role::kLeader) proposer_.lost_leadership();
  silent_ticks_ = 0;
  reads_.ask_again();
  desk_.leader_is(soft.leader);
  parts_.clock.at_turn_end(*this);
}

void ReplicatedStore::handle_message(raft::Message message) {
  switch (message.type) {
    case raft::MessageType::kStorageAppend:
      return appender_->push(std::move(message));
    case raft::MessageType::kStorageApply:
      applying_.push_back(std::move(message));
      return apply_waiting();
    case raft::MessageType::kSnapshot:
      return send_snapshot(std::move(message));
    default:
      if (parts_.options.transport != nullptr) parts_.options.transport->send(std::move(message));
  }
}

void ReplicatedStore::respond(std::vector<raft::Message> responses) {
  for (raft::Message& message : responses) {
    if (message.to == parts_.identity.member) {
      give({.kind = raft::Input::Kind::kResponse, .message = std::move(message)});
    } else if (parts_.options.transport != nullptr) {
      parts_.options.transport->send(std::move(message));
    }
  }
}

void ReplicatedStore::on_stored(std::vector<raft::Message> responses) {
  if (stopped()) return;
  respond(std::move(responses));
  pump();
  parts_.clock.at_turn_end(*this);
}

// A member that has used a configuration must know it after a restart, or it could win an election
// by votes that no longer count: a change is applied only when it is durable that it is committed.
// And memory is bounded: what the state lane cannot keep up with waits.
bool ReplicatedStore::may_apply(const raft::Entry& entry) {
  if (flusher_.must_wait() && !flusher_.full()) return false;
  if (entry.type == raft::EntryType::kNormal || entry.index <= last_applied_.index) return true;
  if (parts_.log->end().commit >= entry.index || bites(Tooth::kChangeBeforeSure)) return true;
  if (commit_asked_ < entry.index) appender_->push_commit(commit_asked_ = entry.index);
  return false;
}

void ReplicatedStore::apply_waiting() {
  while (!applying_.empty() && !stopped()) {
    const raft::Message& message = applying_.front();
    for (; applied_in_first_ < message.entries.size(); ++applied_in_first_) {
      if (!may_apply(message.entries[applied_in_first_])) return;
      apply_entry(message.entries[applied_in_first_]);
      if (flusher_.over()) flusher_.consider();
    }
    std::vector<raft::Message> responses = message.responses;
    applying_.pop_front();
    applied_in_first_ = 0;
    flusher_.consider();
    release_log();
    parts_.clock.at_turn_end(*this);
    respond(std::move(responses));
  }
}

void ReplicatedStore::on_commit_stored() {
  if (stopped()) return;
  apply_waiting();
  pump();
  parts_.clock.at_turn_end(*this);
}

void ReplicatedStore::apply_entry(const raft::Entry& entry) {
  if (entry.index <= last_applied_.index) return;  // a snapshot was faster
  const bool new_term = entry.term > last_applied_.term;
  last_applied_ = {entry.term, entry.index};
  raft_log_.applied(last_applied_);
  if (entry.type == raft::EntryType::kNormal) {
    apply_normal(entry);
  } else {
    state_.skip(entry.index);
    apply_change(entry);
  }
  if (new_term && !starting_) proposer_.new_term_applied(entry.term);
}

void ReplicatedStore::apply_normal(const raft::Entry& entry) {
  const std::optional<Mutation> mutation = Mutation::decode(entry.data.view());
  if (mutation) {
    entries_++;
    Result<api::Change> outcome =
        state_.apply(*mutation, entry.index, proposer_.object_for(mutation->origin));
    const bool refused = !outcome && (outcome.error().code == Code::kConflict ||
                                      outcome.error().code == Code::kAlreadyExists);
    if (!outcome && !refused) {
      LOG(kError, "store: entry not applied", kv("index", entry.index),
          kv("error", outcome.error().message));
    }
    return proposer_.applied(*mutation, entry.index, std::move(outcome));
  }
  state_.skip(entry.index);
  if (entry.data.size() == 0) return;
  std::optional<Refusal> refusal = Refusal::decode(entry.data.view());
  if (!refusal) {
    LOG(kError, "store: entry of an unknown type", kv("index", entry.index));
  } else if (refusal->origin.member == parts_.identity.member) {
    desk_.answer(refusal->origin.sequence, Error(refusal->error));
    proposer_.refused(std::move(*refusal));
  }
}

// Entries stay in memory for members that are about to need them.
void ReplicatedStore::release_log() {
  raft::Index match = UINT64_MAX;
  if (leads()) {
    for (const auto& [id, progress] : core_->machine().tracker().progress) {
      if (id != parts_.identity.member && progress.recently_active)
        match = std::min(match, progress.match());
    }
  }
  raft_log_.release(last_applied_.index, match);
}

Applied ReplicatedStore::applied_now() {
  return {last_applied_, parts_.log->point_for(last_applied_.index), roster_.encode()};
}

// A ring that is full of what was never applied can only grow.
void ReplicatedStore::on_log_full() {
  flusher_.consider();
  const bool all_durable = flusher_.durable() >= last_applied_.index;
  if (!flusher_.busy() && !flusher_.full() && all_durable) appender_->grow();
}

void ReplicatedStore::on_flushed() {
  if (gone_) return;
  try_install();
  if (stopped()) return;
  apply_waiting();
  parts_.clock.at_turn_end(*this);
}

// After a failed write or sync nothing is acknowledged any more: what reached the disk is unknown,
// and trying again would prove nothing. The others go on without this member.
void ReplicatedStore::fail_for_good(const Error& error) {
  if (failed_) return;
  failed_ = true;
  if (gone_) return;
  LOG(kError, "store: disk failed, read-only until restart", kv("error", error.message));
  const Error unknown =
      fail(Code::kTimeout, "the disk failed: it is unknown whether the write was stored");
  proposer_.end(disk_failed(), unknown);
  desk_.end(unknown);
  if (!sole_voter()) reads_.end(disk_failed());
  parts_.clock.at_turn_end(*this);
}

}  // namespace coracle::store
