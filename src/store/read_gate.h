// SPDX-License-Identifier: GPL-2.0-or-later
// Reads that want to miss nothing. All that come within a turn share one question to the leader;
// they are let through once everything is applied that was committed when it was answered.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"
#include "raft/message.h"
#include "store/store.h"

namespace coracle::store {

inline constexpr size_t kReadersMax = 4096;

class ReadGate {
 public:
  explicit ReadGate(uint64_t first_request) : next_(first_request) {}

  bool full() const { return readers_ >= kReadersMax; }
  void add(ReadWaiter& waiter);
  void forget(ReadWaiter& waiter);
  // The number of the question to ask now, if there is one.
  std::optional<uint64_t> ask(Mono now);
  void ask_again();  // of a new leader, or because the answer may have got lost
  // A later question is as good as an earlier one.
  void answered(const raft::ReadState& state);
  // Lets through whom it can. They may ask again from inside.
  void applied(raft::Index index);
  void expire(Mono now);
  void end(const Error& error);  // nobody will be let through any more
  bool idle() const { return readers_ == 0; }

 private:
  struct Waiting {
    ReadWaiter* waiter = nullptr;
    Mono since;  // the first question
  };
  struct Round {
    uint64_t request = 0;  // 0: to be asked
    raft::Index index = 0;
    bool answered = false;
    Mono asked;
    std::vector<Waiting> readers;
  };
  void finish(Round round, const std::optional<Error>& error);

  uint64_t next_;
  size_t readers_ = 0;
  std::vector<Waiting> fresh_;
  std::deque<Round> rounds_;
  std::vector<Waiting> delivering_;
};

}  // namespace coracle::store
