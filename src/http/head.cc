// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/head.h"

#include "base/bytes.h"
#include "base/limits.h"
#include "http/syntax.h"

namespace coracle::http {
namespace {

constexpr size_t kFieldsMax = 128;
constexpr std::string_view kLineEnd = "\r\n";

}  // namespace

bool HeadBuffer::refuse(int status, const char* why) {
  refusal_ = {status, why};
  return true;
}

bool HeadBuffer::add(std::string_view& input) {
  while (!input.empty() && !refusal_) {
    const char c = input.front();
    input.remove_prefix(1);
    if (take(c)) return true;
  }
  return static_cast<bool>(refusal_);
}

// True when the head is complete or refused.
bool HeadBuffer::take(char c) {
  const bool after_return = !text_.empty() && text_.back() == '\r';
  if (c == '\0') return refuse(400, "NUL in head");
  if (c == '\n' && !after_return) return refuse(400, "bare LF");
  if (c != '\n' && after_return) return refuse(400, "bare CR");
  text_ += c;
  if (start_line_end_ == 0 && text_.size() > limits::kRequestLineBytesMax) {
    return refuse(414, "request line too long");
  }
  if (text_.size() > limits::kHeaderBytesMax) return refuse(431, "head too large");
  if (c != '\n') return false;
  const bool empty_line = text_.size() - line_start_ == kLineEnd.size();
  line_start_ = text_.size();
  if (start_line_end_ == 0 && empty_line) {  // RFC 9112 2.2: one may precede the request line
    if (skipped_line_) return refuse(400, "empty request line");
    clear();
    skipped_line_ = true;
    return false;
  }
  if (start_line_end_ == 0) start_line_end_ = text_.size();
  return empty_line;
}

std::string_view HeadBuffer::start_line() const {
  return std::string_view(text_).substr(0, start_line_end_ - kLineEnd.size());
}

std::string_view HeadBuffer::field_lines() const {
  return std::string_view(text_).substr(start_line_end_,
                                        text_.size() - start_line_end_ - kLineEnd.size());
}

void HeadBuffer::clear() {
  text_.clear();
  start_line_end_ = line_start_ = 0;
  skipped_line_ = false;
  refusal_ = {};
}

Refusal parse_fields(std::string_view lines, std::vector<Header>& out) {
  while (!lines.empty()) {
    const size_t end = lines.find(kLineEnd);
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + kLineEnd.size());
    if (line.front() == ' ' || line.front() == '\t') return {400, "folded header line"};
    const size_t colon = line.find(':');
    if (colon == line.npos) return {400, "header line without colon"};
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim(line.substr(colon + 1));
    if (!is_token(name)) return {400, "malformed header name"};
    if (!is_field_value(value)) return {400, "control character in header value"};
    if (out.size() >= kFieldsMax) return {431, "too many header lines"};
    out.push_back({lower(name), std::string(value)});
  }
  return {};
}

Refusal read_framing(const std::vector<Header>& headers, Framing& out) {
  for (const Header& each : headers) {
    if (each.name == "transfer-encoding") {
      if (out.chunked) return {400, "repeated transfer-encoding"};
      if (!is_same_ignoring_case(each.value, "chunked"))
        return {501, "transfer-encoding not supported"};
      out.chunked = true;
    }
    if (each.name == "content-length") {
      if (out.has_length) return {400, "repeated content-length"};
      // Nineteen digits fit 64 bits; a longer number is not a length of anything.
      const auto length = each.value.size() < 20 ? parse_unsigned(each.value) : std::nullopt;
      if (!length) return {400, "malformed content-length"};
      out.has_length = true;
      out.length = *length > SIZE_MAX ? SIZE_MAX : static_cast<size_t>(*length);
    }
  }
  if (out.chunked && out.has_length) return {400, "content-length with transfer-encoding"};
  return {};
}

}  // namespace coracle::http
