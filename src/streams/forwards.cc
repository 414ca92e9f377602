// SPDX-License-Identifier: GPL-2.0-or-later
#include "streams/forwards.h"

#include <utility>

#include "base/bytes.h"

namespace coracle::streams {
namespace {

constexpr size_t kHeldBytesMax = 128 * 1024;  // on the way to the pod; then the client waits
constexpr std::string_view kHosts[] = {"127.0.0.1", "::1"};

}  // namespace

Forward::Forward(api::PodStreams& pods, api::ObjectRef pod, uint16_t port, ForwardCarrier& carrier)
    : pods_(pods),
      pod_(std::move(pod)),
      carrier_(carrier),
      port_(port) {}

void Forward::start() {
  if (std::exchange(started_, true) || over_) return;
  connect(kHosts[0]);
}

void Forward::connect(std::string_view host) {
  port::StreamEvents& events = *this;
  Result<std::unique_ptr<port::Stream>> stream =
      pods_.connect(*pod_, {std::string(host), port_}, events);
  if (!stream) return fail(stream.error().message);
  stream_ = std::move(*stream);
}

void Forward::on_connected() {
  connected_ = true;
  if (!early_.empty()) stream_->send(std::exchange(early_, {}));
  if (client_ended_) stream_->end_sending();
  on_drained();
}

void Forward::take(std::string_view bytes) {
  if (over_) return;
  if (connected_)
    stream_->send(std::string(bytes));
  else
    early_ += bytes;
  const size_t held = connected_ ? stream_->queued() : early_.size();
  if (held < kHeldBytesMax || holding_) return;
  holding_ = true;
  carrier_.hold_client(true);
}

void Forward::on_drained() {
  if (!std::exchange(holding_, false)) return;
  carrier_.hold_client(false);
}

void Forward::client_ended() {
  client_ended_ = true;
  if (connected_) stream_->end_sending();
}

void Forward::on_bytes(std::string_view bytes) {
  carrier_.send(data_, bytes);
  if (!carrier_.is_full() || paused_) return;
  paused_ = true;
  stream_->pause_reading(true);
}

void Forward::resume() {
  if (std::exchange(paused_, false) && stream_ != nullptr) stream_->pause_reading(false);
}

// "localhost" is tried as upstream does: the old protocol first.
void Forward::on_closed(std::string_view why) {
  if (connected_) return finish();
  if (first_error_.empty()) {
    first_error_ = why;
    return connect(kHosts[1]);
  }
  fail(first_error_);
}

void Forward::fail(std::string_view why) {
  const std::string port = std::to_string(port_);
  carrier_.send(error_, join({"error forwarding port ", port, " to pod ", pod_->uid(),
                              ", uid : failed to connect to localhost:", port,
                              " inside namespace of pod ", pod_->name(), ": ", why}));
  finish();
}

void Forward::finish() {
  if (over_) return;
  carrier_.end(data_);
  carrier_.end(error_);
  drop();
}

// The stream goes with this, after the event that it may be calling.
void Forward::drop() {
  if (std::exchange(over_, true)) return;
  on_drained();
  carrier_.on_forward_over();
}

}  // namespace coracle::streams
