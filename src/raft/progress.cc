// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/progress.h"

#include <algorithm>

#include "base/assert.h"

namespace coracle::raft {

namespace {
constexpr const char* kStateNames[] = {"StateProbe", "StateReplicate", "StateSnapshot"};
}  // namespace

void Progress::enter(State state) {
  flow_paused_ = false;
  pending_snapshot_ = 0;
  state_ = state;
  inflights_.reset();
}

void Progress::become_probe() {
  // After a snapshot was delivered the peer is expected to hold everything up to it.
  Index known = state_ == State::kSnapshot ? std::max(match_, pending_snapshot_) : match_;
  enter(State::kProbe);
  next_ = known + 1;
  sent_commit_ = std::min(sent_commit_, next_ - 1);
}

void Progress::become_replicate() {
  enter(State::kReplicate);
  next_ = match_ + 1;
}

void Progress::become_snapshot(Index index) {
  enter(State::kSnapshot);
  pending_snapshot_ = index;
  next_ = index + 1;
  sent_commit_ = index;
}

void Progress::sent_entries(size_t count, uint64_t bytes) {
  ASSERT(state_ != State::kSnapshot);
  if (state_ == State::kProbe) {
    if (count > 0) flow_paused_ = true;
    return;
  }
  if (count > 0) {
    next_ += count;
    inflights_.add(next_ - 1, bytes);
  }
  // With a full window this message is itself a probe: the next waits for an answer or a
  // heartbeat's.
  flow_paused_ = inflights_.full();
}

bool Progress::acknowledged(Index index) {
  if (index <= match_) return false;
  match_ = index;
  next_ = std::max(next_, index + 1);
  flow_paused_ = false;
  return true;
}

bool Progress::refused(Index rejected, Index hint) {
  if (state_ == State::kReplicate) {
    if (rejected <= match_) return false;
    next_ = match_ + 1;
    sent_commit_ = std::min(sent_commit_, next_ - 1);
    return true;
  }
  // A peer that is not replicating has one append outstanding, just before next.
  if (next_ - 1 != rejected) return false;
  Index meeting = hint == kUnlimited ? hint : hint + 1;
  next_ = std::max(std::min(rejected, meeting), match_ + 1);
  sent_commit_ = std::min(sent_commit_, next_ - 1);
  flow_paused_ = false;
  return true;
}

std::string Progress::text() const {
  std::string text = kStateNames[static_cast<size_t>(state_)];
  text += " match=" + std::to_string(match_) + " next=" + std::to_string(next_);
  if (learner) text += " learner";
  if (paused()) text += " paused";
  if (pending_snapshot_ > 0) text += " pendingSnap=" + std::to_string(pending_snapshot_);
  if (!recently_active) text += " inactive";
  if (inflights_.count() > 0) {
    text += " inflight=" + std::to_string(inflights_.count());
    if (inflights_.full()) text += "[full]";
  }
  return text;
}

}  // namespace coracle::raft
