// SPDX-License-Identifier: GPL-2.0-or-later
// What the core reads of its own durable log. Writes never go this way: they are effects.
#pragma once

#include <optional>

#include "raft/message.h"

namespace coracle::raft {

class Storage {
 public:
  virtual ~Storage() = default;
  virtual HardState hard_state() const = 0;  // as it was at start
  virtual ConfState conf_state() const = 0;
  virtual Index first_index() const = 0;  // one above the snapshot or what was compacted away
  virtual Index last_index() const = 0;
  // Known for [first - 1, last].
  virtual std::optional<Term> term(Index index) const = 0;
  // Entries of [low, high), as many as fit into bytes_max but at least one. kExpired: compacted
  // away.
  virtual Result<std::vector<Entry>> entries(Index low, Index high, uint64_t bytes_max) const = 0;
  // kUnavailable: not now, ask again.
  virtual Result<Snapshot> snapshot() const = 0;
};

// Cuts `entries` to what fits into bytes_max, keeping at least one.
void limit_size(std::vector<Entry>& entries, uint64_t bytes_max);

}  // namespace coracle::raft
