// SPDX-License-Identifier: GPL-2.0-or-later
// Committed entries to state. The outcome depends on the entry and the state alone, so every
// replica and every replay comes to the same one. Nothing in an entry can make it fail to be
// applied.
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "store/local_store.h"

namespace coracle::store {

// What the key holds, from the batch's own look-ups if they are still right.
Result<std::optional<Stored>> LocalStore::before(const Mutation& mutation) {
  if (memtable_.find(mutation.key) == nullptr) {
    const auto known = looked_up_.find(mutation.key);
    if (known != looked_up_.end()) return known->second;
  }
  return view_.find(mutation.key);
}

// `object` is what the leader already made of the text; null in a replay.
Result<api::Change> LocalStore::apply(const Mutation& mutation,
                                      uint64_t index,
                                      api::ObjectRef object) {
  applied_ = index;
  const api::StoredName name = api::parse_storage_key(mutation.key);
  if (name.kind == nullptr) {
    return fail(Code::kInternal, join({"entry for a key of no known kind: ", mutation.key}));
  }
  Result<std::optional<Stored>> found = before(mutation);
  std::optional<Stored> stored;
  uint64_t version =
      mutation.expected;  // a damaged row: its admission said that the expectation held
  if (found) {
    stored = std::move(*found);
    version = stored ? stored->object->version() : 0;
  } else if (mutation.expected == 0) {
    return std::move(found).error();
  }
  if (version != mutation.expected) {
    if (mutation.expected == 0) return fail(Code::kAlreadyExists, "the object already exists");
    return fail(Code::kConflict,
                "the object has been modified; please apply your changes to the latest version");
  }
  api::Change change;
  change.version = index;
  if (stored) change.before = stored->object;
  if (mutation.operation == Operation::kDelete) {
    change.type = api::ChangeType::kDeleted;
    if (stored)
      change.after = TRY(api::make_object(*name.kind, std::string(stored->object->text()), index));
  } else {
    change.type = version == 0 ? api::ChangeType::kAdded : api::ChangeType::kModified;
    if (!object) object = TRY(api::make_object(*name.kind, std::string(mutation.text), index));
    change.after = std::move(object);
    if (!stored && version != 0) change.before = change.after;
  }
  commit(mutation, change, stored);
  if (!change.after) return fail(Code::kCorrupt, "the deleted object was damaged");
  return change;
}

void LocalStore::commit(const Mutation& mutation,
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
  if (!change.after) return;
  ring_.push(change, parts_.clock.now());
  fresh_.push_back(change);
}

// Feeds may subscribe, unsubscribe and propose from inside a change.
void LocalStore::deliver_changes() {
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

void LocalStore::subscribe(api::Feed& feed) {
  feeds_.push_back({&feed, applied_});
}

void LocalStore::unsubscribe(api::Feed& feed) {
  for (Subscription& subscription : feeds_) {
    if (subscription.feed == &feed) subscription.feed = nullptr;
  }
}

Result<> LocalStore::on_entry(uint64_t index, std::string_view payload) {
  const std::optional<Mutation> mutation = Mutation::decode(payload);
  if (!mutation) {
    return fail(Code::kCorrupt,
                join({"log entry ", std::to_string(index), " is of an unknown type"}));
  }
  const Result<api::Change> change = apply(*mutation, index, {});
  if (!change && change.error().code != Code::kConflict &&
      change.error().code != Code::kAlreadyExists) {
    LOG(kError, "store: entry not applied", kv("index", index),
        kv("error", change.error().message));
  }
  fresh_.clear();
  return {};
}

// Only while the log is replayed: nobody is served yet, so the loop may write.
Result<> LocalStore::on_batch_end(const LogPoint& point) {
  applied_ = point.next_index - 1;
  if (!flusher_.over()) return {};
  FlushOutcome outcome = flush(*parts_.writer, &memtable_.age(), point, false);
  if (outcome.committed) memtable_.drop_old();
  return std::move(outcome.result);
}

Result<> LocalStore::index_owners() {
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
  TRY(parts_.reader->scan_owned(index));
  damaged_rows_ += index.damaged;
  return {};
}

}  // namespace coracle::store
