// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/log.h"

#include <algorithm>

namespace coracle::raft {

Log::Log(const Storage& storage, uint64_t applying_bytes_max, Trace* trace)
    : storage_(storage),
      trace_(trace),
      unstable_(storage.last_index() + 1, trace),
      committed_(storage.first_index() - 1),
      applying_(committed_),
      applied_(committed_),
      applying_bytes_max_(applying_bytes_max) {}

Index Log::first_index() const {
  const Snapshot& snapshot = unstable_.snapshot();
  return snapshot.empty() ? storage_.first_index() : snapshot.index + 1;
}

Index Log::last_index() const {
  std::optional<Index> last = unstable_.last_index();
  return last ? *last : storage_.last_index();
}

EntryId Log::last() const {
  Index index = last_index();
  return {term_or_zero(index), index};
}

std::optional<Term> Log::term(Index index) const {
  if (std::optional<Term> term = unstable_.term(index)) return term;
  // The entry before the first is gone, but its term is kept for appends that follow it.
  if (index + 1 < first_index() || index > last_index()) return std::nullopt;
  return storage_.term(index);
}

bool Log::up_to_date(EntryId candidate) const {
  EntryId own = last();
  return candidate.term > own.term || (candidate.term == own.term && candidate.index >= own.index);
}

EntryId Log::possible_agreement(EntryId with) const {
  for (Index index = with.index; index > 0; index--) {
    std::optional<Term> own = term(index);
    if (!own) return {0, index};
    if (*own <= with.term) return {*own, index};
  }
  return {};
}

void Log::append(std::span<const Entry> entries) {
  if (entries.empty()) return;
  ASSERT(entries.front().index > committed_);
  unstable_.append(entries);
}

Result<std::optional<Index>> Log::append_after(EntryId previous,
                                               Index commit,
                                               std::span<const Entry> entries) {
  if (!matches(previous)) return std::optional<Index>();
  Index last_new = previous.index + entries.size();
  if (Index from = first_new(entries)) {
    if (from <= committed_) {
      return fail(Code::kCorrupt, "raft: append contradicts a committed entry");
    }
    append(entries.subspan(static_cast<size_t>(from - previous.index - 1)));
  }
  commit_to(std::min(commit, last_new));
  return std::optional<Index>(last_new);
}

Index Log::first_new(std::span<const Entry> entries) const {
  for (const Entry& entry : entries) {
    if (matches({entry.term, entry.index})) continue;
    if (trace_ && entry.index <= last_index()) {
      trace_->note({.fact = Fact::kConflict,
                    .peer = entry.index,
                    .first = term_or_zero(entry.index),
                    .second = entry.term});
    }
    return entry.index;
  }
  return 0;
}

void Log::commit_to(Index index) {
  if (index <= committed_) return;
  ASSERT(index <= last_index());
  committed_ = index;
}

bool Log::maybe_commit(EntryId at) {
  if (at.index <= committed_ || at.term == 0 || !matches(at)) return false;
  commit_to(at.index);
  return true;
}

Result<std::vector<Entry>> Log::entries(Index from, uint64_t bytes_max) const {
  Index last = last_index();
  if (from > last) return std::vector<Entry>();
  return slice(from, last + 1, bytes_max);
}

Result<std::vector<Entry>> Log::slice(Index low, Index high, uint64_t bytes_max) const {
  ASSERT(low <= high && high <= last_index() + 1);
  if (low < first_index()) return fail(Code::kExpired, "raft: entries were compacted away");
  std::vector<Entry> entries;
  if (low == high) return entries;
  Index offset = unstable_.offset();
  if (low < offset) {
    Index stored = std::min(high, offset);
    entries = TRY(storage_.entries(low, stored, bytes_max));
    if (entries.size() < stored - low) return entries;
  }
  if (high > offset) {
    Index from = std::max(low, offset);
    std::span<const Entry> held = unstable_.entries();
    held = held.subspan(static_cast<size_t>(from - offset), static_cast<size_t>(high - from));
    entries.insert(entries.end(), held.begin(), held.end());
  }
  limit_size(entries, bytes_max);
  return entries;
}

void limit_size(std::vector<Entry>& entries, uint64_t bytes_max) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < entries.size(); i++) {
    bytes += encoded_size({&entries[i], 1});
    if (i > 0 && bytes > bytes_max) return entries.resize(i);
  }
}

Index Log::appliable(bool allow_unstable) const {
  return allow_unstable ? committed_ : std::min(committed_, unstable_.offset() - 1);
}

// A snapshot is applied before any entry.
bool Log::has_next_committed(bool allow_unstable) const {
  return !applying_paused_ && unstable_.snapshot().empty() && applying_ < appliable(allow_unstable);
}

Result<std::vector<Entry>> Log::next_committed(bool allow_unstable) const {
  if (!has_next_committed(allow_unstable)) return std::vector<Entry>();
  return slice(applying_ + 1, appliable(allow_unstable) + 1, applying_bytes_max_ - applying_bytes_);
}

void Log::accept_applying(Index index, uint64_t bytes, bool allow_unstable) {
  ASSERT(index <= committed_);
  applying_ = index;
  applying_bytes_ += bytes;
  // Fewer than there are: the next one would not have fitted.
  applying_paused_ = applying_bytes_ >= applying_bytes_max_ || index < appliable(allow_unstable);
}

void Log::applied_to(Index index, uint64_t bytes) {
  ASSERT(applied_ <= index && index <= committed_);
  applied_ = index;
  applying_ = std::max(applying_, index);
  applying_bytes_ -= std::min(applying_bytes_, bytes);
  applying_paused_ = applying_bytes_ >= applying_bytes_max_;
}

Result<Snapshot> Log::snapshot() const {
  if (!unstable_.snapshot().empty()) return unstable_.snapshot();
  return storage_.snapshot();
}

void Log::restore(const Snapshot& snapshot) {
  if (trace_) {
    Message message;
    message.snapshot = snapshot;
    trace_->note({.fact = Fact::kRestoreStarted, .log = this, .message = &message});
  }
  committed_ = snapshot.index;
  unstable_.restore(snapshot);
}

}  // namespace coracle::raft
