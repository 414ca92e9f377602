// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/gzip.h"

#include <zlib.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "http/syntax.h"

namespace coracle::http {

bool accepts_gzip(std::string_view accept_encoding) {
  for (std::string_view each : split(accept_encoding, ',')) {
    const size_t semicolon = each.find(';');
    if (!is_same_ignoring_case(trim(each.substr(0, semicolon)), "gzip")) continue;
    if (semicolon == each.npos) return true;
    const std::string weight =
        lower(trim(each.substr(semicolon + 1)));  // q=0 forbids (RFC 9110 12.5.3)
    return weight.find_first_not_of("q=0.") != weight.npos;
  }
  return false;
}

std::string gzip(std::string_view bytes) {
  constexpr int kGzipWindowBits = 15 + 16;
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  // Fails only without memory or with another zlib than the header's.
  ASSERT(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindowBits, kMemoryLevel,
                      Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace coracle::http
