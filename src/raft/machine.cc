// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/machine.h"

#include <algorithm>

#include "base/tooth.h"

namespace coracle::raft {

Machine::Machine(const Options& options, const Storage& storage, Trace* trace)
    : options_(options),
      trace_(trace),
      log_(storage,
           options.applying_bytes_max ? options.applying_bytes_max : options.message_bytes_max,
           trace),
      random_(options.seed * 0x9e3779b97f4a7c15 + options.id) {
  tracker_.window = options.window;
}

Result<> Machine::start(const Storage& storage) {
  switch_to(TRY(restore_membership(storage.conf_state(), options_.window, log_.last_index())));
  HardState hard = storage.hard_state();
  if (!hard.empty()) {
    if (hard.commit > log_.last_index()) {
      return fail(Code::kCorrupt, "raft: commit index is outside of the stored log");
    }
    // The commit index may have become durable late, after compaction at an applied one.
    log_.set_committed(std::max(log_.committed(), hard.commit));
    term_ = hard.term;
    vote_ = hard.vote;
  }
  if (options_.applied > 0) {
    // What was applied was committed, whether or not the commit index became durable.
    if (options_.applied < log_.applied() || options_.applied > log_.last_index()) {
      return fail(Code::kCorrupt, "raft: applied index is outside of the stored log");
    }
    log_.set_committed(std::max(log_.committed(), options_.applied));
    log_.applied_to(options_.applied, 0);
  }
  become_follower(term_, kNobody);
  note({.fact = Fact::kStarted});
  return {};
}

void Machine::tick() {
  if (role_ == Role::kLeader) {
    tick_leader();
  } else {
    tick_election();
  }
}

void Machine::tick_election() {
  election_elapsed_++;
  if (!promotable() || election_elapsed_ < election_timeout_) return;
  election_elapsed_ = 0;
  hup(options_.pre_vote ? Campaign::kPreElection : Campaign::kElection);
}

void Machine::tick_leader() {
  heartbeat_elapsed_++;
  election_elapsed_++;
  if (election_elapsed_ >= options_.election_ticks) {
    election_elapsed_ = 0;
    if (options_.check_quorum) check_quorum();
    // A transfer that took this long has failed: lead on.
    if (role_ == Role::kLeader && transferee_ != kNobody) {
      transferee_ = kNobody;
      leave_joint_if_due();
    }
  }
  if (role_ != Role::kLeader || heartbeat_elapsed_ < options_.heartbeat_ticks) return;
  heartbeat_elapsed_ = 0;
  broadcast_heartbeat();
}

void Machine::reset(Term term) {
  if (term_ != term) {
    term_ = term;
    vote_ = kNobody;
  }
  leader_ = kNobody;
  election_elapsed_ = 0;
  heartbeat_elapsed_ = 0;
  draw_election_timeout();
  transferee_ = kNobody;
  tracker_.votes.clear();
  Index last = log_.last_index();
  for (auto& [id, member] : tracker_.progress) {
    Progress fresh(last + 1, options_.window);
    fresh.learner = member.learner;
    if (id == options_.id) fresh.acknowledged(last);
    member = std::move(fresh);
  }
  pending_change_ = 0;
  uncommitted_bytes_ = 0;
  read_queue_ = {};
  postponed_reads_.clear();
}

void Machine::become_follower(Term term, NodeId leader) {
  reset(term);
  leader_ = leader;
  role_ = Role::kFollower;
  note({.fact = Fact::kBecameFollower});
}

// Neither term nor vote change: a pre-vote only asks.
void Machine::become_pre_candidate() {
  ASSERT(role_ != Role::kLeader);
  tracker_.votes.clear();
  leader_ = kNobody;
  role_ = Role::kPreCandidate;
  note({.fact = Fact::kBecamePreCandidate});
}

void Machine::become_candidate() {
  ASSERT(role_ != Role::kLeader);
  reset(term_ + 1);
  vote_ = options_.id;
  role_ = Role::kCandidate;
  note({.fact = Fact::kBecameCandidate});
}

void Machine::become_leader() {
  ASSERT(role_ != Role::kFollower);
  reset(term_);
  leader_ = options_.id;
  role_ = Role::kLeader;
  Progress* self = tracker_.find(options_.id);
  ASSERT(self);
  self->become_replicate();
  self->recently_active = true;
  // There may be a change in the part of the log that is not applied yet; assume there is.
  pending_change_ = log_.last_index();
  // The empty entry lets everything before it be committed by counting in this term.
  bool accepted = append({Entry{}});
  ASSERT(accepted);
  note({.fact = Fact::kBecameLeader});
}

// splitmix64: enough to keep members from campaigning in step.
void Machine::draw_election_timeout() {
  random_ += 0x9e3779b97f4a7c15;
  uint64_t mixed = (random_ ^ (random_ >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  uint32_t extra = static_cast<uint32_t>(mixed % options_.election_ticks);
  election_timeout_ = options_.election_ticks + extra;
}

// Answers that vote or acknowledge wait until what they promise is durable, refusals too: they may
// rest on state that is still being written.
void Machine::send(Message message) {
  if (message.from == kNobody) message.from = options_.id;
  bool votes = message.type == MessageType::kVote || message.type == MessageType::kVoteReply ||
               message.type == MessageType::kPreVote || message.type == MessageType::kPreVoteReply;
  ASSERT(votes == (message.term != 0));
  bool forwarded = message.type == MessageType::kPropose || message.type == MessageType::kReadIndex;
  if (!votes && !forwarded) message.term = term_;
  bool promises = message.type == MessageType::kAppendReply ||
                  message.type == MessageType::kVoteReply ||
                  message.type == MessageType::kPreVoteReply;
  if (bites(Tooth::kPromisedBeforeDurable) && message.to != options_.id) promises = false;
  if (promises) {
    after_append_.push_back(std::move(message));
  } else {
    ASSERT(message.to != options_.id);
    messages_.push_back(std::move(message));
  }
}

bool Machine::promotable() const {
  const Progress* self = tracker_.find(options_.id);
  return self && !self->learner && log_.unstable().snapshot().empty();
}

void Machine::note(Note note) const {
  if (!trace_) return;
  note.machine = this;
  trace_->note(note);
}

void Machine::note_message(Fact fact, const Message& message) const {
  note({.fact = fact, .message = &message, .peer = message.from});
}

}  // namespace coracle::raft
