// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/linear.h"

#include <algorithm>
#include <set>
#include <utility>

namespace coracle::sim {
namespace {

constexpr uint64_t kEffortMax = 2'000'000;

class Search {
 public:
  explicit Search(std::vector<Operation> operations) : operations_(std::move(operations)) {
    std::sort(operations_.begin(), operations_.end(),
              [](const Operation& a, const Operation& b) { return a.called < b.called; });
    done_.assign(operations_.size(), false);
    for (const Operation& operation : operations_)
      certain_ += operation.answered != kNever ? 1 : 0;
  }
  bool run(bool& tired) {
    const bool found = go(0, 0, 0);
    tired = effort_ > kEffortMax;
    return found || tired;
  }

 private:
  static bool step(const Operation& operation, uint64_t& state) {
    if (operation.kind == Operation::Kind::kRefused) return state != operation.expected;
    if (state != operation.expected) return false;
    if (operation.kind == Operation::Kind::kSwap) state = operation.value;
    return true;
  }
  // `first`: all before it are done.
  bool go(size_t first, uint64_t state, size_t certain_done) {
    if (certain_done == certain_) return true;
    if (++effort_ > kEffortMax) return false;
    while (first < operations_.size() && done_[first])
      first++;
    if (!seen_.insert({state, done_}).second) return false;
    int64_t limit = kNever;  // nothing called after the earliest answer may come next
    for (size_t i = first; i < operations_.size() && operations_[i].called <= limit; ++i) {
      if (!done_[i]) limit = std::min(limit, operations_[i].answered);
    }
    for (size_t i = first; i < operations_.size() && operations_[i].called <= limit; ++i) {
      uint64_t next = state;
      if (done_[i] || !step(operations_[i], next)) continue;
      const size_t sure = operations_[i].answered != kNever ? 1 : 0;
      done_[i] = true;
      if (go(first, next, certain_done + sure)) return true;
      done_[i] = false;
    }
    return false;
  }

  std::vector<Operation> operations_;
  std::vector<bool> done_;
  size_t certain_ = 0;
  uint64_t effort_ = 0;
  std::set<std::pair<uint64_t, std::vector<bool>>> seen_;
};

}  // namespace

bool linearizable(std::vector<Operation> operations, bool& tired) {
  return Search(std::move(operations)).run(tired);
}

}  // namespace coracle::sim
