// SPDX-License-Identifier: GPL-2.0-or-later
// Proposals to log batches.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "store/local_store.h"

namespace coracle::store {
namespace {

constexpr size_t kBatchBytes = 256 * 1024;  // a larger proposal goes alone
constexpr uint32_t kFullRetryAfter = 10;

Error unavailable(std::string message, uint32_t retry_after_s) {
  Error error = fail(Code::kUnavailable, std::move(message));
  error.retry_after_s = retry_after_s;
  return error;
}

Error full_error() {
  return unavailable("the disk is full: only deletions are accepted", kFullRetryAfter);
}
Error failed_error() {
  return unavailable("the disk failed: the store is read-only until it restarts", 10);
}

}  // namespace

class LocalStore::AppendJob : public port::Job {
 public:
  AppendJob(LocalStore& store, LogAppend append) : store_(store), append_(std::move(append)) {}
  void run() override { result_ = append_.perform(); }
  void done() override { store_.on_appended(std::move(append_), std::move(result_)); }

 private:
  LocalStore& store_;
  LogAppend append_;
  Result<> result_;
};

void LocalStore::propose(Proposal proposal, Waiter& waiter) {
  if (failed_) return refuse(&waiter, failed_error());
  if (closing_) return refuse(&waiter, unavailable("the store is closing", 1));
  if (queue_.full()) {
    Error error = fail(Code::kTooManyRequests, "too many writes are waiting");
    error.retry_after_s = 1;
    return refuse(&waiter, std::move(error));
  }
  queue_.push({std::move(proposal), &waiter, parts_.clock.now()});
  parts_.clock.at_turn_end(*this);
}

void LocalStore::forget(Waiter& waiter) {
  queue_.forget(waiter);
  for (auto& [refused, error] : refusals_) {
    if (refused == &waiter) refused = nullptr;
  }
  for (Planned& planned : batch_) {
    if (planned.waiter == &waiter) planned.waiter = nullptr;
  }
}

void LocalStore::refuse(Waiter* waiter, Error error) {
  refusals_.emplace_back(waiter, std::move(error));
  parts_.clock.at_turn_end(*this);
}

// A waiter may propose or forget from inside its outcome.
void LocalStore::deliver_refusals() {
  for (size_t i = 0; i < refusals_.size(); ++i) {
    Waiter* waiter = std::exchange(refusals_[i].first, nullptr);
    Error error = std::move(refusals_[i].second);
    if (waiter != nullptr) waiter->on_outcome(std::move(error));
  }
  refusals_.clear();
}

void LocalStore::on_turn_end() {
  deliver_refusals();
  deliver_changes();
  start_batch();
}

void LocalStore::on_alarm(port::Timer&) {
  start_batch();
}

void LocalStore::on_flushed() {
  if (!gone_) parts_.clock.at_turn_end(*this);
}

void LocalStore::start_batch() {
  if (appending_ || gone_ || failed_) return;
  if (batch_.empty()) {
    if (queue_.empty() || (flusher_.must_wait() && !flusher_.full())) return;
    if (!closing_ && queue_.due() > parts_.clock.now()) {
      if (!lazy_timer_->armed()) lazy_timer_->arm(queue_.due());
      return;
    }
    lazy_timer_->disarm();
    form_batch();
  }
  if (!batch_.empty()) send_batch();
}

void LocalStore::form_batch() {
  size_t bytes = 0;
  while (!queue_.empty() && batch_.size() < limits::kMemtableRowsMax) {
    const size_t size = record_bytes(queue_.front().proposal.text.size() + 512);
    if (bytes > 0 && bytes + size > std::min(kBatchBytes, parts_.log->batch_bytes_max())) break;
    Pending pending = queue_.pop();
    Result<Planned> planned = admit(pending.proposal);
    if (!planned) {
      refuse(pending.waiter, std::move(planned).error());
      continue;
    }
    bytes += size;
    planned->waiter = pending.waiter;
    batch_.push_back(std::move(*planned));
  }
  if (batch_.empty()) looked_up_.clear();
}

Result<> LocalStore::check_room(const Proposal& proposal) const {
  const Mutation sized{proposal.operation, 0, {}, proposal.text};
  constexpr size_t kKeyRoom = 1024;
  const size_t room = parts_.log->batch_bytes_max() - 2 * kRecordHeaderBytes - kKeyRoom;
  if (proposal.text.size() > limits::kObjectBytesMax || sized.encoded_bytes() > room) {
    return fail(Code::kTooLarge,
                join({"the object is larger than ",
                      std::to_string(std::min(limits::kObjectBytesMax, room)), " bytes"}));
  }
  if (flusher_.stuck()) return full_error();
  if (proposal.operation == Operation::kDelete) return {};
  if (flusher_.full()) return full_error();
  if (flusher_.bytes_used() > limits::kDatabaseBytesMax) {
    return unavailable("the database is at its limit: only deletions are accepted",
                       kFullRetryAfter);
  }
  return {};
}

// The version that `key` will have when what is in the batch has been applied; 0: no object.
Result<uint64_t> LocalStore::expected_version(const std::string& key) {
  const auto planned = planned_versions_.find(key);
  if (planned != planned_versions_.end()) return planned->second;
  std::optional<Stored> stored = TRY(view_.find(key));
  const uint64_t version = stored ? stored->object->version() : 0;
  looked_up_.emplace(key, std::move(stored));
  return version;
}

Result<LocalStore::Planned> LocalStore::admit(Proposal& proposal) {
  TRY(check_room(proposal));
  Planned planned;
  planned.operation = proposal.operation;
  planned.expected = proposal.expected;
  planned.key = api::storage_key(*proposal.kind, proposal.ns, proposal.name);
  const uint64_t version = TRY(expected_version(planned.key));
  if (version != proposal.expected) {
    if (proposal.expected == 0) return fail(Code::kAlreadyExists, "the object already exists");
    return fail(Code::kConflict,
                "the object has been modified; please apply your changes to the latest version");
  }
  const uint64_t index = parts_.log->end().next_index + batch_.size();
  if (proposal.operation == Operation::kPut) {
    planned.object = TRY(api::make_object(*proposal.kind, std::move(proposal.text), index));
    if (planned.object->name() != proposal.name || planned.object->ns() != proposal.ns) {
      return fail(Code::kInternal, "the object's name differs from its key");
    }
  } else if (version == 0) {
    return fail(Code::kConflict, "there is no such object");
  }
  planned_versions_[planned.key] = proposal.operation == Operation::kPut ? index : 0;
  return planned;
}

// Without a free segment the batch waits until the flusher has made one.
void LocalStore::send_batch() {
  std::vector<LogItem> items;
  items.reserve(batch_.size());
  for (const Planned& planned : batch_) {
    const std::string_view text = planned.object ? planned.object->text() : std::string_view();
    const Mutation mutation{planned.operation, planned.expected, planned.key, text};
    items.push_back({RecordType::kEntry, mutation.encode()});
  }
  std::optional<LogAppend> append = parts_.log->plan(items);
  if (append) {
    appending_ = true;
    parts_.log_lane.submit(std::make_unique<AppendJob>(*this, std::move(*append)));
    return;
  }
  flusher_.consider();
  if (!flusher_.full()) return;
  for (Planned& planned : batch_)
    refuse(planned.waiter, full_error());
  batch_.clear();
  planned_versions_.clear();
  looked_up_.clear();
}

void LocalStore::on_appended(LogAppend append, Result<> result) {
  appending_ = false;
  if (!result) return fail_for_good(result.error());
  const uint64_t first = parts_.log->end().next_index;
  parts_.log->appended(std::move(append));
  appends_++;
  entries_ += batch_.size();
  std::vector<Result<api::Change>> outcomes;
  outcomes.reserve(batch_.size());
  for (size_t i = 0; i < batch_.size(); ++i) {
    Planned& planned = batch_[i];
    const std::string_view text = planned.object ? planned.object->text() : std::string_view();
    const Mutation mutation{planned.operation, planned.expected, planned.key, text};
    outcomes.push_back(apply(mutation, first + i, planned.object));
  }
  planned_versions_.clear();
  looked_up_.clear();
  if (gone_) return;
  for (size_t i = 0; i < batch_.size(); ++i) {
    Waiter* waiter = std::exchange(batch_[i].waiter, nullptr);
    if (waiter != nullptr) waiter->on_outcome(std::move(outcomes[i]));
  }
  batch_.clear();
  flusher_.consider();
  parts_.clock.at_turn_end(*this);
}

// After a failed write or sync nothing is acknowledged any more: what reached the disk is unknown,
// and trying again would prove nothing.
void LocalStore::fail_for_good(const Error& error) {
  if (failed_) return;
  failed_ = true;
  if (gone_) return;
  LOG(kError, "store: disk failed, read-only until restart", kv("error", error.message));
  for (Planned& planned : batch_) {
    refuse(planned.waiter,
           fail(Code::kTimeout, "the disk failed: it is unknown whether the write was stored"));
  }
  batch_.clear();
  while (!queue_.empty())
    refuse(queue_.pop().waiter, failed_error());
}

}  // namespace coracle::store
