// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/connection.h"

#include <algorithm>

namespace coracle::http {
namespace {

constexpr Duration kFinishTimeout = seconds(10);
constexpr size_t kHelloBytesMax = 4 * 1024;  // clients send 200 to 2,000
constexpr size_t kRecordHeadBytes = 5;       // RFC 8446 5.1: type, version, length
constexpr uint8_t kHandshakeRecord = 22;

// A slot is not given to who sends nothing, or not enough to go on with. What is no hello at all is
// left to TLS to refuse.
bool is_whole_hello(std::string_view bytes) {
  if (bytes.empty()) return false;
  if (static_cast<uint8_t>(bytes[0]) != kHandshakeRecord || bytes.size() >= kHelloBytesMax)
    return true;
  if (bytes.size() < kRecordHeadBytes) return false;
  const size_t length =
      static_cast<size_t>(static_cast<uint8_t>(bytes[3]) << 8) | static_cast<uint8_t>(bytes[4]);
  return bytes.size() >= kRecordHeadBytes + length;
}

}  // namespace

Connection::Connection(const Surroundings& around, std::unique_ptr<port::Stream> stream)
    : around_(around),
      waiting_(std::move(stream)),
      timer_(around.clock.timer(*this)),
      peer_address_(waiting_->peer().host),
      started_(around.clock.now()) {
  expire_after(limits::kHeaderReadTimeout);
  waiting_->listen_to(*this);
}

Connection::~Connection() = default;

void Connection::on_bytes(std::string_view bytes) {
  hello_ += bytes;
  if (!is_whole_hello(hello_)) return;
  greeted_ = true;
  waiting_->pause_reading(true);
  around_.owner.on_hello();
}

void Connection::start(std::shared_ptr<const TlsServerContext> tls) {
  started_ = clock().now();
  expire_after(limits::kHeaderReadTimeout);
  auto session = std::make_unique<TlsSession>(std::move(tls), clock().trusted());
  SecureEvents& events = *this;
  secure_ = std::make_unique<SecureStream>(clock(), std::move(session), events);
  const std::string hello = std::exchange(hello_, {});
  secure_->accept(std::move(waiting_), hello);
}

void Connection::stop() {
  if (protocol_ != nullptr) return protocol_->stop();
  drop();
}

void Connection::drop() {
  const bool held_slot = is_shaking_hands();
  if (retired_) return;
  if (protocol_ != nullptr) protocol_->gone();
  retire();
  if (held_slot) around_.owner.on_handshake_over();
}

void Connection::expire_after(Duration wait) {
  timer_->arm(clock().now() + wait);
}
void Connection::expire_never() {
  timer_->disarm();
}

void Connection::finish() {
  if (secure_->finishing()) return;
  secure_->finish();
  expire_after(kFinishTimeout);
}

void Connection::on_open() {
  peer_ = secure_->tls().peer();
  known_ = peer_.verified;
  protocol_ = secure_->tls().chose_http2() ? speak_http2(*this) : speak_http1(*this);
  around_.owner.on_handshake_over();
}

void Connection::on_ended(std::string_view) {
  drop();
}

void Connection::on_alarm(port::Timer&) {
  if (protocol_ == nullptr || secure_->finishing()) return drop();
  protocol_->timed_out();
}

void Connection::retire() {
  retired_ = true;
  waiting_.reset();
  timer_->disarm();
  around_.owner.on_retired();
}

}  // namespace coracle::http
