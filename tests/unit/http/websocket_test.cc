// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/websocket.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "http/sha1.h"

namespace coracle::http {
namespace {

struct Heard : WebSocketEvents {
  void on_message(std::string_view part, bool ends) override {
    log += part;
    if (ends) log += "|";
  }
  void on_ping(std::string_view payload) override { log += join({"<ping ", payload, ">"}); }
  void on_close() override { log += "<close>"; }
  std::string log;
};

// A frame as clients send it: masked.
std::string client_frame(uint8_t first, std::string_view payload) {
  std::string out(1, static_cast<char>(first));
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else if (payload.size() <= 0xffff) {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size());
  } else {
    out += static_cast<char>(0x80 | 127);
    for (int shift = 56; shift >= 0; shift -= 8)
      out += static_cast<char>(uint64_t{payload.size()} >> shift);
  }
  const std::string mask = "\x11\x22\x33\x44";
  out += mask;
  for (size_t i = 0; i < payload.size(); i++)
    out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

std::string read(std::string_view bytes, size_t piece = SIZE_MAX) {
  WebSocketReader reader;
  Heard heard;
  while (!bytes.empty()) {
    if (!reader.receive(bytes.substr(0, piece), heard)) return heard.log + "<broken>";
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return heard.log;
}

TEST(WebSocket, TheHandshakeAnswersTheKey) {  // RFC 6455 1.3
  EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(sha1(std::string(119, 'a'))), "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56");
  Request request;
  request.headers = {{"connection", "keep-alive, Upgrade"},
                     {"upgrade", "WebSocket"},
                     {"sec-websocket-version", "13"},
                     {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="}};
  EXPECT_TRUE(wants_websocket(request));
  EXPECT_EQ(websocket_accept(request), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  request.headers[2].value = "8";
  EXPECT_EQ(websocket_accept(request), "");
  request.headers[0].value = "close";
  EXPECT_FALSE(wants_websocket(request));
}

TEST(WebSocket, ReadsMessagesHoweverTheyAreCut) {
  const std::string large(70'000, 'x');
  const std::string bytes = client_frame(0x82, "one") + client_frame(0x89, "hi") +
                            client_frame(0x02, "tw") + client_frame(0x89, "") +
                            client_frame(0x80, "o") + client_frame(0x81, "") +
                            client_frame(0x82, std::string(300, 'm')) + client_frame(0x82, large) +
                            client_frame(0x88, "\x03\xe8") + "not read any more";
  const std::string expected =
      join({"one|<ping hi>tw<ping >o||", std::string(300, 'm'), "|", large, "|<close>"});
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{4096}, SIZE_MAX})
    EXPECT_EQ(read(bytes, piece), expected) << piece;
}

TEST(WebSocket, RefusesWhatTheProtocolDoesNotAllow) {
  EXPECT_EQ(read("\x82\x05hello"), "<broken>") << "not masked";
  EXPECT_EQ(read(client_frame(0xc2, "x")), "<broken>") << "a reserved bit";
  EXPECT_EQ(read(client_frame(0x83, "x")), "<broken>") << "a reserved opcode";
  EXPECT_EQ(read(client_frame(0x80, "x")), "<broken>") << "a continuation of nothing";
  EXPECT_EQ(read(client_frame(0x02, "x") + client_frame(0x82, "y")), "x<broken>");
  EXPECT_EQ(read(client_frame(0x09, "x")), "<broken>") << "a ping in pieces";
  EXPECT_EQ(read(client_frame(0x89, std::string(126, 'x'))), "<broken>") << "a long ping";
}

TEST(WebSocket, WritesFramesOfEveryLength) {
  std::string out;
  append_frame(out, Opcode::kBinary, {"\x01", "text"});
  EXPECT_EQ(out, "\x82\x05\x01text");
  out.clear();
  append_frame(out, Opcode::kBinary, {std::string(126, 'x')});
  EXPECT_EQ(out.substr(0, 4), std::string("\x82\x7e\x00\x7e", 4));
  out.clear();
  append_frame(out, Opcode::kBinary, {std::string(65'536, 'x')});
  EXPECT_EQ(out.substr(0, 10), std::string("\x82\x7f\0\0\0\0\0\1\0\0", 10));
  EXPECT_EQ(close_frame(1000, "bye"),
            "\x88\x05\x03\xe8"
            "bye");
}

}  // namespace
}  // namespace coracle::http
