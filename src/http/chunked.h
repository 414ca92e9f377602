// SPDX-License-Identifier: GPL-2.0-or-later
// Takes the chunked coding off a body (RFC 9112 section 7.1) as bytes arrive. Extensions are read
// over and trailers are checked and dropped, both bounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coracle::http {

class ChunkedDecoder {
 public:
  enum class Step : uint8_t {
    kMore,  // all input taken
    kData,  // `data` is a piece of the body, inside `input`'s bytes; call again
    kEnd,   // the body is complete; what is left in `input` is the next message
    kBad,
  };
  Step next(std::string_view& input, std::string_view& data);

 private:
  enum class Phase : uint8_t { kSize, kData, kDataEnd, kTrailer, kBad };
  Step take_data(std::string_view& input, std::string_view& data);
  bool take_line(std::string_view& input);  // true: line_ is complete, or phase_ is kBad
  void begin_chunk();
  Step end_of_trailer_line();

  Phase phase_ = Phase::kSize;
  uint64_t left_ = 0;  // of this chunk
  std::string line_;   // without CRLF
  size_t trailer_bytes_ = 0;
};

}  // namespace coracle::http
