// SPDX-License-Identifier: GPL-2.0-or-later
// The head of an HTTP/1.1 message, strictly (RFC 9112): lines end in CRLF, nothing is folded,
// nothing is repaired.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace coracle::http {

// Why a message is not taken: the status to answer with and a short text. status 0: nothing wrong.
struct Refusal {
  int status = 0;
  const char* why = "";
  explicit operator bool() const { return status != 0; }
};

// Collects the bytes of a head until its empty line; bounded by limits.h.
class HeadBuffer {
 public:
  // Takes from the front of `input` what belongs to the head. True once the head is complete or
  // refused.
  bool add(std::string_view& input);
  bool empty() const { return text_.empty() && !skipped_line_; }
  Refusal refusal() const { return refusal_; }
  std::string_view start_line() const;   // without CRLF
  std::string_view field_lines() const;  // each with its CRLF; without the empty line
  void clear();

 private:
  bool take(char c);
  bool refuse(int status, const char* why);

  std::string text_;
  size_t start_line_end_ = 0;  // 0: not seen yet
  size_t line_start_ = 0;
  bool skipped_line_ = false;
  Refusal refusal_;
};

// Appends the fields, names in lower case.
Refusal parse_fields(std::string_view lines, std::vector<Header>& out);

// How the body of a message is delimited (RFC 9112 section 6).
struct Framing {
  bool chunked = false;
  bool has_length = false;
  size_t length = 0;
};
Refusal read_framing(const std::vector<Header>& headers, Framing& out);

}  // namespace coracle::http
