// SPDX-License-Identifier: GPL-2.0-or-later
// The end of the log that is not known to be durable: entries, or a snapshot, to be written or
// being written (etcd raft, log_unstable.go). Entry i has index offset + i. An offset at or below
// the durable end means that the next write replaces what is there.
#pragma once

#include <optional>

#include "raft/trace.h"

namespace coracle::raft {

class Unstable {
 public:
  Unstable(Index offset, Trace* trace) : offset_(offset), in_progress_(offset), trace_(trace) {}

  Index offset() const { return offset_; }
  Index in_progress() const { return in_progress_; }  // below it, writing has begun
  const std::vector<Entry>& entries() const { return entries_; }
  const Snapshot& snapshot() const { return snapshot_; }
  std::optional<Index> last_index() const;
  std::optional<Term> term(Index index) const;

  std::span<const Entry> next_entries() const;  // not yet being written
  bool has_next_snapshot() const { return !snapshot_.empty() && !snapshot_in_progress_; }
  void accept();  // everything is being written now

  void stored(EntryId last);  // durable up to here, if that is still what we hold
  void stored_snapshot(Index index);
  void restore(const Snapshot& snapshot);
  void append(std::span<const Entry> entries);  // replaces from the first one's index on

 private:
  void note(Fact fact, Index index, EntryId stored = {}) const;

  Snapshot snapshot_;
  bool snapshot_in_progress_ = false;
  std::vector<Entry> entries_;
  Index offset_;
  Index in_progress_;
  Trace* trace_;
};

}  // namespace coracle::raft
