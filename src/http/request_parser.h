// SPDX-License-Identifier: GPL-2.0-or-later
// One HTTP/1.1 request after another out of a byte stream. Strict: what two parsers might read
// differently is refused (smuggling). Sans IO: the same bytes give the same requests however they
// are cut.
#pragma once

#include <string_view>
#include <utility>

#include "http/chunked.h"
#include "http/head.h"
#include "http/message.h"

namespace coracle::http {

class RequestParser {
 public:
  enum class Phase : uint8_t { kHead, kBody, kDone, kRefused };

  // Takes from the front of `input`; stops behind the end of a request. At kDone take the request
  // and call restart(); after kRefused the stream is of no more use.
  Phase feed(std::string_view& input);
  void restart();

  Phase phase() const { return phase_; }
  bool started() const { return phase_ != Phase::kHead || !head_.empty(); }
  Refusal refusal() const { return refusal_; }
  Request& request() { return request_; }
  bool keeps_alive() const { return keeps_alive_; }
  bool is_http10() const { return http10_; }
  bool take_continue() { return std::exchange(wants_continue_, false); }  // 100 is due, once

 private:
  Phase refuse(Refusal refusal);
  Phase begin_body();
  Refusal read_head();
  Refusal read_request_line(std::string_view line);
  Refusal read_connection_fields();
  Phase feed_sized(std::string_view& input);
  Phase feed_chunked(std::string_view& input);

  Phase phase_ = Phase::kHead;
  HeadBuffer head_;
  Request request_;
  Framing framing_;
  ChunkedDecoder chunks_;
  Refusal refusal_;
  bool keeps_alive_ = true;
  bool http10_ = false;
  bool wants_continue_ = false;
};

}  // namespace coracle::http
