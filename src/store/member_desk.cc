// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/member_desk.h"

#include <algorithm>
#include <utility>

namespace coracle::store {
namespace {

constexpr Duration kWait = seconds(10);
constexpr Duration kTransferWait = seconds(4);  // raft gives up after one election timeout

Error too_late(bool transfer) {
  if (!transfer)
    return fail(Code::kTimeout, "no quorum: it is unknown whether the change will be made");
  return fail(Code::kTimeout,
              "the other member did not take over; `coracle member list` shows "
              "who is silent or behind");
}

}  // namespace

void MemberDesk::wait(uint64_t sequence, MembershipWaiter& waiter, Mono now) {
  waiting_[sequence] = {&waiter, raft::kNobody, now};
}

void MemberDesk::wait_for_leader(raft::NodeId leader, MembershipWaiter& waiter, Mono now) {
  waiting_[next_transfer_--] = {&waiter, leader, now};
}

void MemberDesk::forget(MembershipWaiter& waiter) {
  std::erase_if(waiting_, [&](const auto& one) { return one.second.waiter == &waiter; });
  for (Answer& answer : answers_) {
    if (answer.waiter == &waiter) answer.waiter = nullptr;
  }
}

void MemberDesk::answer(uint64_t sequence, Result<> outcome) {
  const auto found = waiting_.find(sequence);
  if (found == waiting_.end()) return;
  answers_.push_back({found->second.waiter, std::move(outcome)});
  waiting_.erase(found);
}

void MemberDesk::refuse(MembershipWaiter& waiter, Error error) {
  answers_.push_back({&waiter, std::move(error)});
}

void MemberDesk::leader_is(raft::NodeId leader) {
  for (auto one = waiting_.begin(); one != waiting_.end();) {
    const auto next = std::next(one);
    if (leader != raft::kNobody && one->second.leader == leader) answer(one->first, {});
    one = next;
  }
}

void MemberDesk::expire(Mono now) {
  for (auto one = waiting_.begin(); one != waiting_.end();) {
    const auto next = std::next(one);
    const bool transfer = one->second.leader != raft::kNobody;
    if (one->second.since + (transfer ? kTransferWait : kWait) <= now)
      answer(one->first, too_late(transfer));
    one = next;
  }
}

void MemberDesk::end(const Error& error) {
  while (!waiting_.empty())
    answer(waiting_.begin()->first, Error(error));
}

void MemberDesk::deliver() {
  for (size_t i = 0; i < answers_.size(); ++i) {
    MembershipWaiter* waiter = std::exchange(answers_[i].waiter, nullptr);
    Result<> outcome = std::move(answers_[i].outcome);
    if (waiter != nullptr) waiter->on_membership(std::move(outcome));
  }
  answers_.clear();
}

void MemberDesk::unlisten(StandingListener& listener) {
  for (StandingListener*& one : listeners_) {
    if (one == &listener) one = nullptr;
  }
}

void MemberDesk::tell_listeners() {
  for (size_t i = 0; i < listeners_.size(); ++i) {
    if (listeners_[i] != nullptr) listeners_[i]->on_standing();
  }
  std::erase(listeners_, nullptr);
}

}  // namespace coracle::store
