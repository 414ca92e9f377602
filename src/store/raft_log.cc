// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/raft_log.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/tooth.h"

namespace coracle::store {
namespace {

raft::Entry entry_of(const LogItem& item) {
  const bool change = item.type == RecordType::kChange;
  return {item.term, item.index, change ? raft::EntryType::kConfChangeV2 : raft::EntryType::kNormal,
          raft::Payload(item.payload)};
}

size_t weight(const raft::Entry& entry) {
  return entry.data.size() + sizeof(raft::Entry);
}

// Entries read back, until they are more than was asked for.
struct Collected : LogReader {
  Result<> on_entry(const LogItem& item) override {
    const raft::Entry entry = entry_of(item);
    bytes += raft::encoded_size({&entry, 1});
    full = !entries.empty() && bytes > bytes_max;
    if (full) return fail(Code::kTooLarge, "enough");
    entries.push_back(entry);
    return {};
  }
  std::vector<raft::Entry> entries;
  uint64_t bytes = 0;
  uint64_t bytes_max = 0;
  bool full = false;
};

}  // namespace

Result<> RaftLog::recover(const Applied& applied) {
  jump(applied.last);
  TRY(log_.recover(applied.point, *this));
  if (log_last_ < applied.last.index) {
    return fail(Code::kCorrupt,
                "the log is damaged: it ends before the state; acknowledged writes would be lost, "
                "so it is left as it is");
  }
  return {};
}

// Entries at and before the applied one may come up, too: only their place is of use.
Result<> RaftLog::on_entry(const LogItem& item) {
  if (item.index <= runs_.front().first) {
    truncate(runs_.front().first + 1);
    return {};
  }
  if (bites(Tooth::kSuffixNotCut) && item.index <= log_last_) return {};
  const raft::Entry entry = entry_of(item);
  stored({&entry, 1});
  drop_front();
  return {};
}

void RaftLog::stored(std::span<const raft::Entry> entries) {
  for (const raft::Entry& entry : entries) {
    truncate(entry.index);
    add_term(entry.index, entry.term);
    cached_bytes_ += weight(entry);
    cache_.push_back(entry);
    log_last_ = entry.index;
  }
}

void RaftLog::truncate(raft::Index from) {
  while (!cache_.empty() && cache_.back().index >= from) {
    cached_bytes_ -= weight(cache_.back());
    cache_.pop_back();
  }
  while (runs_.size() > 1 && runs_.back().first >= from)
    runs_.pop_back();
  log_last_ = std::min(log_last_, from - 1);
}

void RaftLog::add_term(raft::Index index, raft::Term term) {
  if (runs_.back().term != term) runs_.push_back({index, term});
}

void RaftLog::jump(raft::EntryId to) {
  cache_.clear();
  cached_bytes_ = 0;
  runs_.assign(1, {to.index, to.term});
  log_last_ = to.index;
}

void RaftLog::drop_front() {
  while (cached_bytes_ > kLogCacheBytesMax) {
    cached_bytes_ -= weight(cache_.front());
    cache_.pop_front();
  }
}

void RaftLog::release(raft::Index applied, raft::Index match) {
  const raft::Index unneeded = std::min(applied, match);
  while (!cache_.empty() &&
         (cache_.front().index <= unneeded ||
          (cached_bytes_ > kLogCacheBytesMax && cache_.front().index <= applied))) {
    cached_bytes_ -= weight(cache_.front());
    cache_.pop_front();
  }
  forget_terms();
}

// The term before the first entry stays known.
void RaftLog::forget_terms() {
  const raft::Index before_first = first_index() - 1;
  while (runs_.size() > 1 && runs_[1].first <= before_first)
    runs_.pop_front();
  runs_.front().first = std::max(runs_.front().first, before_first);
}

raft::HardState RaftLog::hard_state() const {
  return {log_.end().term, log_.end().vote, log_.end().commit};
}

raft::Index RaftLog::first_index() const {
  return std::max(runs_.front().first + 1, log_.first_index());
}

std::optional<raft::Term> RaftLog::term(raft::Index index) const {
  if (index < runs_.front().first || index > log_last_) return std::nullopt;
  const auto behind =
      std::upper_bound(runs_.begin(), runs_.end(), index,
                       [](raft::Index at, const Run& run) { return at < run.first; });
  return std::prev(behind)->term;
}

Result<std::vector<raft::Entry>> RaftLog::entries(raft::Index low,
                                                  raft::Index high,
                                                  uint64_t bytes_max) const {
  if (low < first_index()) return fail(Code::kExpired, "entries were recycled");
  Collected collected;
  collected.bytes_max = bytes_max;
  const raft::Index cached = cache_.empty() ? log_last_ + 1 : cache_.front().index;
  if (low < cached) {
    const Result<> read = log_.read(low, std::min(high, cached), collected);
    if (!read && !collected.full) {
      damaged_ = damaged_ || read.error().code == Code::kCorrupt;
      LOG(kError, "store: log not readable", kv("error", read.error().message));
      return fail(read.error().code, read.error().message);
    }
    if (collected.full) return std::move(collected.entries);
  }
  for (raft::Index index = std::max(low, cached); index < high; ++index) {
    const raft::Entry& entry = cache_[static_cast<size_t>(index - cached)];
    collected.bytes += raft::encoded_size({&entry, 1});
    if (!collected.entries.empty() && collected.bytes > bytes_max) break;
    collected.entries.push_back(entry);
  }
  return std::move(collected.entries);
}

Result<raft::Snapshot> RaftLog::snapshot() const {
  if (offer_.empty() || !offers_) return fail(Code::kUnavailable, "no snapshot now");
  return offer_;
}

void RaftLog::configured(const Roster& roster) {
  offer_.conf_state = roster.configuration();
  offer_.data = raft::Payload(roster.encode());
}

void RaftLog::applied(raft::EntryId last) {
  offer_.index = last.index;
  offer_.term = last.term;
}

}  // namespace coracle::store
