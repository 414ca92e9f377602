// SPDX-License-Identifier: GPL-2.0-or-later
// From proposals to log entries, and from applied entries back to those who wait. The leader checks
// what it can before anything reaches the log; the last word is said when an entry is applied.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "port/clock.h"
#include "store/appender.h"
#include "store/entry.h"
#include "store/flusher.h"
#include "store/queue.h"
#include "store/state_machine.h"

namespace coracle::store {

// Where this member's proposals go.
enum class Stance : uint8_t {
  kWaiting,    // no leader, or one that does not know yet what was committed before it
  kFollowing,  // to another member
  kLeading,
};

class Proposer {
 public:
  struct Parts {
    port::Clock& clock;
    StateMachine& state;
    Flusher& flusher;
    Log& log;
    const std::optional<Appender>& appender;
  };
  Proposer(const Parts& parts, Origin first) : parts_(parts), next_(first) {}

  // The only error is a refusal: the caller delivers it.
  Result<> propose(Proposal proposal, Waiter& waiter);
  void take_foreign(raft::Payload mutation);
  void forget(Waiter& waiter);
  void refuse(Waiter* waiter, Error error);
  bool has_refusals() const { return !refusals_.empty(); }
  void deliver_refusals();

  // Entries for what may wait no longer, the first with this index if this member leads.
  std::vector<raft::Payload> form(Stance stance, raft::Index first_index, raft::Term term);
  bool idle() const { return queue_.empty(); }
  // When form() has something to do though nothing happens; nothing: not at all.
  std::optional<Mono> due(Stance stance) const;

  // An entry is being applied: what its proposer made of it, and then what became of it.
  api::ObjectRef object_for(const Origin& origin) const;
  void applied(const Mutation& mutation, raft::Index index, Result<api::Change> outcome);
  void refused(Refusal refusal);

  void lost_leadership();                  // what was planned may never come
  void new_term_applied(raft::Term term);  // proposals of older terms have come, or are lost
  void reset();                            // the state was replaced
  void not_proposed();                     // raft refused what was formed last
  // Others might lead without our knowing: what the state says against a proposal must be proved by
  // the log, too.
  void need_quorum(bool needed) { quorum_needed_ = needed; }
  void expire(Mono now, Stance stance);
  void end(const Error& queued, const Error& sent);  // nothing is taken any more
  // A number of its own for any other request.
  Origin fresh_origin() { return {next_.member, next_.sequence++}; }
  uint64_t in_flight() const { return sent_.size(); }

 private:
  struct Sent {
    Waiter* waiter = nullptr;
    api::ObjectRef object;
    raft::Term term = 0;
    Mono at;
  };
  struct Planned {
    uint64_t version = 0;  // 0: deleted
    raft::Index index = 0;
  };
  // A proposal as an entry.
  struct Admitted {
    raft::Payload payload;
    api::ObjectRef object;
  };
  // A refusal because of an entry that is not applied yet: told when that is sure.
  struct Deferred {
    raft::Index index = 0;
    Waiter* waiter = nullptr;
    Error error;
  };
  void refuse_in_time(const Pending& pending, Error error);
  void release_deferred(raft::Index applied);
  bool has_room(const Pending& pending, Stance stance) const;
  Result<> check_room(Operation operation, size_t text_bytes) const;
  Result<> check_expectation(const Mutation& mutation, raft::Index index);
  Result<Admitted> admit(Proposal& proposal, Stance stance, raft::Index index);
  raft::Payload admit_foreign(const raft::Payload& payload, raft::Index index);
  Waiter* take_sent(const Origin& origin);
  void undo_last();

  Parts parts_;
  Origin next_;
  bool quorum_needed_ = false;
  uint64_t formed_from_ = 0;  // sequence of the first one formed last
  ProposalQueue queue_;
  std::vector<std::pair<Waiter*, Error>> refusals_;
  std::deque<Deferred> deferred_;  // by index
  std::map<uint64_t, Sent> sent_;  // by sequence
  std::map<std::string, Planned, std::less<>> planned_;
  std::vector<std::pair<std::string, std::optional<Planned>>> undo_;  // of what was formed last
};

}  // namespace coracle::store
