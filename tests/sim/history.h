// SPDX-License-Identifier: GPL-2.0-or-later
// The truth of a world: every change that the store told of, over all lives of the server, and the
// state that follows from it. What was told once must be there for ever.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "port/clock.h"
#include "store/store.h"
#include "tests/sim/findings.h"

namespace coracle::sim {

class History final : public api::Feed {
 public:
  using Objects = std::map<std::string, api::ObjectRef>;  // by storage key

  History(port::Clock& clock, Findings& findings) : clock_(clock), findings_(findings) {}

  // A store was opened: takes in what it replayed and nobody was told of, compares everything.
  void resume(const store::Store& store);
  void on_change(const api::Change& change) override;

  const std::vector<api::Change>& changes() const { return changes_; }
  // The first change of `kind` in `ns` (empty: anywhere) after `version`; null if there is none.
  const api::Change* next(const api::Kind& kind, std::string_view ns, uint64_t version) const;
  const api::Change* at(uint64_t version) const;
  Objects objects_at(uint64_t version) const;
  const Objects& objects() const { return objects_; }
  uint64_t last() const { return last_; }
  uint64_t floor() const { return floor_; }  // what happened up to here is not known in detail

  void trace(std::string_view what);  // for determinism: everything that is seen goes in here
  uint64_t trace_hash() const { return hash_; }

 private:
  static void apply(Objects& objects, const api::Change& change);
  void start_over(const store::Store& store);
  void compare(const store::Store& store);
  size_t index_after(uint64_t version) const;

  port::Clock& clock_;
  Findings& findings_;
  std::vector<api::Change> changes_;
  Objects base_;  // at floor_
  Objects objects_;
  uint64_t floor_ = 0;
  uint64_t last_ = 0;
  uint64_t hash_ = 0xcbf29ce484222325u;
};

}  // namespace coracle::sim
