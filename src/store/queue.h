// SPDX-License-Identifier: GPL-2.0-or-later
// Proposals that wait for the log, in order. Lazy ones may wait a while for company; a proposal
// that may not takes all before it along.
#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "base/time.h"
#include "raft/payload.h"
#include "store/store.h"

namespace coracle::store {

struct Pending {
  Proposal proposal;         // of this member
  raft::Payload foreign;     // or, on the leader, of another one: the encoded mutation
  Waiter* waiter = nullptr;  // null: forgotten, or foreign
  Mono arrived;
  bool lazy = false;

  size_t bytes() const { return foreign.size() + proposal.text.size(); }
};

class ProposalQueue {
 public:
  bool full() const { return pending_.size() >= limits::kProposalsMax; }
  bool empty() const { return pending_.empty(); }
  const Pending& front() const { return pending_.front(); }

  void push(Pending pending) {
    urgent_ += pending.lazy ? 0 : 1;
    pending_.push_back(std::move(pending));
  }
  Pending pop() {
    Pending first = std::move(pending_.front());
    pending_.pop_front();
    urgent_ -= first.lazy ? 0 : 1;
    return first;
  }
  void forget(const Waiter& waiter) {
    for (Pending& pending : pending_) {
      if (pending.waiter == &waiter) pending.waiter = nullptr;
    }
  }
  // When the first batch may wait no longer.
  Mono due() const {
    return urgent_ > 0 ? Mono{0} : pending_.front().arrived + limits::kLazyWriteDelayMax;
  }

 private:
  std::deque<Pending> pending_;
  size_t urgent_ = 0;
};

}  // namespace coracle::store
