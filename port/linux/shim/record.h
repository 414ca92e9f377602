// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "port/linux/shim/text.h"

namespace coracle::shim {

// Reads the fields of a received record, whose last byte is a NUL. Past the end every field is
// empty.
class Record {
 public:
  Record() = default;
  Record(const char* bytes, size_t count) : at_(bytes), end_(bytes + count) {}
  bool more() const { return at_ < end_; }
  const char* field() {
    if (!more()) return "";
    const char* start = at_;
    at_ += length(at_) + 1;
    return start;
  }
  uint64_t number() { return parse_number(field()); }

 private:
  const char* at_ = nullptr;
  const char* end_ = nullptr;
};

}  // namespace coracle::shim
