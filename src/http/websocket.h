// SPDX-License-Identifier: GPL-2.0-or-later
// The server's side of WebSocket (RFC 6455): bytes in, parts of messages out, and frames to send.
// Messages are passed on as they come and never gathered; no extensions.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace coracle::http {

bool wants_websocket(const Request& request);
// Value of Sec-WebSocket-Accept for the request's Sec-WebSocket-Key; empty: no usable key, or
// another version than 13.
std::string websocket_accept(const Request& request);

enum class Opcode : uint8_t { kContinuation, kText, kBinary, kClose = 8, kPing, kPong };

// The frame's head and then `parts`, as one whole message.
void append_frame(std::string& out, Opcode opcode, std::initializer_list<std::string_view> parts);
std::string close_frame(uint16_t code, std::string_view why);

class WebSocketEvents {
 public:
  // A part of a text or binary message; `ends` comes once for each, maybe with no bytes.
  virtual void on_message(std::string_view part, bool ends) = 0;
  virtual void on_ping(std::string_view payload) = 0;  // is answered with a pong of the same
  virtual void on_close() = 0;                         // nothing follows

 protected:
  ~WebSocketEvents() = default;
};

class WebSocketReader {
 public:
  // False: the peer does not keep to the protocol; nothing more is read. An event may end it, by
  // stop().
  bool receive(std::string_view bytes, WebSocketEvents& events);
  void stop() { stopped_ = true; }

 private:
  static constexpr size_t kHeadBytesMax = 14;
  static constexpr size_t kControlBytesMax = 125;

  size_t head_bytes() const;  // that the frame needs, as far as is known
  bool begin_frame();
  void take_payload(std::string_view& bytes, WebSocketEvents& events);
  void end_frame(WebSocketEvents& events);
  bool is_control() const { return opcode_ >= Opcode::kClose; }

  std::array<char, kHeadBytesMax> head_{};
  size_t head_used_ = 0;
  bool in_payload_ = false;
  bool final_ = false;
  bool in_message_ = false;  // a continuation is due
  Opcode opcode_ = Opcode::kBinary;
  uint64_t left_ = 0;  // payload bytes
  std::array<char, 4> mask_{};
  size_t masked_ = 0;
  std::string control_;
  bool stopped_ = false;
  bool broken_ = false;
};

}  // namespace coracle::http
