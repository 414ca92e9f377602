// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/local_store.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"

namespace coracle::store {

constexpr uint64_t kOwnVoter = 1;

LocalStore::LocalStore(Parts parts)
    : parts_(std::move(parts)),
      view_(memtable_, *parts_.reader),
      ring_(Ring::Bounds{}),
      flusher_({*parts_.writer, memtable_, *parts_.log, parts_.clock, parts_.state_lane}, *this),
      lazy_timer_(parts_.clock.timer(*this)) {}

// Jobs under way point here: they are waited for, but nobody hears of them.
LocalStore::~LocalStore() {
  gone_ = true;
  parts_.clock.cancel_turn_end(*this);
  parts_.log_lane.drain();
  parts_.state_lane.drain();
}

Result<> LocalStore::start() {
  const LogPoint from = TRY(parts_.writer->applied()).value_or(LogPoint{});
  applied_ = from.next_index - 1;
  ring_.start(applied_);
  TRY(index_owners());
  TRY(parts_.log->recover(from, *this));
  parts_.log->begin_term();
  if (parts_.log->empty()) {
    std::optional<LogAppend> first =
        parts_.log->plan({{RecordType::kConfiguration, encode_configuration(kOwnVoter)}});
    ASSERT(first);
    TRY(first->perform());
    parts_.log->appended(std::move(*first));
    applied_ = parts_.log->end().next_index - 1;
    ring_.start(applied_);
  }
  flusher_.consider();
  LOG(kInfo, "store: opened", kv("applied", applied_),
      kv("replayed", applied_ + 1 - from.next_index));
  return {};
}

Result<api::ObjectRef> LocalStore::find(const api::Kind& kind,
                                        std::string_view ns,
                                        std::string_view name) const {
  Result<std::optional<Stored>> stored = view_.find(api::storage_key(kind, ns, name));
  if (!stored) {
    damaged_rows_ += stored.error().code == Code::kCorrupt ? 1 : 0;
    LOG(kError, "store: read failed", kv("error", stored.error().message));
    return std::move(stored).error();
  }
  return *stored ? (*stored)->object : api::ObjectRef();
}

api::ObjectRef LocalStore::get(const api::Kind& kind,
                               std::string_view ns,
                               std::string_view name) const {
  Result<api::ObjectRef> found = find(kind, ns, name);
  return found ? std::move(*found) : api::ObjectRef();
}

namespace {

Result<api::ObjectRef> object_of(const api::Kind& kind, ViewRow& row) {
  if (!row.intact) return fail(Code::kCorrupt, join({"damaged row ", row.key}));
  if (row.object) return row.object;
  return api::make_object(kind, std::move(row.text), row.version);
}

}  // namespace

void LocalStore::list(const api::Kind& kind, std::string_view ns, api::Visitor& visitor) const {
  std::string prefix = api::storage_prefix(kind);
  if (!ns.empty()) prefix += join({ns, "/"});
  const std::string end = prefix_end(prefix);
  std::string after = std::move(prefix);
  for (bool last = false; !last;) {
    Result<Chunk> chunk = view_.chunk(after, end);
    if (!chunk) {
      LOG(kError, "store: list failed", kv("error", chunk.error().message));
      return;
    }
    last = chunk->last;
    after = chunk->reached;
    for (ViewRow& row : chunk->rows) {
      const Result<api::ObjectRef> object = object_of(kind, row);
      if (object) {
        if (!visitor.visit(*object)) return;
      } else {
        damaged_rows_++;
        LOG(kError, "store: row left out of a list", kv("error", object.error().message));
      }
    }
  }
}

void LocalStore::list_owned_by(std::string_view uid, api::Visitor& visitor) const {
  for (const std::string& key : owners_.keys_of(uid)) {
    const Result<std::optional<Stored>> stored = view_.find(key);
    if (!stored || !*stored) continue;
    const std::vector<std::string> uids = owner_uids(*(*stored)->object);
    const bool owned = std::find(uids.begin(), uids.end(), uid) != uids.end();
    if (owned && !visitor.visit((*stored)->object)) return;
  }
}

namespace {

Error expired_error() {
  return fail(Code::kExpired, "too old resource version");
}
Error future_error(uint64_t wanted, uint64_t applied) {
  Error error = fail(Code::kTimeout, join({"Too large resource version: ", std::to_string(wanted),
                                           ", current: ", std::to_string(applied)}));
  error.retry_after_s = 1;
  return error;
}

}  // namespace

Result<std::unique_ptr<Rows>> LocalStore::rows(const std::string& prefix,
                                               const std::string& after,
                                               uint64_t at) const {
  const uint64_t version = at == 0 ? applied_ : at;
  if (version > applied_) return future_error(version, applied_);
  if (version < applied_ && !ring_.reaches(version)) return expired_error();
  return std::unique_ptr<Rows>(std::make_unique<RowsAt>(
      view_, ring_, RowsAt::From{prefix, std::max(prefix, after), version}));
}

Result<uint64_t> LocalStore::count(const std::string& prefix, const std::string& after) const {
  return view_.count(std::max(prefix, after), prefix_end(prefix));
}

Result<Position> LocalStore::position_after(uint64_t version) const {
  if (version > applied_) return future_error(version, applied_);
  if (!ring_.reaches(version)) return expired_error();
  return Position{ring_.sequence_after(version)};
}

RingRead LocalStore::read(Position& position, api::Change& change) const {
  if (position.sequence < ring_.begin()) return RingRead::kLost;
  if (position.sequence >= ring_.end()) return RingRead::kEnd;
  change = ring_.at(position.sequence++);
  return RingRead::kChange;
}

Store::Figures LocalStore::figures() const {
  Figures figures;
  figures.applied = applied_;
  figures.durable_applied = flusher_.durable();
  figures.appends = appends_;
  figures.entries = entries_;
  figures.log_bytes = parts_.log->bytes();
  figures.database_bytes = flusher_.bytes_used();
  figures.damaged_rows = damaged_rows_;
  figures.read_only = failed_ || flusher_.full();
  return figures;
}

Result<> LocalStore::close() {
  closing_ = true;
  while (!failed_ && !(queue_.empty() && batch_.empty())) {
    start_batch();
    parts_.log_lane.drain();
    parts_.state_lane.drain();
    if (flusher_.full()) break;
  }
  deliver_refusals();
  deliver_changes();
  parts_.state_lane.drain();
  flusher_.flush_all();
  parts_.state_lane.drain();
  if (failed_) return fail(Code::kIo, "the disk failed");
  if (!memtable_.clean())
    return fail(Code::kUnavailable, "the disk is full; the log keeps what is missing");
  return {};
}

namespace {

// The names of the store's directory and of all above it must be as durable as what is in it; who
// made them, and whether that was synced, is unknown.
Result<> sync_directories(port::Disk& disk, std::string path) {
  for (;;) {
    TRY(disk.sync_directory(path));
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos || path == "/") return {};
    path.resize(std::max<size_t>(slash, 1));
  }
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(const StoreOptions& options,
                                          port::Clock& clock,
                                          port::Disk& disk,
                                          port::Lane& log_lane,
                                          port::Lane& state_lane) {
  TRY(disk.make_directories(options.directory).with("open store"));
  const std::string path = options.directory + "/state.db";
  LocalStore::Parts parts{TRY(Writer::open(path, disk.sqlite_vfs()).with("open store")),
                          nullptr,
                          nullptr,
                          clock,
                          log_lane,
                          state_lane};
  parts.reader = TRY(Reader::open(path, disk.sqlite_vfs()).with("open store"));
  const LogOptions log{options.directory + "/log",
                       options.segment_bytes != 0 ? options.segment_bytes : limits::kSegmentBytes,
                       options.segments != 0 ? options.segments : limits::kSegments};
  parts.log = TRY(Log::open(log, disk).with("open store"));
  TRY(sync_directories(disk, options.directory).with("open store"));
  auto store = std::make_unique<LocalStore>(std::move(parts));
  TRY(store->start().with("open store"));
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace coracle::store
