// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/flusher.h"

#include <utility>

#include "base/log.h"

namespace coracle::store {
namespace {

constexpr Duration kCheckpointRetry = milliseconds(10);
constexpr size_t kStuckFactor = 4;
// Leases and Events may stay in memory longer than limits::kMemtableAgeMax: the log has them, and
// an idle node would otherwise write its Lease a second time every minute.
constexpr Duration kLazyAgeMax = minutes(10);

Result<> write_rows(Writer& writer, const Generation& generation) {
  for (const auto& [key, row] : generation.rows) {
    if (!row.stored.object) {
      TRY(writer.remove(key));
      continue;
    }
    RowFields fields;
    fields.key = key;
    fields.value = row.stored.object->text();
    fields.create_rev = row.stored.create_rev;
    fields.mod_rev = row.mod_rev;
    fields.revisions = row.stored.revisions;
    fields.flags = row.has_owners ? kHasOwners : 0u;
    TRY(writer.put(fields));
  }
  return {};
}

Result<> write_transaction(Writer& writer, const Generation& generation, const LogPoint& applied) {
  TRY(writer.begin());
  TRY(write_rows(writer, generation));
  return writer.commit(applied);
}

}  // namespace

FlushOutcome flush(Writer& writer,
                   const Generation* generation,
                   const LogPoint& applied,
                   bool checkpoint) {
  FlushOutcome outcome;
  if (generation != nullptr) {
    outcome.result = write_transaction(writer, *generation, applied);
    if (!outcome.result) {
      writer.roll_back();
      return outcome;
    }
  }
  outcome.committed = true;
  if (checkpoint || writer.wal_pages() >= kCheckpointPages) {
    Result<bool> complete = writer.checkpoint();
    if (!complete) outcome.result = std::move(complete).error();
    outcome.checkpointed = complete && *complete;
  }
  writer.release_memory();
  return outcome;
}

// Holds what it writes; the loop leaves the generation alone meanwhile.
class Flusher::FlushJob : public port::Job {
 public:
  FlushJob(Flusher& owner, const Generation* generation, LogPoint applied, bool checkpoint)
      : owner_(owner),
        generation_(generation),
        applied_(std::move(applied)),
        checkpoint_(checkpoint) {}
  void run() override {
    outcome = flush(owner_.parts_.writer, generation_, applied_, checkpoint_);
    bytes_used = owner_.parts_.writer.bytes_used();
  }
  void done() override { owner_.finish(*this); }
  const LogPoint& applied() const { return applied_; }

  FlushOutcome outcome;
  uint64_t bytes_used = 0;

 private:
  Flusher& owner_;
  const Generation* generation_;
  LogPoint applied_;
  bool checkpoint_;
};

Flusher::Flusher(const Parts& parts, FlushListener& listener)
    : parts_(parts),
      listener_(listener),
      timer_(parts.clock.timer(*this)),
      bytes_used_(parts.writer.bytes_used()) {}

bool Flusher::over() const {
  const Generation& young = parts_.memtable.young();
  return young.rows.size() >= limits::kMemtableRowsMax || young.bytes >= limits::kMemtableBytesMax;
}

bool Flusher::stuck() const {
  const Generation& young = parts_.memtable.young();
  return full_ && (young.rows.size() >= kStuckFactor * limits::kMemtableRowsMax ||
                   young.bytes >= kStuckFactor * limits::kMemtableBytesMax);
}

bool Flusher::log_is_low() const {
  const size_t free = parts_.log.free_segments();
  return free == 0 || (parts_.log.segments() > 2 && free == 1);
}

void Flusher::consider() {
  if (busy_ || failed_ || full_) return;
  const bool low = log_is_low() && durable_ + 1 < parts_.log.end().next_index;
  if (low || over()) return start(low);
  if (parts_.memtable.clean()) return;
  const bool lazy = parts_.memtable.old() == nullptr && parts_.memtable.young().only_lazy;
  if (timer_->armed() && (lazy || !armed_lazily_)) return;  // what is due sooner stays due
  timer_->arm(parts_.clock.now() + (lazy ? kLazyAgeMax : limits::kMemtableAgeMax));
  armed_lazily_ = lazy;
}

void Flusher::on_alarm(port::Timer&) {
  if (!busy_ && !failed_) start(log_is_low());
}

void Flusher::flush_all() {
  if (!busy_ && !failed_) start(true);
}

// The first flush after opening checkpoints, too: what was found may not have been synced yet.
void Flusher::start(bool checkpoint) {
  Memtable& memtable = parts_.memtable;
  timer_->disarm();
  busy_ = true;
  if (memtable.old() == nullptr) {
    old_applied_ = parts_.log.end();
    if (!memtable.young().rows.empty()) memtable.age();
  }
  parts_.lane.submit(
      std::make_unique<FlushJob>(*this, memtable.old(), old_applied_, checkpoint || durable_ == 0));
}

void Flusher::finish(const FlushJob& job) {
  busy_ = false;
  bytes_used_ = job.bytes_used;
  if (job.outcome.committed) parts_.memtable.drop_old();
  if (job.outcome.checkpointed) {
    durable_ = job.applied().next_index - 1;
    parts_.log.set_durable(durable_);
  }
  const bool was_full = full_;
  full_ = !job.outcome.result && is_full(job.outcome.result.error());
  if (!job.outcome.result && !full_) {
    failed_ = true;
    return listener_.on_state_failed(job.outcome.result.error());
  }
  if (full_ != was_full) {
    if (full_) LOG(kError, "store: disk full, only deletions are accepted");
    if (!full_) LOG(kInfo, "store: there is room on the disk again");
  }
  if (full_) {
    timer_->arm(parts_.clock.now() + kFullRetry);
  } else if (log_is_low() && !job.outcome.checkpointed) {
    timer_->arm(parts_.clock.now() + kCheckpointRetry);
  } else {
    consider();
  }
  listener_.on_flushed();
}

}  // namespace coracle::store
