// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/flusher.h"

#include <utility>

#include "base/log.h"
#include "base/tooth.h"

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

Result<> write_transaction(Writer& writer, const Generation* generation, const Applied& applied) {
  TRY(writer.begin());
  if (generation != nullptr) TRY(write_rows(writer, *generation));
  return writer.commit(applied);
}

}  // namespace

FlushOutcome flush(Writer& writer,
                   const Generation* generation,
                   const Applied& applied,
                   Durability durability) {
  FlushOutcome outcome;
  const bool synced = durability == Durability::kWal;
  if (synced) outcome.result = writer.sync_commits(true);
  if (outcome.result && (generation != nullptr || durability != Durability::kLater)) {
    outcome.result = write_transaction(writer, generation, applied);
  }
  if (!outcome.result) {
    writer.roll_back();
    return outcome;
  }
  outcome.committed = true;
  outcome.durable = synced || bites(Tooth::kNoCheckpoint);
  if (synced) {
    outcome.result = writer.sync_commits(false);
  } else if (bites(Tooth::kNoCheckpoint)) {
    return outcome;
  } else if (durability == Durability::kCheckpoint || writer.wal_pages() >= kCheckpointPages) {
    Result<bool> complete = writer.checkpoint();
    outcome.durable = complete && *complete;
    if (!complete) outcome.result = std::move(complete).error();
  }
  writer.release_memory();
  return outcome;
}

// Holds what it writes; the loop leaves the generation alone meanwhile.
class Flusher::FlushJob : public port::Job {
 public:
  FlushJob(Flusher& owner, const Generation* generation, Applied applied, Durability durability)
      : owner_(owner),
        writer_(*owner.parts_.writer),
        reserve_(owner.parts_.reserve),
        generation_(generation),
        applied_(std::move(applied)),
        durability_(durability) {}
  void run() override {
    outcome = flush(writer_, generation_, applied_, durability_);
    const bool full = !outcome.result && is_full(outcome.result.error());
    if (full && !outcome.committed && reserve_.release())
      outcome = flush(writer_, generation_, applied_, durability_);
    tight = outcome.result ? !reserve_.keep() : is_full(outcome.result.error());
    bytes_used = writer_.bytes_used();
  }
  void done() override { owner_.finish(*this); }
  const Applied& applied() const { return applied_; }

  FlushOutcome outcome;
  bool tight = false;  // no room, or only what was reserved
  uint64_t bytes_used = 0;

 private:
  Flusher& owner_;
  Writer& writer_;
  Reserve& reserve_;
  const Generation* generation_;
  Applied applied_;
  Durability durability_;
};

Flusher::Flusher(const Parts& parts, FlushListener& listener)
    : parts_(parts),
      listener_(listener),
      timer_(parts.clock.timer(*this)),
      bytes_used_(parts.writer->bytes_used()) {}

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
  const bool low = log_is_low() && durable_ < listener_.applied_now().last.index;
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

// The first flush after opening is durable, too: what was found may not have been synced yet.
void Flusher::start(bool durably) {
  Memtable& memtable = parts_.memtable;
  timer_->disarm();
  busy_ = true;
  if (memtable.old() == nullptr) {
    old_applied_ = listener_.applied_now();
    if (!memtable.young().rows.empty()) memtable.age();
  }
  Durability durability = Durability::kLater;
  if (durably || durable_ == 0)
    durability = parts_.pins->streams > 0 ? Durability::kWal : Durability::kCheckpoint;
  parts_.lane.submit(std::make_unique<FlushJob>(*this, memtable.old(), old_applied_, durability));
}

void Flusher::restart(const Applied& applied) {
  ASSERT(!busy_);
  timer_->disarm();
  full_ = false;
  durable_ = applied.last.index;
  bytes_used_ = parts_.writer->bytes_used();
  parts_.log.set_durable(durable_, applied.point);
}

void Flusher::finish(const FlushJob& job) {
  busy_ = false;
  bytes_used_ = job.bytes_used;
  if (job.outcome.committed) parts_.memtable.drop_old();
  if (job.outcome.durable) {
    durable_ = job.applied().last.index;
    parts_.log.set_durable(durable_, job.applied().point);
  }
  const bool was_full = full_;
  full_ = job.tight;
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
  } else if (log_is_low() && !job.outcome.durable) {
    timer_->arm(parts_.clock.now() + kCheckpointRetry);
  } else {
    consider();
  }
  listener_.on_flushed();
}

}  // namespace coracle::store
