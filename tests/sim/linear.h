// SPDX-License-Identifier: GPL-2.0-or-later
// Is there an order of the operations on one key, each between its call and its answer, in which
// every answer is right? (Wing and Gong's search with Lowe's memory.) The key is a register that
// holds the id of the write that made its value, 0 if there is none; writes compare and swap.
#pragma once

#include <cstdint>
#include <vector>

namespace coracle::sim {

inline constexpr int64_t kNever = INT64_MAX;

struct Operation {
  enum class Kind : uint8_t { kRead, kSwap, kRefused };
  Kind kind = Kind::kRead;
  uint64_t expected = 0;  // kSwap: it held this; kRefused: it did not; kRead: it holds this
  uint64_t value = 0;     // kSwap: it holds this from now on
  int64_t called = 0;
  int64_t answered = kNever;  // kNever: nobody knows whether it happened
};

// False: there is none. Gives up, and says so by `tired`, after a bounded effort.
bool linearizable(std::vector<Operation> operations, bool& tired);

}  // namespace coracle::sim
