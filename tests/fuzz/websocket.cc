// SPDX-License-Identifier: GPL-2.0-or-later
// Frames read the same however they are cut into pieces.
#include "http/websocket.h"

#include <cstddef>
#include <cstdint>

#include "base/assert.h"

using namespace coracle;

namespace {

struct Heard final : http::WebSocketEvents {
  void on_message(std::string_view part, bool ends) override {
    log += part;
    if (ends) log += "|";
  }
  void on_ping(std::string_view payload) override { log.append("<").append(payload).append(">"); }
  void on_close() override { log += "!"; }
  std::string log;
};

std::string read(std::string_view bytes, size_t piece) {
  http::WebSocketReader reader;
  Heard heard;
  bool fine = true;
  while (!bytes.empty() && fine) {
    fine = reader.receive(bytes.substr(0, piece), heard);
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return heard.log + (fine ? "" : "?");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  ASSERT(read(text, SIZE_MAX) == read(text, 1 + size % 3));
  return 0;
}
