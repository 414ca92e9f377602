// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/secure_stream.h"

namespace coracle::http {
namespace {

constexpr size_t kRecordBytes = 16 * 1024;       // the most that one TLS record holds
constexpr Duration kStallTimeout = seconds(60);  // nothing taken for so long: the peer is gone
constexpr size_t kIdleBufferBytes = 1024;        // a larger buffer is given back when it is empty

}  // namespace

SecureStream::SecureStream(port::Clock& clock,
                           std::unique_ptr<TlsSession> tls,
                           SecureEvents& events)
    : clock_(clock),
      tls_(std::move(tls)),
      events_(events) {}

SecureStream::~SecureStream() {
  clock_.cancel_turn_end(*this);
}

void SecureStream::accept(std::unique_ptr<port::Stream> stream, std::string_view early) {
  stream_ = std::move(stream);
  stream_->listen_to(*this);
  on_bytes(early);
  if (!ended_ && !paused_) stream_->pause_reading(false);
}

void SecureStream::connect(port::Network& network, const port::Endpoint& to) {
  stream_ = network.connect(to, *this);
}

// Whole records are encrypted straight from the caller's bytes; only the rest is copied.
void SecureStream::write(std::string_view bytes) {
  if (finishing_ || ended_ || bytes.empty()) return;
  wrote_ = true;
  wake();
  while (plain_.size() + bytes.size() >= kRecordBytes) {
    const size_t taken = kRecordBytes - plain_.size();
    if (plain_.empty()) {
      tls_->write(bytes.substr(0, taken));
    } else {
      plain_.append(bytes.substr(0, taken));
      tls_->write(plain_);
      plain_.clear();
    }
    bytes.remove_prefix(taken);
  }
  plain_.append(bytes);
}

size_t SecureStream::unsent() const {
  return plain_.size() + tls_->output_bytes() + stream_->queued();
}

void SecureStream::wake() {
  if (!ended_) clock_.at_turn_end(*this);
}

void SecureStream::pause(bool paused) {
  if (paused == paused_ || ended_) return;
  paused_ = paused;
  stream_->pause_reading(paused);
  if (!paused && has_input_) wake();
}

void SecureStream::finish() {
  if (finishing_ || ended_) return;
  finishing_ = true;
  wake();
}

void SecureStream::on_connected() {
  pump();
}

void SecureStream::on_bytes(std::string_view bytes) {
  if (ended_ || finishing_) return;
  tls_->receive(bytes);
  pump();
  tls_->keep_rest();
}

void SecureStream::pump() {
  const bool was_open = open_;
  open_ = tls_->handshake() == TlsSession::State::kOpen || was_open;
  if (tls_->output_bytes() > 0) wake();
  if (open_ && !was_open) events_.on_open();
  if (open_) read_plain();
  if (tls_->state() == TlsSession::State::kHandshaking ||
      tls_->state() == TlsSession::State::kOpen) {
    return;
  }
  if (tls_->state() == TlsSession::State::kClosed) return end("closed by peer");
  why_ = tls_->why();
  if (tls_->output_bytes() > 0) stream_->send(tls_->take_output());
  if (open_) return end(why_);
  // The peer should read the alert that says why: on_ended follows when it has.
  finishing_ = true;
  stream_->finish();
}

void SecureStream::read_plain() {
  char buffer[kRecordBytes];
  has_input_ = false;
  while (!finishing_ && !ended_) {
    if (paused_) {
      has_input_ = true;
      return;
    }
    const size_t bytes = tls_->read(buffer, sizeof buffer);
    if (bytes == 0) return;
    events_.on_plain({buffer, bytes});
  }
}

void SecureStream::on_turn_end() {
  if (ended_) return;
  if (has_input_ && !paused_) {
    pump();
    tls_->keep_rest();
  }
  if (!ended_ && !finishing_ && open_) events_.on_turn();
  if (!ended_) flush();
}

void SecureStream::flush() {
  tls_->write(plain_);
  plain_.clear();
  if (plain_.capacity() > kIdleBufferBytes) std::string().swap(plain_);
  if (finishing_) tls_->close();
  if (tls_->output_bytes() > 0) stream_->send(tls_->take_output());
  if (finishing_) return stream_->finish();
  if (stream_->queued() == 0) return on_drained();
  watch_for_stall();
}

// Armed while bytes wait for the peer; made on first use, because most peers keep up.
void SecureStream::watch_for_stall() {
  if (stall_ == nullptr) stall_ = clock_.timer(*this);
  if (stall_->armed()) return;
  stalled_at_ = stream_->queued();
  stall_->arm(clock_.now() + kStallTimeout);
}

void SecureStream::on_alarm(port::Timer&) {
  if (ended_ || stream_->queued() == 0) return;
  if (stream_->queued() >= stalled_at_) return end("peer takes nothing");
  watch_for_stall();
}

void SecureStream::on_drained() {
  if (stall_ != nullptr) stall_->disarm();
  if (ended_ || finishing_ || !wrote_ || unsent() > 0) return;
  wrote_ = false;
  events_.on_sent();
}

void SecureStream::on_closed(std::string_view why) {
  if (why_.empty()) why_ = why;
  end(why_);
}

void SecureStream::end(std::string_view why) {
  if (ended_) return;
  ended_ = true;
  events_.on_ended(why);
}

}  // namespace coracle::http
