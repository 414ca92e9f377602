// SPDX-License-Identifier: GPL-2.0-or-later
// Frames read the same however they are cut into pieces, and headers keep within their bounds.
#include "http/spdy.h"

#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/limits.h"

using namespace coracle;

namespace {

struct Heard final : http::SpdyEvents {
  bool on_stream(uint32_t stream, const std::vector<http::Header>& headers) override {
    size_t count = 0;
    for (const http::Header& each : headers) {
      count += each.name.size() + each.value.size();
      log.append(each.name).append("=").append(each.value).append(";");
    }
    ASSERT(count <= limits::kHeaderBytesMax + 1024);
    log += std::to_string(stream);
    return stream % 4 == 1;
  }
  void on_stream_data(uint32_t stream, std::string_view bytes) override {
    if (stream != last) log += std::to_string(stream);
    last = stream;
    log += bytes;
  }
  void on_stream_end(uint32_t) override { log += "."; }
  void on_stream_reset(uint32_t) override { log += "!"; }
  void on_goaway() override { log += "~"; }
  void on_spdy_out(std::string_view frames) override { out += frames; }
  std::string log;
  std::string out;
  uint32_t last = 0;
};

std::string read(std::string_view bytes, size_t piece) {
  Heard heard;
  http::Spdy spdy(heard);
  bool fine = true;
  while (!bytes.empty() && fine) {
    fine = spdy.receive(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return heard.log + "\n" + heard.out + (fine ? "" : "?");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  ASSERT(read(text, SIZE_MAX) == read(text, 1 + size % 3));
  return 0;
}
