// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/request_parser.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"
#include "http/syntax.h"

namespace coracle::http {
namespace {

// Taken at once from what a client announces; more only as it arrives.
constexpr size_t kBodyReserveMax = 64 * 1024;

bool is_host(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 ||
           std::string_view("/?#@\\,").find(c) != std::string_view::npos;
  });
}

bool is_version(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() == 8 && text.substr(0, 5) == "HTTP/" && is_digit(text[5]) && text[6] == '.' &&
         is_digit(text[7]);
}

}  // namespace

RequestParser::Phase RequestParser::feed(std::string_view& input) {
  if (phase_ == Phase::kHead) {
    if (!head_.add(input)) return phase_;
    if (head_.refusal()) return refuse(head_.refusal());
    if (const Refusal refusal = read_head()) return refuse(refusal);
    begin_body();
  }
  if (phase_ != Phase::kBody) return phase_;
  return framing_.chunked ? feed_chunked(input) : feed_sized(input);
}

void RequestParser::restart() {
  phase_ = Phase::kHead;
  head_.clear();
  request_ = {};
  framing_ = {};
  chunks_ = {};
  keeps_alive_ = true;
  http10_ = wants_continue_ = false;
}

RequestParser::Phase RequestParser::refuse(Refusal refusal) {
  refusal_ = refusal;
  return phase_ = Phase::kRefused;
}

RequestParser::Phase RequestParser::begin_body() {
  const bool none = !framing_.chunked && framing_.length == 0;
  if (none) return phase_ = Phase::kDone;
  request_.body.reserve(std::min(framing_.length, kBodyReserveMax));
  return phase_ = Phase::kBody;
}

Refusal RequestParser::read_head() {
  if (const Refusal refusal = read_request_line(head_.start_line())) return refusal;
  if (const Refusal refusal = parse_fields(head_.field_lines(), request_.headers)) return refusal;
  head_.clear();
  if (const Refusal refusal = read_framing(request_.headers, framing_)) return refusal;
  if (http10_ && framing_.chunked) return {400, "transfer-encoding in HTTP/1.0"};
  if (framing_.length > limits::kBodyBytesMax) return {413, "limit is 3145728"};
  return read_connection_fields();
}

// method SP request-target SP HTTP-version
Refusal RequestParser::read_request_line(std::string_view line) {
  const std::vector<std::string_view> words = split(line, ' ');
  if (words.size() != 3 || !is_version(words[2])) return {400, "malformed request line"};
  const MethodKind kind = method_kind(words[0]);
  if (kind == MethodKind::kMalformed) return {400, "malformed method"};
  if (words[2] != "HTTP/1.1" && words[2] != "HTTP/1.0") return {505, "HTTP/1.1 is served"};
  if (kind == MethodKind::kUnknown) return {501, "method not implemented"};
  auto target = parse_target(words[1]);
  if (!target) return {400, "malformed request target"};
  request_.method = words[0];
  request_.path = std::move(target->path);
  request_.query = std::move(target->query);
  http10_ = words[2] == "HTTP/1.0";
  keeps_alive_ = !http10_;
  return {};
}

Refusal RequestParser::read_connection_fields() {
  size_t hosts = 0;
  for (const Header& each : request_.headers) {
    if (each.name == "host") {
      hosts++;
      if (!is_host(each.value)) return {400, "malformed host"};
    }
    if (each.name == "connection" && lists(each.value, "close")) keeps_alive_ = false;
    if (each.name == "expect") {
      if (!is_same_ignoring_case(each.value, "100-continue")) return {417, "only 100-continue"};
      wants_continue_ = !http10_ && (framing_.chunked || framing_.length > 0);
    }
  }
  if (hosts > 1 || (hosts == 0 && !http10_)) return {400, "one host header is required"};
  return {};
}

RequestParser::Phase RequestParser::feed_sized(std::string_view& input) {
  const size_t taken = std::min(framing_.length - request_.body.size(), input.size());
  // What is on its way is worth one allocation: doubling would hold it twice over.
  if (request_.body.size() + taken > request_.body.capacity())
    request_.body.reserve(framing_.length);
  request_.body.append(input.substr(0, taken));
  input.remove_prefix(taken);
  if (taken > 0) wants_continue_ = false;
  if (request_.body.size() == framing_.length) phase_ = Phase::kDone;
  return phase_;
}

RequestParser::Phase RequestParser::feed_chunked(std::string_view& input) {
  if (!input.empty()) wants_continue_ = false;
  std::string_view data;
  for (;;) {
    const ChunkedDecoder::Step step = chunks_.next(input, data);
    if (step == ChunkedDecoder::Step::kMore) return phase_;
    if (step == ChunkedDecoder::Step::kEnd) return phase_ = Phase::kDone;
    if (step == ChunkedDecoder::Step::kBad) return refuse({400, "malformed chunk"});
    if (request_.body.size() + data.size() > limits::kBodyBytesMax)
      return refuse({413, "limit is 3145728"});
    request_.body.append(data);
  }
}

}  // namespace coracle::http
