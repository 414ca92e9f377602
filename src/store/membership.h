// SPDX-License-Identifier: GPL-2.0-or-later
// Who keeps the replicated store, and how that changes. Every member answers questions from what it
// has applied; changes are carried to the leader, one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "raft/message.h"

namespace coracle::store {

enum class MemberRole : uint8_t { kLearner, kVoter };

// As replicated: every member knows all of them. Ids are never used twice.
struct Member {
  raft::NodeId id = raft::kNobody;
  std::string name;                    // of its Node
  std::vector<std::string> addresses;  // "192.0.2.7:6444", for peers
  std::string api_address;             // "192.0.2.7:6443", for agents and people; may be empty
  MemberRole role = MemberRole::kLearner;
  bool wants_vote = false;  // a learner that is promoted by itself once it has caught up
  friend bool operator==(const Member&, const Member&) = default;
};

struct Standing {
  raft::NodeId self = raft::kNobody;
  raft::NodeId leader = raft::kNobody;  // kNobody: no quorum, or not known yet
  raft::Term term = 0;
  bool leading = false;  // and this term has committed something: reactors may run
  bool damaged = false;  // it gave up: to be opened again, and to come back as a new member
  uint64_t commit = 0;
  uint64_t applied = 0;
  bool removed = false;  // it is no member any more: nothing is served
  struct Lag {
    raft::NodeId id = raft::kNobody;
    uint64_t match = 0;   // known to be on its disk
    bool active = false;  // heard of within an election timeout
  };
  std::vector<Lag> members;  // only where it leads
};

class MembershipWaiter {
 public:
  // Exactly once. kUnavailable: no leader or a change is under way (retry); kNotFound; kConflict:
  // the id or name is taken, or it is the last voter; kTimeout: outcome unknown.
  virtual void on_membership(Result<> outcome) = 0;

 protected:
  ~MembershipWaiter() = default;
};

class StandingListener {
 public:
  virtual void on_standing() = 0;  // leader, leading, term or the members changed

 protected:
  ~StandingListener() = default;
};

class Membership {
 public:
  virtual uint64_t cluster() const = 0;  // id of the cluster, made at its first start
  virtual const std::vector<Member>& members() const = 0;
  virtual Standing standing() const = 0;
  virtual void listen(StandingListener& listener) = 0;
  virtual void unlisten(StandingListener& listener) = 0;

  // Adds a learner with a fresh id (0) or replaces addresses of a known one. The fresh id is found
  // by name in members() once the outcome is good. kConflict: somebody else was faster, or the name
  // is taken.
  virtual void put_member(Member member, MembershipWaiter& waiter) = 0;
  virtual void promote(raft::NodeId id, MembershipWaiter& waiter) = 0;
  virtual void remove(raft::NodeId id, MembershipWaiter& waiter) = 0;
  virtual void transfer(raft::NodeId to, MembershipWaiter& waiter) = 0;
  virtual void forget(MembershipWaiter& waiter) = 0;

 protected:
  ~Membership() = default;
};

}  // namespace coracle::store
