// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/read_gate.h"

#include <algorithm>
#include <utility>

namespace coracle::store {
namespace {

constexpr Duration kReadWait = seconds(5);
constexpr Duration kAskAgain = milliseconds(1000);

}  // namespace

void ReadGate::add(ReadWaiter& waiter) {
  fresh_.push_back({&waiter, {}});
  readers_++;
}

void ReadGate::forget(ReadWaiter& waiter) {
  const auto drop = [&waiter](std::vector<Waiting>& readers) {
    for (Waiting& reader : readers) {
      if (reader.waiter == &waiter) reader.waiter = nullptr;
    }
  };
  drop(fresh_);
  drop(delivering_);
  for (Round& round : rounds_)
    drop(round.readers);
}

std::optional<uint64_t> ReadGate::ask(Mono now) {
  if (fresh_.empty()) return std::nullopt;
  for (Waiting& reader : fresh_) {
    if (reader.since == Mono{}) reader.since = now;
  }
  rounds_.push_back({next_, 0, false, now, std::exchange(fresh_, {})});
  return next_++;
}

void ReadGate::ask_again() {
  for (Round& round : rounds_) {
    if (round.answered) continue;
    fresh_.insert(fresh_.end(), round.readers.begin(), round.readers.end());
    round.readers.clear();
  }
  std::erase_if(rounds_, [](const Round& round) { return round.readers.empty(); });
}

void ReadGate::answered(const raft::ReadState& state) {
  for (Round& round : rounds_) {
    if (round.answered || round.request > state.request) continue;
    round.answered = true;
    round.index = state.index;
  }
}

void ReadGate::finish(Round round, const std::optional<Error>& error) {
  readers_ -= round.readers.size();
  delivering_ = std::move(round.readers);
  for (size_t i = 0; i < delivering_.size(); ++i) {
    ReadWaiter* waiter = std::exchange(delivering_[i].waiter, nullptr);
    if (waiter == nullptr) continue;
    waiter->on_confirmed(error ? Result<>(Error(*error)) : Result<>());
  }
  delivering_.clear();
}

void ReadGate::applied(raft::Index index) {
  for (;;) {
    const auto ready = std::find_if(rounds_.begin(), rounds_.end(), [index](const Round& round) {
      return round.answered && round.index <= index;
    });
    if (ready == rounds_.end()) return;
    Round round = std::move(*ready);
    rounds_.erase(ready);
    finish(std::move(round), std::nullopt);
  }
}

void ReadGate::expire(Mono now) {
  const bool slow = std::any_of(rounds_.begin(), rounds_.end(), [now](const Round& round) {
    return !round.answered && round.asked + kAskAgain <= now;
  });
  if (slow) ask_again();
  Error error = fail(Code::kUnavailable, "there is no leader: no quorum of the servers");
  error.retry_after_s = 1;
  Round late;
  const auto split = [&](std::vector<Waiting>& readers) {
    for (const Waiting& reader : readers) {
      if (reader.since != Mono{} && reader.since + kReadWait <= now) late.readers.push_back(reader);
    }
    std::erase_if(readers, [now](const Waiting& reader) {
      return reader.since != Mono{} && reader.since + kReadWait <= now;
    });
  };
  split(fresh_);
  for (Round& round : rounds_)
    split(round.readers);
  if (!late.readers.empty()) finish(std::move(late), error);
}

void ReadGate::end(const Error& error) {
  ask_again();
  Round all;
  all.readers = std::exchange(fresh_, {});
  for (Round& round : std::exchange(rounds_, {}))
    all.readers.insert(all.readers.end(), round.readers.begin(), round.readers.end());
  if (!all.readers.empty()) finish(std::move(all), error);
}

}  // namespace coracle::store
