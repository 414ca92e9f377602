// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/inflights.h"

#include "base/assert.h"

namespace coracle::raft {

void Inflights::add(Index last, uint64_t bytes) {
  ASSERT(!full());
  window_.push_back({last, bytes});
  bytes_ += bytes;
}

void Inflights::free_up_to(Index acknowledged) {
  while (!window_.empty() && window_.front().last <= acknowledged) {
    bytes_ -= window_.front().bytes;
    window_.pop_front();
  }
}

void Inflights::reset() {
  window_.clear();
  bytes_ = 0;
}

}  // namespace coracle::raft
