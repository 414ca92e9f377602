// SPDX-License-Identifier: GPL-2.0-or-later
// The durable log as raft reads it: terms, the newest entries in memory, older ones read back from
// the segments.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "raft/storage.h"
#include "store/applied.h"
#include "store/log.h"
#include "store/roster.h"

namespace coracle::store {

inline constexpr size_t kLogCacheBytesMax = 1024 * 1024;

class RaftLog final : public raft::Storage, private LogReader {
 public:
  explicit RaftLog(Log& log) : log_(log) {}

  // Reads what is behind the applied point.
  Result<> recover(const Applied& applied);

  void stored(std::span<const raft::Entry> entries);  // in the log, durable
  void jump(raft::EntryId to);                        // a snapshot took the place of all entries
  // Up to `applied` nothing is needed soon, up to `match` not even by the other members.
  void release(raft::Index applied, raft::Index match);
  // What a snapshot taken now would be.
  void configured(const Roster& roster);
  void applied(raft::EntryId last);
  void offer_snapshots(bool offer) { offers_ = offer; }
  size_t cached_bytes() const { return cached_bytes_; }
  bool damaged() const { return damaged_; }

  raft::HardState hard_state() const override;
  raft::ConfState conf_state() const override { return offer_.conf_state; }
  raft::Index first_index() const override;
  raft::Index last_index() const override { return log_last_; }
  std::optional<raft::Term> term(raft::Index index) const override;
  Result<std::vector<raft::Entry>> entries(raft::Index low,
                                           raft::Index high,
                                           uint64_t bytes_max) const override;
  Result<raft::Snapshot> snapshot() const override;

 private:
  struct Run {  // entries from `first` on have this term
    raft::Index first = 0;
    raft::Term term = 0;
  };
  Result<> on_entry(const LogItem& entry) override;
  void truncate(raft::Index from);
  void add_term(raft::Index index, raft::Term term);
  void drop_front();
  void forget_terms();

  Log& log_;
  raft::Snapshot offer_;
  bool offers_ = true;
  raft::Index log_last_ = 0;
  std::deque<Run> runs_;  // the first is that of the entry before the first one
  std::deque<raft::Entry> cache_;
  size_t cached_bytes_ = 0;
  mutable bool damaged_ = false;
};

}  // namespace coracle::store
