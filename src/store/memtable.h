// SPDX-License-Identifier: GPL-2.0-or-later
// Applied changes that SQLite does not have yet, in two generations: the young one takes changes;
// the old one, if there is one, is being written by the state lane and is not touched until that
// has ended (the lane reads it without locks).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "api/object.h"
#include "base/assert.h"

namespace coracle::store {

struct Stored {
  api::ObjectRef object;  // null: deleted
  uint64_t create_rev = 0;
  uint64_t revisions = 0;
};

struct MemoryRow {
  Stored stored;
  uint64_t mod_rev = 0;
  bool has_owners = false;
};

struct Generation {
  std::map<std::string, MemoryRow, std::less<>> rows;
  size_t bytes = 0;
  bool only_lazy = true;  // no row that anybody would miss the age of: leases, events
};

class Memtable {
 public:
  // Null: SQLite knows.
  const MemoryRow* find(std::string_view key) const {
    for (const Generation* generation : {young_.get(), old_.get()}) {
      if (generation == nullptr) continue;
      const auto row = generation->rows.find(key);
      if (row != generation->rows.end()) return &row->second;
    }
    return nullptr;
  }

  void put(const std::string& key, MemoryRow row) {
    MemoryRow& place = young_->rows[key];
    if (place.stored.object) young_->bytes -= place.stored.object->bytes();
    if (row.stored.object) young_->bytes += row.stored.object->bytes();
    const bool lazy =
        row.stored.object && row.stored.object->kind().write_class == api::WriteClass::kLazy;
    young_->only_lazy = young_->only_lazy && lazy;
    place = std::move(row);
  }

  const Generation& young() const { return *young_; }
  const Generation* old() const { return old_.get(); }
  bool clean() const { return young_->rows.empty() && old_ == nullptr; }

  const Generation& age() {  // the young generation becomes the old one
    ASSERT(old_ == nullptr);
    old_ = std::move(young_);
    young_ = std::make_unique<Generation>();
    return *old_;
  }
  void drop_old() { old_.reset(); }  // SQLite has it

  // Both generations as one; objects are shared.
  Memtable copy() const {
    Memtable out;
    if (old_ != nullptr) out.young_->rows = old_->rows;
    for (const auto& [key, row] : young_->rows)
      out.young_->rows[key] = row;
    return out;
  }

  // f(key, row) for keys after `after` and before `end`, in key order, newest state of each.
  template <class F>
  void for_each(const std::string& after, const std::string& end, F&& f) const {
    const Generation none;
    const auto& old_rows = old_ == nullptr ? none.rows : old_->rows;
    auto young = young_->rows.upper_bound(after);
    auto old = old_rows.upper_bound(after);
    const auto young_end = young_->rows.lower_bound(end);
    const auto old_end = old_rows.lower_bound(end);
    while (young != young_end || old != old_end) {
      const bool take_young = old == old_end || (young != young_end && young->first <= old->first);
      if (take_young && old != old_end && old->first == young->first) ++old;
      const auto& row = take_young ? *young++ : *old++;
      f(row.first, row.second);
    }
  }

 private:
  std::unique_ptr<Generation> young_ = std::make_unique<Generation>();
  std::unique_ptr<Generation> old_;
};

}  // namespace coracle::store
