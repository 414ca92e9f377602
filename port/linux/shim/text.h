// SPDX-License-Identifier: GPL-2.0-or-later
// Texts of fixed room. What does not fit is cut and remembered: a cut path must not be used.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace coracle::shim {

size_t length(const char* text);
bool same(const char* a, const char* b);

struct Division {
  uint64_t quotient;
  uint32_t rest;
};
// Shift and subtract: ARMv7 has no instruction for it, and its library routine is not linked.
Division divide(uint64_t number, uint32_t by);

uint64_t parse_number(const char* text);  // digits up to the first that is none

class Writer {
 public:
  Writer(char* room, size_t bytes) : room_(room), bytes_(bytes) { room_[0] = '\0'; }
  Writer& put(const char* text) { return put(text, length(text)); }
  Writer& put(const char* bytes, size_t count);
  Writer& number(uint64_t value, unsigned digits_min = 1);
  Writer& signed_number(int64_t value);
  Writer& end_field() { return put("", 1); }  // a NUL between fields of a record
  const char* text() const { return room_; }
  size_t size() const { return used_; }
  size_t left() const { return bytes_ - 1 - used_; }
  bool cut() const { return cut_; }
  void clear() { used_ = 0; }

 private:
  char* room_;
  size_t bytes_;
  size_t used_ = 0;
  bool cut_ = false;
};

template <size_t Room>
class Text : public Writer {
 public:
  Text() : Writer(space_, Room) {}

 private:
  char space_[Room];
};

uint64_t wall_ns();
void put_time(Writer& out, uint64_t wall_ns);  // 2026-01-02T15:04:05.123456789Z

}  // namespace coracle::shim
