// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/state_machine.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "base/tooth.h"

namespace coracle::store {

namespace {

// What is still known of an object whose row is damaged.
std::string bare_text(const api::StoredName& name) {
  const std::string place =
      name.ns.empty() ? std::string() : join({",\"namespace\":\"", name.ns, "\""});
  return join({"{\"kind\":\"", name.kind->name, "\",\"apiVersion\":\"",
               api::group_version(*name.kind), "\",\"metadata\":{\"name\":\"", name.name, "\"",
               place, "}}"});
}

}  // namespace

StateMachine::StateMachine(port::Clock& clock, Reader& reader)
    : clock_(clock),
      reader_(reader),
      view_(memtable_, reader),
      ring_(Ring::Bounds{}) {}

Result<> StateMachine::start(uint64_t version) {
  applied_ = version;
  if (!bites(Tooth::kSnapshotKeepsMemory)) memtable_ = Memtable();
  owners_ = Owners();
  looked_up_.clear();
  fresh_.clear();
  ring_.start(version);
  return index_owners();
}

Result<uint64_t> StateMachine::look_up(const std::string& key) {
  auto known = looked_up_.find(key);
  if (known == looked_up_.end()) {
    Result<std::optional<Stored>> found = view_.find(key);
    if (!found) damaged_rows_++;
    known = looked_up_.emplace(key, TRY(std::move(found))).first;
  }
  return known->second ? known->second->object->version() : 0;
}

// What the key holds, from the proposal's own look-up if there was one.
Result<std::optional<Stored>> StateMachine::before(const Mutation& mutation) {
  const auto known = looked_up_.find(mutation.key);
  if (known == looked_up_.end()) return view_.find(mutation.key);
  std::optional<Stored> stored = std::move(known->second);
  looked_up_.erase(known);
  return stored;
}

// Nothing in an entry can make it fail to be applied. Where the row is damaged here nothing is
// decided: the leader has checked the expectation against all that lies before the entry
// (Proposer::check_expectation), so what is in the log holds, and every member does the same. Only
// the past of the change is not known; whoever watches has to list again.
Result<api::Change> StateMachine::apply(const Mutation& mutation,
                                        uint64_t index,
                                        api::ObjectRef object) {
  applied_ = index;
  if (object && object->version() != index) object = {};
  Result<std::optional<Stored>> found = before(mutation);
  std::optional<Stored> stored;
  uint64_t version = mutation.expected;
  if (found) {
    stored = std::move(*found);
    version = stored ? stored->object->version() : 0;
  } else {
    LOG(kError, "store: damaged row replaced", kv("key", mutation.key), kv("index", index));
  }
  if (version != mutation.expected && !bites(Tooth::kUncheckedApply)) {
    if (mutation.expected == 0) return fail(Code::kAlreadyExists, "the object already exists");
    return fail(Code::kConflict,
                "the object has been modified; please apply your changes to the latest version");
  }
  api::Change made = TRY(change(mutation, stored, std::move(object)));
  commit(mutation, made, stored);
  if (!found) ring_.start(index);
  return made;
}

Result<api::Change> StateMachine::change(const Mutation& mutation,
                                         const std::optional<Stored>& stored,
                                         api::ObjectRef object) const {
  const api::StoredName name = api::parse_storage_key(mutation.key);
  if (name.kind == nullptr) {
    return fail(Code::kInternal, join({"entry for a key of no known kind: ", mutation.key}));
  }
  api::Change change;
  change.version = applied_;
  if (bites(Tooth::kVersionReused) && stored) change.version = stored->object->version();
  if (stored) change.before = stored->object;
  if (mutation.operation == Operation::kDelete) {
    change.type = api::ChangeType::kDeleted;
    std::string text = stored ? std::string(stored->object->text()) : bare_text(name);
    change.after = TRY(api::make_object(*name.kind, std::move(text), applied_));
    return change;
  }
  change.type = mutation.expected == 0 ? api::ChangeType::kAdded : api::ChangeType::kModified;
  if (!object) object = TRY(api::make_object(*name.kind, std::string(mutation.text), applied_));
  change.after = std::move(object);
  if (!stored && mutation.expected != 0) change.before = change.after;
  return change;
}

void StateMachine::commit(const Mutation& mutation,
                          const api::Change& change,
                          const std::optional<Stored>& before) {
  const std::string key(mutation.key);
  MemoryRow row;
  row.mod_rev = change.version;
  if (change.type != api::ChangeType::kDeleted) {
    row.stored.object = change.after;
    row.stored.create_rev = before ? before->create_rev : change.version;
    row.stored.revisions = before ? before->revisions + 1 : 1;
    row.has_owners = may_have_owners(change.after->text());
  }
  if (before) owners_.remove(*before->object, key);
  if (row.stored.object) owners_.add(*row.stored.object, key);
  memtable_.put(key, std::move(row));
  ring_.push(change, clock_.now());
  fresh_.push_back(change);
}

// Feeds may subscribe, unsubscribe and propose from inside a change.
void StateMachine::deliver_changes() {
  const std::vector<api::Change> changes = std::exchange(fresh_, {});
  for (const api::Change& change : changes) {
    for (size_t i = 0; i < feeds_.size(); ++i) {
      const Subscription subscription = feeds_[i];
      if (subscription.feed == nullptr || change.version <= subscription.since) continue;
      subscription.feed->on_change(change);
    }
  }
  std::erase_if(feeds_,
                [](const Subscription& subscription) { return subscription.feed == nullptr; });
}

void StateMachine::unsubscribe(api::Feed& feed) {
  for (Subscription& subscription : feeds_) {
    if (subscription.feed == &feed) subscription.feed = nullptr;
  }
}

Result<> StateMachine::index_owners() {
  struct Index : RowSink {
    explicit Index(Owners& owners_in) : owners(owners_in) {}
    bool on_row(const RowFields& row) override {
      const api::StoredName name = api::parse_storage_key(row.key);
      if (!row.intact || name.kind == nullptr) {
        LOG(kError, "store: damaged row", kv("key", row.key));
        damaged++;
        return true;
      }
      auto object = api::make_object(*name.kind, std::string(row.value), row.mod_rev);
      if (object) owners.add(**object, std::string(row.key));
      return true;
    }
    Owners& owners;
    uint64_t damaged = 0;
  };
  Index index(owners_);
  TRY(reader_.scan_owned(index));
  damaged_rows_ += index.damaged;
  return {};
}

Result<api::ObjectRef> StateMachine::find(const api::Kind& kind,
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

namespace {

Result<api::ObjectRef> object_of(const api::Kind& kind, ViewRow& row) {
  if (!row.intact) return fail(Code::kCorrupt, join({"damaged row ", row.key}));
  if (row.object) return row.object;
  return api::make_object(kind, std::move(row.text), row.version);
}

}  // namespace

void StateMachine::list(const api::Kind& kind, std::string_view ns, api::Visitor& visitor) const {
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

void StateMachine::list_owned_by(std::string_view uid, api::Visitor& visitor) const {
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

Result<std::unique_ptr<Rows>> StateMachine::rows(const std::string& prefix,
                                                 const std::string& after,
                                                 uint64_t at) const {
  const uint64_t version = at == 0 ? applied_ : at;
  if (version > applied_) return future_error(version, applied_);
  if (version < applied_ && !ring_.reaches(version)) return expired_error();
  return std::unique_ptr<Rows>(std::make_unique<RowsAt>(
      view_, ring_, RowsAt::From{prefix, std::max(prefix, after), version}));
}

Result<uint64_t> StateMachine::count(const std::string& prefix, const std::string& after) const {
  return view_.count(std::max(prefix, after), prefix_end(prefix));
}

Result<Position> StateMachine::position_after(uint64_t version) const {
  if (version > applied_) return future_error(version, applied_);
  if (!ring_.reaches(version)) return expired_error();
  return Position{ring_.sequence_after(version)};
}

RingRead StateMachine::read(Position& position, api::Change& change) const {
  if (position.sequence < ring_.begin()) return RingRead::kLost;
  if (position.sequence >= ring_.end()) return RingRead::kEnd;
  change = ring_.at(position.sequence++);
  return RingRead::kChange;
}

}  // namespace coracle::store
