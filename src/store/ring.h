// SPDX-License-Identifier: GPL-2.0-or-later
// The last changes in order, for watchers and for lists at a version. Bounded by bytes and by
// count; beyond a quarter of the bytes also by age. A change is named by its sequence number, which
// only grows.
#pragma once

#include <cstdint>
#include <deque>

#include "api/client.h"
#include "base/limits.h"
#include "base/time.h"

namespace coracle::store {

class Ring {
 public:
  struct Bounds {
    size_t bytes = limits::kRingBytesMax;
    size_t changes = limits::kRingChangesMax;
    Duration age_min = limits::kRingAgeMin;
  };
  explicit Ring(Bounds bounds) : bounds_(bounds) {}

  // Everything after `version` will be here, nothing before: who read here has lost the thread.
  void start(uint64_t version);
  void push(const api::Change& change, Mono now);

  // History reaches back to `version`: all changes after it are here.
  bool reaches(uint64_t version) const { return version >= floor_; }
  uint64_t sequence_after(uint64_t version) const;  // of the first change after it
  uint64_t begin() const { return first_; }
  uint64_t end() const { return first_ + changes_.size(); }
  const api::Change& at(uint64_t sequence) const {
    return changes_[static_cast<size_t>(sequence - first_)].change;
  }
  size_t bytes() const { return bytes_; }

 private:
  struct Kept {
    api::Change change;
    size_t bytes;
    Mono at;
  };
  bool too_much(Mono now) const;

  Bounds bounds_;
  std::deque<Kept> changes_;
  uint64_t first_ = 0;
  uint64_t floor_ = 0;
  size_t bytes_ = 0;
};

}  // namespace coracle::store
