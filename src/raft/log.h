// SPDX-License-Identifier: GPL-2.0-or-later
// The log as the core sees it: what storage holds, with the unstable end on top, and how far it is
// committed and applied (etcd raft, log.go). Invariant: applied <= applying <= committed <= last
// index.
#pragma once

#include "raft/storage.h"
#include "raft/unstable.h"

namespace coracle::raft {

class Log {
 public:
  Log(const Storage& storage, uint64_t applying_bytes_max, Trace* trace);

  Index first_index() const;
  Index last_index() const;
  EntryId last() const;
  Index committed() const { return committed_; }
  Index applying() const { return applying_; }
  Index applied() const { return applied_; }
  uint64_t applying_bytes_max() const { return applying_bytes_max_; }
  const Unstable& unstable() const { return unstable_; }
  Unstable& unstable() { return unstable_; }

  std::optional<Term> term(Index index) const;  // none: compacted, or above the end
  Term term_or_zero(Index index) const { return term(index).value_or(0); }
  bool matches(EntryId id) const { return term(id.index) == id.term; }
  bool up_to_date(EntryId candidate) const;  // at least as much as this log
  // The highest position up to `index` that may agree with a log that has `term` there.
  EntryId possible_agreement(EntryId with) const;

  void append(std::span<const Entry> entries);  // a leader's own
  // A follower's: none if the entry before them is not ours; kCorrupt if they contradict what is
  // committed.
  Result<std::optional<Index>> append_after(EntryId previous,
                                            Index commit,
                                            std::span<const Entry> entries);
  void commit_to(Index index);
  bool maybe_commit(EntryId at);  // only entries of the current term are committed by counting
  void set_committed(Index index) { committed_ = index; }  // at start

  Result<std::vector<Entry>> entries(Index from, uint64_t bytes_max) const;
  Result<std::vector<Entry>> slice(Index low, Index high, uint64_t bytes_max) const;

  // What to apply next; unless allow_unstable, only what is durable here.
  bool has_next_committed(bool allow_unstable) const;
  Result<std::vector<Entry>> next_committed(bool allow_unstable) const;
  void accept_applying(Index index, uint64_t bytes, bool allow_unstable);
  void applied_to(Index index, uint64_t bytes);

  Result<Snapshot> snapshot() const;
  void restore(const Snapshot& snapshot);

 private:
  Index appliable(bool allow_unstable) const;
  // Index of the first entry that is not in this log as it stands; 0: all of them are.
  Index first_new(std::span<const Entry> entries) const;

  const Storage& storage_;
  Trace* trace_;
  Unstable unstable_;
  Index committed_;
  Index applying_;
  Index applied_;
  uint64_t applying_bytes_max_;
  uint64_t applying_bytes_ = 0;
  bool applying_paused_ = false;
};

}  // namespace coracle::raft
