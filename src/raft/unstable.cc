// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/unstable.h"

#include <algorithm>

namespace coracle::raft {

std::optional<Index> Unstable::last_index() const {
  if (!entries_.empty()) return offset_ + entries_.size() - 1;
  if (!snapshot_.empty()) return snapshot_.index;
  return std::nullopt;
}

std::optional<Term> Unstable::term(Index index) const {
  if (index < offset_) {
    if (!snapshot_.empty() && snapshot_.index == index) return snapshot_.term;
    return std::nullopt;
  }
  if (index - offset_ >= entries_.size()) return std::nullopt;
  return entries_[static_cast<size_t>(index - offset_)].term;
}

std::span<const Entry> Unstable::next_entries() const {
  return std::span(entries_).subspan(static_cast<size_t>(in_progress_ - offset_));
}

void Unstable::accept() {
  in_progress_ = offset_ + entries_.size();
  snapshot_in_progress_ = !snapshot_.empty();
}

void Unstable::stored(EntryId last) {
  std::optional<Term> held = term(last.index);
  if (!held) return note(Fact::kStoredUnknown, last.index);
  if (last.index < offset_) return note(Fact::kStoredSnapshot, last.index);
  if (*held != last.term) return note(Fact::kStoredMismatch, *held, last);
  auto count = static_cast<std::ptrdiff_t>(last.index + 1 - offset_);
  entries_.erase(entries_.begin(), entries_.begin() + count);
  if (entries_.empty()) entries_.shrink_to_fit();
  offset_ = last.index + 1;
  in_progress_ = std::max(in_progress_, offset_);
}

void Unstable::stored_snapshot(Index index) {
  if (snapshot_.empty() || snapshot_.index != index) return;
  snapshot_ = {};
  snapshot_in_progress_ = false;
}

void Unstable::restore(const Snapshot& snapshot) {
  offset_ = snapshot.index + 1;
  in_progress_ = offset_;
  entries_.clear();
  snapshot_ = snapshot;
  snapshot_in_progress_ = false;
}

void Unstable::append(std::span<const Entry> entries) {
  Index from = entries.front().index;
  if (from <= offset_ && from != offset_ + entries_.size()) {
    note(Fact::kUnstableReplaced, from);
    entries_.clear();
    offset_ = from;
    in_progress_ = from;
  } else if (from < offset_ + entries_.size()) {
    note(Fact::kUnstableTruncated, from);
    entries_.resize(static_cast<size_t>(from - offset_));
    in_progress_ = std::min(in_progress_, from);
  }
  ASSERT(from == offset_ + entries_.size());
  entries_.insert(entries_.end(), entries.begin(), entries.end());
}

void Unstable::note(Fact fact, Index index, EntryId stored) const {
  if (!trace_) return;
  Message message;
  message.index = stored.index;
  message.log_term = stored.term;
  trace_->note({.fact = fact, .message = &message, .first = index});
}

}  // namespace coracle::raft
