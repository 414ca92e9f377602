// SPDX-License-Identifier: GPL-2.0-or-later
// Appends JSON text to a string without a tree. The caller keeps begin/end balanced.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace coracle::json {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  void key(std::string_view name);
  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(int64_t number);
  void value(int number) { value(int64_t{number}); }
  void value(bool boolean);
  void null();
  void raw(std::string_view json);  // one complete JSON value, copied as it is
  template <class T>
  void member(std::string_view name, T&& content) {
    key(name);
    value(std::forward<T>(content));
  }

 private:
  void separate();
  std::string& out_;
  bool fresh_ = true;  // nothing written yet at this level
};

}  // namespace coracle::json
