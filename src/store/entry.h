// SPDX-License-Identifier: GPL-2.0-or-later
// The payload of a log entry: one mutation of one object, or the refusal of one that was asked for
// by another member; and who waits for the outcome.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/store.h"

namespace coracle::store {

// Whose proposal it is: sequence is a number of that member's own, never used twice.
struct Origin {
  raft::NodeId member = raft::kNobody;
  uint64_t sequence = 0;
};

// Views into the payload or into whoever proposes it.
struct Mutation {
  Operation operation = Operation::kPut;
  uint64_t expected = 0;
  std::string_view key;
  std::string_view text;  // kPut
  Origin origin = {};

  size_t encoded_bytes() const;
  std::string encode() const;
  static std::optional<Mutation> decode(std::string_view payload);
};

// Tells the proposer, through the log, that the leader did not take its proposal.
struct Refusal {
  Origin origin;
  Error error;

  std::string encode() const;
  static std::optional<Refusal> decode(std::string_view payload);
};

}  // namespace coracle::store
