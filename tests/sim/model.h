// SPDX-License-Identifier: GPL-2.0-or-later
// What a store must hold: a plain map, moved by the same proposals in the same order. It knows the
// version of every write in advance, because the log gives out its indexes in
// order; only the entries of new leaders come in between.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

namespace coracle::sim {

struct Value {
  std::string text;
  uint64_t version = 0;
  friend bool operator==(const Value&, const Value&) = default;
};
using Values = std::map<std::string, Value>;

struct Write {
  uint64_t version = 0;
  std::string key;
  std::string text;  // "" deletes
};

enum class Verdict : uint8_t { kAccepted, kAlreadyExists, kConflict };

class Model {
 public:
  uint64_t version() const { return version_; }
  void start(uint64_t version) { version_ = base_version_ = version; }

  Verdict propose(const std::string& key, const std::string& text, uint64_t expected) {
    const auto found = values_.find(key);
    const uint64_t now = found == values_.end() ? 0 : found->second.version;
    if (now != expected) return expected == 0 ? Verdict::kAlreadyExists : Verdict::kConflict;
    if (text.empty() && now == 0) return Verdict::kConflict;
    writes_.push_back({++version_, key, text});
    apply(values_, writes_.back());
    return Verdict::kAccepted;
  }

  // Entries of the log up to `version` that wrote nothing: a new leader's first.
  void skip_to(uint64_t version) { version_ = version; }

  // Everything after `version` never happened.
  void roll_back(uint64_t version) {
    values_ = at(version);
    version_ = version;
    while (!writes_.empty() && writes_.back().version > version)
      writes_.pop_back();
  }

  const Values& now() const { return values_; }
  uint64_t oldest() const { return base_version_; }
  Values at(uint64_t version) const {
    Values values = base_;
    for (const Write& write : writes_) {
      if (write.version <= version) apply(values, write);
    }
    return values;
  }
  const std::deque<Write>& writes() const { return writes_; }

  void forget_old(size_t keep) {
    while (writes_.size() > keep) {
      apply(base_, writes_.front());
      base_version_ = writes_.front().version;
      writes_.pop_front();
    }
  }

 private:
  static void apply(Values& values, const Write& write) {
    if (write.text.empty()) {
      values.erase(write.key);
    } else {
      values[write.key] = {write.text, write.version};
    }
  }

  uint64_t version_ = 0;
  Values values_;
  Values base_;
  uint64_t base_version_ = 0;
  std::deque<Write> writes_;  // after base_
};

}  // namespace coracle::sim
