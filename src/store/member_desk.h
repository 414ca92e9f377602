// SPDX-License-Identifier: GPL-2.0-or-later
// Requests to change the membership: who waits for which, and what the cluster looks like.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/time.h"
#include "store/membership.h"
#include "store/roster.h"

namespace coracle::store {

class MemberDesk {
 public:
  // A request goes into the log under its sequence number.
  void wait(uint64_t sequence, MembershipWaiter& waiter, Mono now);
  void wait_for_leader(raft::NodeId leader, MembershipWaiter& waiter, Mono now);
  void forget(MembershipWaiter& waiter);

  // Outcomes are kept until they are delivered: waiters may ask again from inside.
  void answer(uint64_t sequence, Result<> outcome);
  void refuse(MembershipWaiter& waiter, Error error);
  void leader_is(raft::NodeId leader);
  void expire(Mono now);
  void end(const Error& error);
  bool has_answers() const { return !answers_.empty(); }
  void deliver();

  void listen(StandingListener& listener) { listeners_.push_back(&listener); }
  void unlisten(StandingListener& listener);
  void tell_listeners();

 private:
  struct Waiting {
    MembershipWaiter* waiter = nullptr;
    raft::NodeId leader = raft::kNobody;  // a transfer: waits for it to lead
    Mono since;
  };
  struct Answer {
    MembershipWaiter* waiter = nullptr;
    Result<> outcome;
  };
  std::map<uint64_t, Waiting> waiting_;  // transfers from the top of the numbers
  uint64_t next_transfer_ = UINT64_MAX;
  std::vector<Answer> answers_;
  std::vector<StandingListener*> listeners_;
};

}  // namespace coracle::store
