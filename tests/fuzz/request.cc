// SPDX-License-Identifier: GPL-2.0-or-later
// A request reads the same however it is cut into pieces, and keeps within its bounds.
#include <cstddef>
#include <cstdint>

#include "base/limits.h"
#include "base/result.h"
#include "http/request_parser.h"

using namespace coracle;
using http::RequestParser;

namespace {

struct Reading {
  RequestParser::Phase phase = RequestParser::Phase::kHead;
  http::Request request;
  int status = 0;
};

Reading read(std::string_view text, size_t piece) {
  RequestParser parser;
  while (!text.empty()) {
    std::string_view part = text.substr(0, piece);
    text.remove_prefix(part.size());
    while (!part.empty() && parser.phase() != RequestParser::Phase::kDone &&
           parser.phase() != RequestParser::Phase::kRefused)
      parser.feed(part);
  }
  ASSERT(parser.request().body.size() <= limits::kBodyBytesMax);
  return {parser.phase(), parser.request(), parser.refusal().status};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const Reading whole = read(text, SIZE_MAX);
  const Reading pieces = read(text, 1 + size % 3);
  ASSERT(whole.phase == pieces.phase && whole.status == pieces.status);
  ASSERT((whole.phase == RequestParser::Phase::kRefused) == (whole.status >= 400));
  ASSERT(whole.request.path == pieces.request.path && whole.request.body == pieces.request.body);
  if (whole.phase == RequestParser::Phase::kDone) {
    ASSERT(whole.request.path.starts_with('/'));
    ASSERT(whole.request.path.find("//") == std::string::npos);
    http::parse_query(whole.request.query);
  }
  return 0;
}
