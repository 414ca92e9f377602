// SPDX-License-Identifier: GPL-2.0-or-later
// The window of append messages sent to one peer and not yet acknowledged, bounded in messages and
// in bytes. The byte bound may be passed by the one message that reaches it: a single large entry
// must still get through.
#pragma once

#include <cstddef>
#include <deque>

#include "raft/quorum.h"

namespace coracle::raft {

class Inflights {
 public:
  Inflights(size_t messages_max, uint64_t bytes_max)
      : messages_max_(messages_max),
        bytes_max_(bytes_max) {}

  void add(Index last, uint64_t bytes);  // last index the message carries; only when not full()
  void free_up_to(Index acknowledged);
  void reset();
  size_t count() const { return window_.size(); }
  bool full() const {
    return window_.size() >= messages_max_ || (bytes_max_ != 0 && bytes_ >= bytes_max_);
  }

 private:
  struct Sent {
    Index last;
    uint64_t bytes;
  };
  std::deque<Sent> window_;
  size_t messages_max_;
  uint64_t bytes_max_;  // 0: no bound
  uint64_t bytes_ = 0;
};

}  // namespace coracle::raft
