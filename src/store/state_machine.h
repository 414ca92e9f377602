// SPDX-License-Identifier: GPL-2.0-or-later
// The applied state and whoever watches it: rows and memtable, the ring of recent changes, feeds.
// Committed mutations come in, in order; the outcome of each depends on it and the state alone, so
// every member and every replay comes to the same one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "port/clock.h"
#include "store/entry.h"
#include "store/memtable.h"
#include "store/owners.h"
#include "store/ring.h"
#include "store/rows.h"
#include "store/store.h"
#include "store/view.h"

namespace coracle::store {

class StateMachine {
 public:
  StateMachine(port::Clock& clock, Reader& reader);

  // What the database holds is the state after `version`; watchers cannot go further back.
  Result<> start(uint64_t version);
  // `object` is what the proposer already made of the text, if it has the right version.
  Result<api::Change> apply(const Mutation& mutation, uint64_t index, api::ObjectRef object);
  // The state was replaced: tells the feeds what is different now, as if it had just changed. All
  // these changes have one version.
  void tell_differences(const View& old);
  void skip(uint64_t index) { applied_ = index; }  // an entry that changes nothing
  // A proposal will look the key up when it is applied: keeps the answer until then.
  Result<uint64_t> look_up(const std::string& key);
  void forget_lookup(const std::string& key) { looked_up_.erase(key); }
  void forget_lookups() { looked_up_.clear(); }

  uint64_t applied() const { return applied_; }
  Memtable& memtable() { return memtable_; }
  const View& view() const { return view_; }
  uint64_t damaged_rows() const { return damaged_rows_; }
  bool has_fresh() const { return !fresh_.empty(); }
  void deliver_changes();
  void drop_fresh() { fresh_.clear(); }

  // As declared by Store and api::State.
  Result<api::ObjectRef> find(const api::Kind& kind,
                              std::string_view ns,
                              std::string_view name) const;
  void list(const api::Kind& kind, std::string_view ns, api::Visitor& visitor) const;
  void list_owned_by(std::string_view uid, api::Visitor& visitor) const;
  Result<std::unique_ptr<Rows>> rows(const std::string& prefix,
                                     const std::string& after,
                                     uint64_t at) const;
  Result<uint64_t> count(const std::string& prefix, const std::string& after) const;
  void subscribe(api::Feed& feed) { feeds_.push_back({&feed, applied_}); }
  void unsubscribe(api::Feed& feed);
  Result<Position> position_after(uint64_t version) const;
  RingRead read(Position& position, api::Change& change) const;

 private:
  struct Subscription {
    api::Feed* feed = nullptr;
    uint64_t since = 0;
  };
  Result<std::optional<Stored>> before(const Mutation& mutation);
  Result<api::Change> change(const Mutation& mutation,
                             const std::optional<Stored>& stored,
                             api::ObjectRef object) const;
  void commit(const Mutation& mutation,
              const api::Change& change,
              const std::optional<Stored>& before);
  Result<> index_owners();
  Result<> tell(const ViewRow* was, const ViewRow* is);

  port::Clock& clock_;
  Reader& reader_;
  Memtable memtable_;
  View view_;
  Ring ring_;
  Owners owners_;
  uint64_t applied_ = 0;
  std::map<std::string, std::optional<Stored>, std::less<>> looked_up_;
  std::vector<Subscription> feeds_;
  std::vector<api::Change> fresh_;  // applied in this turn
  mutable uint64_t damaged_rows_ = 0;
};

}  // namespace coracle::store
