// SPDX-License-Identifier: GPL-2.0-or-later
#include "json/writer.h"

#include <charconv>

#include "json/tree.h"

namespace coracle::json {

void Writer::separate() {
  if (!fresh_) out_ += ',';
  fresh_ = false;
}

void Writer::begin_object() {
  separate();
  out_ += '{';
  fresh_ = true;
}

void Writer::end_object() {
  out_ += '}';
  fresh_ = false;
}

void Writer::begin_array() {
  separate();
  out_ += '[';
  fresh_ = true;
}

void Writer::end_array() {
  out_ += ']';
  fresh_ = false;
}

void Writer::key(std::string_view name) {
  separate();
  write_string(out_, name);
  out_ += ':';
  fresh_ = true;  // the value that follows takes no comma
}

void Writer::value(std::string_view text) {
  separate();
  write_string(out_, text);
}

void Writer::value(int64_t number) {
  separate();
  char text[24];
  const auto done = std::to_chars(text, text + sizeof text, number);
  out_.append(text, done.ptr);
}

void Writer::value(bool boolean) {
  separate();
  out_ += boolean ? "true" : "false";
}

void Writer::null() {
  separate();
  out_ += "null";
}

void Writer::raw(std::string_view json) {
  separate();
  out_ += json;
}

}  // namespace coracle::json
