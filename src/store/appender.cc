// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/appender.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/tooth.h"

namespace coracle::store {
namespace {

constexpr size_t kBatchBytes = 256 * 1024;  // a larger entry goes alone

}  // namespace

class Appender::AppendJob : public port::Job {
 public:
  AppendJob(Appender& owner, LogAppend append, std::vector<raft::Entry> entries)
      : owner_(owner),
        append_(std::move(append)),
        entries_(std::move(entries)) {}
  void run() override { result_ = append_.perform(); }
  void done() override { owner_.on_appended(append_, std::move(entries_), std::move(result_)); }

 private:
  Appender& owner_;
  LogAppend append_;
  std::vector<raft::Entry> entries_;  // the lane does not touch them
  Result<> result_;
};

class Appender::GrowJob : public port::Job {
 public:
  GrowJob(Appender& owner, LogGrowth growth) : owner_(owner), growth_(std::move(growth)) {}
  void run() override { result_ = growth_.perform(owner_.parts_.disk); }
  void done() override { owner_.on_grown(std::move(growth_), std::move(result_)); }

 private:
  Appender& owner_;
  LogGrowth growth_;
  Result<> result_;
};

Appender::Appender(const Parts& parts, AppendListener& listener)
    : parts_(parts),
      listener_(listener) {}

void Appender::push(raft::Message append) {
  for (const raft::Entry& entry : append.entries)
    waiting_bytes_ += record_bytes(entry.data.size());
  waiting_.push_back({std::move(append), 0, false, false});
}

void Appender::push_commit(raft::Index commit) {
  waiting_.push_back(
      {{.type = raft::MessageType::kStorageAppend, .commit = commit}, 0, false, true});
}

// Term and vote when they change; the commit index need not be durable, unless that is asked for.
void Appender::take_hard_state(const Waiting& waiting, Batch& batch) const {
  const raft::Message& message = waiting.message;
  const LogPoint& end = parts_.log.end();
  LogItem now{RecordType::kHardState, 0, end.term, end.vote, {}, end.commit};
  for (const LogItem& item : batch.items) {
    if (item.type == RecordType::kHardState) now = item;
  }
  const bool votes = !waiting.is_commit && (message.term != 0 || message.vote != 0);
  const bool same_vote = message.vote == now.vote || bites(Tooth::kVoteNotStored);
  const bool same = !votes || (message.term == now.term && same_vote);
  if (same && (!waiting.is_commit || message.commit <= now.commit)) return;
  if (!same) {
    now.term = message.term;
    now.vote = bites(Tooth::kVoteNotStored) ? raft::kNobody : message.vote;
  }
  if (waiting.is_commit) now.commit = message.commit;
  batch.items.push_back(now);
  batch.bytes += bytes_in_log(now);
}

// False: there is more of it than fits.
bool Appender::take(Waiting& waiting, Batch& batch) const {
  const size_t most = std::min(kBatchBytes, parts_.log.batch_bytes_max());
  if (batch.bytes + record_bytes(24) > most) return false;
  if (!waiting.hard_taken) take_hard_state(waiting, batch);
  waiting.hard_taken = true;
  if (!waiting.message.snapshot.empty()) return false;  // its entries come after it
  const std::vector<raft::Entry>& entries = waiting.message.entries;
  for (; waiting.written < entries.size(); ++waiting.written) {
    const raft::Entry& entry = entries[waiting.written];
    const bool change = entry.type != raft::EntryType::kNormal;
    const LogItem item{change ? RecordType::kChange : RecordType::kEntry,
                       entry.index,
                       entry.term,
                       0,
                       entry.data.view(),
                       0};
    const size_t bytes = bytes_in_log(item);
    if (!batch.items.empty() && batch.bytes + bytes > most) return false;
    batch.bytes += bytes;
    batch.items.push_back(item);
    batch.entries.push_back(entry);
  }
  return true;
}

// Those whose turn it is and of which nothing is left to be written. True: there is work.
bool Appender::deliver_done() {
  while (!waiting_.empty() && !busy_) {
    const Waiting& first = waiting_.front();
    Batch rest;
    if (!first.hard_taken) take_hard_state(first, rest);
    if (!rest.items.empty()) return true;
    if (!first.message.snapshot.empty()) {
      busy_ = true;
      listener_.on_install(first.message.snapshot);
      return false;
    }
    if (first.written < first.message.entries.size()) return true;
    std::vector<raft::Message> responses = std::move(waiting_.front().message.responses);
    const bool is_commit = waiting_.front().is_commit;
    waiting_.pop_front();
    if (is_commit) listener_.on_commit_stored();
    if (!responses.empty()) listener_.on_stored(std::move(responses));
  }
  return !busy_ && !waiting_.empty();
}

void Appender::install_ended() {
  busy_ = false;
  waiting_.front().message.snapshot = {};
  start();
}

void Appender::start() {
  if (busy_ || failed_ || !deliver_done()) return;
  // Nothing is taken note of before it is known that there is room.
  std::vector<std::pair<size_t, bool>> before;
  Batch batch;
  for (Waiting& waiting : waiting_) {
    before.emplace_back(waiting.written, waiting.hard_taken);
    if (!take(waiting, batch)) break;
  }
  ASSERT(!batch.items.empty());
  if (batch.bytes > parts_.log.batch_bytes_max()) {
    failed_ = true;
    return listener_.on_log_failed(
        fail(Code::kTooLarge, "an entry of another member does not fit into a log segment"));
  }
  std::optional<LogAppend> append = parts_.log.plan(batch.items);
  if (append) {
    busy_ = true;
    parts_.lane.submit(
        std::make_unique<AppendJob>(*this, std::move(*append), std::move(batch.entries)));
    return;
  }
  for (size_t i = 0; i < before.size(); ++i) {
    waiting_[i].written = before[i].first;
    waiting_[i].hard_taken = before[i].second;
  }
  listener_.on_log_full();
}

void Appender::on_appended(const LogAppend& append,
                           std::vector<raft::Entry> entries,
                           Result<> result) {
  busy_ = false;
  if (!result) {
    failed_ = true;
    return listener_.on_log_failed(std::move(result).error());
  }
  parts_.log.appended(append);
  parts_.raft_log.stored(entries);
  for (const raft::Entry& entry : entries)
    waiting_bytes_ -= record_bytes(entry.data.size());
  appends_++;
  start();
}

void Appender::grow() {
  if (busy_ || failed_) return;
  std::optional<LogGrowth> growth = parts_.log.plan_growth();
  if (!growth) return;
  LOG(kWarn, "store: log ring grows", kv("file", growth->path));
  busy_ = true;
  parts_.lane.submit(std::make_unique<GrowJob>(*this, std::move(*growth)));
}

void Appender::on_grown(LogGrowth growth, Result<> result) {
  busy_ = false;
  if (!result) {
    LOG(kError, "store: log ring did not grow", kv("error", result.error().message));
    return;
  }
  parts_.log.grown(std::move(growth));
  start();
}

}  // namespace coracle::store
