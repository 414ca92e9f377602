// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/websocket.h"

#include <algorithm>

#include "base/bytes.h"
#include "http/sha1.h"
#include "http/syntax.h"

namespace coracle::http {
namespace {

constexpr std::string_view kAcceptSalt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3
constexpr size_t kKeyBytes = 24;                                                  // 16 in base64
constexpr uint8_t kFinal = 0x80;
constexpr uint8_t kReserved = 0x70;
constexpr uint8_t kMasked = 0x80;
constexpr uint8_t kLength16 = 126;
constexpr uint8_t kLength64 = 127;

}  // namespace

bool wants_websocket(const Request& request) {
  return lists(request.header("connection"), "upgrade") &&
         is_same_ignoring_case(request.header("upgrade"), "websocket");
}

std::string websocket_accept(const Request& request) {
  const std::string_view key = request.header("sec-websocket-key");
  if (request.header("sec-websocket-version") != "13" || key.size() != kKeyBytes) return {};
  return base64(sha1(join({key, kAcceptSalt})));
}

void append_frame(std::string& out, Opcode opcode, std::initializer_list<std::string_view> parts) {
  uint64_t bytes = 0;
  for (const std::string_view part : parts)
    bytes += part.size();
  out += static_cast<char>(kFinal | static_cast<uint8_t>(opcode));
  int length_bytes = 0;
  if (bytes < kLength16) {
    out += static_cast<char>(bytes);
  } else {
    length_bytes = bytes <= 0xffff ? 2 : 8;
    out += static_cast<char>(length_bytes == 2 ? kLength16 : kLength64);
  }
  for (int i = length_bytes - 1; i >= 0; i--)
    out += static_cast<char>(bytes >> (8 * i));
  for (const std::string_view part : parts)
    out += part;
}

std::string close_frame(uint16_t code, std::string_view why) {
  const char number[2] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  std::string out;
  append_frame(out, Opcode::kClose, {{number, 2}, why.substr(0, 120)});
  return out;
}

size_t WebSocketReader::head_bytes() const {
  if (head_used_ < 2) return 2;
  const uint8_t length = static_cast<uint8_t>(head_[1]) & 0x7f;
  const size_t extended = length == kLength64 ? 8 : length == kLength16 ? 2 : 0;
  return 2 + extended + 4;
}

bool WebSocketReader::receive(std::string_view bytes, WebSocketEvents& events) {
  while (!stopped_ && !broken_ && !bytes.empty()) {
    if (in_payload_) {
      take_payload(bytes, events);
      continue;
    }
    head_[head_used_++] = bytes.front();
    bytes.remove_prefix(1);
    if (head_used_ < head_bytes()) continue;
    broken_ = !begin_frame();
    if (!broken_ && left_ == 0) end_frame(events);
  }
  return !broken_;
}

bool WebSocketReader::begin_frame() {
  const auto first = static_cast<uint8_t>(head_[0]);
  const auto second = static_cast<uint8_t>(head_[1]);
  const size_t length_end = head_used_ - 4;
  head_used_ = 0;
  if ((first & kReserved) != 0 || (second & kMasked) == 0) return false;  // clients must mask
  final_ = (first & kFinal) != 0;
  const auto opcode = static_cast<Opcode>(first & 0x0f);
  left_ = second & 0x7f;
  if (length_end > 2) left_ = 0;
  for (size_t i = 2; i < length_end; i++)
    left_ = left_ << 8 | static_cast<uint8_t>(head_[i]);
  std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(length_end), mask_.size(), mask_.begin());
  masked_ = 0;
  in_payload_ = true;
  opcode_ = opcode;
  if (opcode == Opcode::kClose || opcode == Opcode::kPing || opcode == Opcode::kPong)
    return final_ && left_ <= kControlBytesMax;
  if (opcode == Opcode::kContinuation) return in_message_;
  const bool fits = (opcode == Opcode::kText || opcode == Opcode::kBinary) && !in_message_;
  in_message_ = true;
  return fits;
}

void WebSocketReader::take_payload(std::string_view& bytes, WebSocketEvents& events) {
  const size_t count = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
  std::string plain(bytes.substr(0, count));
  bytes.remove_prefix(count);
  left_ -= count;
  for (char& c : plain)
    c = static_cast<char>(c ^ mask_[masked_++ % mask_.size()]);
  if (!is_control()) {
    if (!plain.empty()) events.on_message(plain, false);
  } else {
    control_ += plain;
  }
  if (!stopped_ && left_ == 0) end_frame(events);
}

void WebSocketReader::end_frame(WebSocketEvents& events) {
  in_payload_ = false;
  const std::string control = std::exchange(control_, {});
  if (opcode_ == Opcode::kPing) return events.on_ping(control);
  if (opcode_ == Opcode::kClose) {
    stop();
    return events.on_close();
  }
  if (is_control()) return;  // a pong that nobody asked for
  in_message_ = !final_;
  if (final_) events.on_message({}, true);
}

}  // namespace coracle::http
