// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/raft/memory_storage.h"

namespace coracle::raft {

std::optional<Term> MemoryStorage::term(Index index) const {
  if (index == base_.index) return base_.term;
  if (index < base_.index || index > last_index()) return std::nullopt;
  return entries_[index - base_.index - 1].term;
}

Result<std::vector<Entry>> MemoryStorage::entries(Index low, Index high, uint64_t bytes_max) const {
  if (low <= base_.index) return fail(Code::kExpired, "compacted");
  ASSERT(low <= high && high <= last_index() + 1);
  auto at = entries_.begin() - static_cast<std::ptrdiff_t>(base_.index + 1);
  std::vector<Entry> some(at + static_cast<std::ptrdiff_t>(low),
                          at + static_cast<std::ptrdiff_t>(high));
  limit_size(some, bytes_max);
  return some;
}

Result<Snapshot> MemoryStorage::snapshot() const {
  if (snapshot_.empty()) return fail(Code::kUnavailable, "no snapshot");
  return snapshot_;
}

void MemoryStorage::append(std::span<const Entry> entries) {
  while (!entries.empty() && entries.front().index <= base_.index)
    entries = entries.subspan(1);
  if (entries.empty()) return;
  ASSERT(entries.front().index <= last_index() + 1);
  entries_.resize(entries.front().index - base_.index - 1);
  entries_.insert(entries_.end(), entries.begin(), entries.end());
}

void MemoryStorage::apply(const Snapshot& snapshot) {
  base_ = {snapshot.term, snapshot.index};
  entries_.clear();
  conf_state_ = snapshot.conf_state;
  snapshot_ = snapshot;
}

void MemoryStorage::compact(Index index) {
  ASSERT(index > base_.index && index <= last_index());
  Term at = *term(index);
  entries_.erase(entries_.begin(),
                 entries_.begin() + static_cast<std::ptrdiff_t>(index - base_.index));
  base_ = {at, index};
}

}  // namespace coracle::raft
