// SPDX-License-Identifier: GPL-2.0-or-later
// What the leader knows of one peer's log, and how fast it may send to it (etcd raft,
// tracker/progress.go).
//
// probe: where the logs meet is unknown; one message with entries, then wait for an answer or a
// heartbeat's. replicate: they meet at match; entries are streamed ahead of acknowledgements inside
// the window. snapshot: the peer needs entries that are gone; nothing is sent until it has caught
// up by other means. Invariants: match < next; entries in (match, next) are in flight.
#pragma once

#include <string>

#include "raft/inflights.h"

namespace coracle::raft {

struct Window {  // bounds of one peer's Inflights
  size_t messages_max = 256;
  uint64_t bytes_max = 0;  // 0: no bound
};

class Progress {
 public:
  enum class State : uint8_t { kProbe, kReplicate, kSnapshot };

  Progress(Index next_index, Window window)
      : next_(next_index),
        inflights_(window.messages_max, window.bytes_max) {}

  Index match() const { return match_; }
  Index next() const { return next_; }
  State state() const { return state_; }
  Index pending_snapshot() const { return pending_snapshot_; }
  const Inflights& inflights() const { return inflights_; }
  bool paused() const { return state_ == State::kSnapshot || flow_paused_; }
  bool can_bump_commit(Index commit) const {
    return commit > sent_commit_ && sent_commit_ + 1 < next_;
  }

  void become_probe();
  void become_replicate();
  void become_snapshot(Index index);
  void forget_snapshot() { pending_snapshot_ = 0; }  // it was not applied
  void pause() { flow_paused_ = true; }
  void resume() { flow_paused_ = false; }

  void sent_entries(size_t count, uint64_t bytes);
  void sent_commit(Index commit) { sent_commit_ = commit; }
  // An acknowledgement; false if it says nothing new.
  bool acknowledged(Index index);
  void free_window(Index index) { inflights_.free_up_to(index); }
  // A refusal of an append after `rejected`; false if it is an old one. `hint`: where the logs may
  // meet.
  bool refused(Index rejected, Index hint);
  std::string text() const;  // "StateProbe match=0 next=1 paused inactive"

  bool learner = false;
  bool recently_active = false;  // heard from since the last quorum check

 private:
  void enter(State state);

  Index match_ = 0;
  Index next_;
  Index sent_commit_ = 0;  // highest commit index sent, known to be useless above next - 1
  State state_ = State::kProbe;
  Index pending_snapshot_ = 0;
  bool flow_paused_ = false;
  Inflights inflights_;
};

}  // namespace coracle::raft
