// SPDX-License-Identifier: GPL-2.0-or-later
// HTTP/1.1 answers out of a byte stream, as strict as RequestParser. Bodies are handed on in
// pieces, never gathered.
#pragma once

#include <string_view>
#include <vector>

#include "http/chunked.h"
#include "http/head.h"

namespace coracle::http {

class ResponseParser {
 public:
  enum class Step : uint8_t {
    kMore,  // all input taken
    kHead,  // status() and headers() are known
    kData,  // `data` is a piece of the body
    kEnd,   // the answer is complete
    kBad,
  };
  void restart(bool head_only);  // before each answer; head_only: it answers a HEAD
  Step next(std::string_view& input, std::string_view& data);
  // The connection ended: kEnd if that is how this body is delimited, else kBad.
  Step end_of_input();

  bool started() const { return phase_ != Phase::kHead || !head_.empty(); }
  int status() const { return status_; }
  const std::vector<Header>& headers() const { return headers_; }
  bool keeps_alive() const { return keeps_alive_; }

 private:
  enum class Phase : uint8_t { kHead, kLength, kChunks, kUntilClose, kEnd };
  bool read_head();
  bool read_status_line(std::string_view line);

  Phase phase_ = Phase::kHead;
  HeadBuffer head_;
  ChunkedDecoder chunks_;
  std::vector<Header> headers_;
  size_t left_ = 0;
  int status_ = 0;
  bool head_only_ = false;
  bool keeps_alive_ = true;
};

}  // namespace coracle::http
