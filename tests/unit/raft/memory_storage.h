// SPDX-License-Identifier: GPL-2.0-or-later
// A durable log in memory, as strict as a disk: what is appended replaces the end, what is
// compacted is gone.
#pragma once

#include "raft/storage.h"

namespace coracle::raft {

class MemoryStorage final : public Storage {
 public:
  HardState hard_state() const override { return hard_; }
  ConfState conf_state() const override { return conf_state_; }
  Index first_index() const override { return base_.index + 1; }
  Index last_index() const override { return base_.index + entries_.size(); }
  std::optional<Term> term(Index index) const override;
  Result<std::vector<Entry>> entries(Index low, Index high, uint64_t bytes_max) const override;
  Result<Snapshot> snapshot() const override;

  void set_hard_state(const HardState& hard) { hard_ = hard; }
  void set_conf_state(const ConfState& state) { conf_state_ = state; }
  void append(std::span<const Entry> entries);
  void apply(const Snapshot& snapshot);
  void compact(Index index);  // index becomes the one before the first
  void serve(const Snapshot& snapshot) { snapshot_ = snapshot; }

 private:
  HardState hard_;
  ConfState conf_state_;
  Snapshot snapshot_;
  EntryId base_;
  std::vector<Entry> entries_;
};

}  // namespace coracle::raft
