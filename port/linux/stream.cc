// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/stream.h"

#include <utility>

#include "port/linux/clock.h"

namespace coracle::port_linux {
namespace {

// After our FIN we read on until the peer closes: closing with unread input would send a reset,
// which may destroy the end of what we sent before the peer has read it.
constexpr Duration kLingerMax = seconds(2);

}  // namespace

void CoreCloser::operator()(StreamCore* core) const {
  core->owner = nullptr;
  core->listener = nullptr;
  uv_close(&core->handle, [](uv_handle_t* closed) { delete StreamCore::of(closed); });
}

OwnedCore new_tcp_core(Loop& loop) {
  OwnedCore core(new StreamCore);
  uv_tcp_init(loop.uv(), &core->tcp);
  core->handle.data = core.get();
  return core;
}

OwnedCore new_pipe_core(Loop& loop) {
  OwnedCore core(new StreamCore);
  uv_pipe_init(loop.uv(), &core->pipe, 0);
  core->handle.data = core.get();
  return core;
}

struct LoopStream::Write {
  uv_write_t request;
  std::string bytes;
};

LoopStream::LoopStream(Loop& loop, OwnedCore core, port::Endpoint peer)
    : loop_(loop),
      core_(std::move(core)),
      peer_(std::move(peer)) {
  core_->owner = this;
}

LoopStream::~LoopStream() = default;

void LoopStream::listen_to(port::StreamEvents& events) {
  events_ = &events;
  read_if_wanted();
}

// What the kernel takes at once needs no request; the rest is queued behind what is queued already.
void LoopStream::send(std::string bytes) {
  if (core_ == nullptr || finishing_ || half_closed_ || linked() || bytes.empty()) return;
  uv_buf_t buffer = uv_buf_init(bytes.data(), static_cast<unsigned>(bytes.size()));
  const int taken = uv_try_write(&core_->stream, &buffer, 1);
  if (taken < 0 && taken != UV_EAGAIN) return close_later(uv_strerror(taken));
  if (taken > 0 && static_cast<size_t>(taken) == bytes.size()) return;
  Write* write =
      new Write{{}, taken > 0 ? bytes.substr(static_cast<size_t>(taken)) : std::move(bytes)};
  write->request.data = write;
  buffer = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  const int error = uv_write(&write->request, &core_->stream, &buffer, 1, on_write);
  if (error == 0) {
    backlog_ = true;
    return;
  }
  delete write;
  close_later(uv_strerror(error));
}

size_t LoopStream::queued() const {
  return core_ == nullptr ? 0 : uv_stream_get_write_queue_size(&core_->stream);
}

void LoopStream::pause_reading(bool paused) {
  paused_ = paused;
  if (core_ == nullptr || !connected_) return;
  if (paused && !finishing_) uv_read_stop(&core_->stream);
  read_if_wanted();
}

void LoopStream::end_sending() {
  if (core_ == nullptr || finishing_ || half_closed_ || linked()) return;
  half_closed_ = true;
  if (connected_) shut_down();
}

void LoopStream::finish() {
  if (core_ == nullptr || finishing_ || linked()) return;
  finishing_ = true;
  if (half_closed_) return linger();
  if (connected_)
    shut_down();  // else connected() does it: libuv forgets a shutdown asked for too early
}

void LoopStream::shut_down() {
  const int error = uv_shutdown(&core_->shutdown, &core_->stream, on_shutdown);
  if (error != 0) close_later(uv_strerror(error));
}

void LoopStream::close_later(std::string why) {
  why_ = std::move(why);
  loop_.defer(*this);
}

void LoopStream::on_connect(uv_connect_t* request, int status) noexcept {
  StreamCore* core = StreamCore::of(request->handle);
  if (core->owner != nullptr) core->owner->connected(status);
}

void LoopStream::on_write(uv_write_t* request, int status) noexcept {
  StreamCore* core = StreamCore::of(request->handle);
  delete static_cast<Write*>(request->data);
  if (core->owner != nullptr) core->owner->written(status);
}

void LoopStream::on_shutdown(uv_shutdown_t* request, int status) noexcept {
  StreamCore* core = StreamCore::of(request->handle);
  if (core->owner != nullptr && status == 0 && core->owner->finishing_) core->owner->linger();
}

void LoopStream::on_allocate(uv_handle_t* handle, size_t, uv_buf_t* out) noexcept {
  LoopStream* owner = StreamCore::of(handle)->owner;
  *out = owner != nullptr ? owner->loop_.read_buffer() : uv_buf_init(nullptr, 0);
}

void LoopStream::on_read(uv_stream_t* stream, ssize_t bytes, const uv_buf_t* buffer) noexcept {
  StreamCore* core = StreamCore::of(stream);
  if (core->owner != nullptr && bytes != 0) core->owner->received(bytes, buffer->base);
}

void LoopStream::connected(int status) {
  if (status != 0) return close(uv_strerror(status));
  connected_ = true;
  if (finishing_ || half_closed_) shut_down();
  if (finishing_) return;
  read_if_wanted();
  if (events_ != nullptr) events_->on_connected();
}

void LoopStream::received(ssize_t bytes, const char* data) {
  if (bytes < 0)
    return close(bytes == UV_EOF ? "closed by peer" : uv_strerror(static_cast<int>(bytes)));
  if (!finishing_) events_->on_bytes({data, static_cast<size_t>(bytes)});
}

void LoopStream::written(int status) {
  if (status != 0) return close(uv_strerror(status));
  if (!backlog_ || queued() > 0) return;
  backlog_ = false;
  if (!finishing_ && events_ != nullptr) events_->on_drained();
}

void LoopStream::linger() {
  read_if_wanted();
  linger_ = LoopClock(loop_).timer(*this);
  linger_->arm(loop_.now() + kLingerMax);
}

void LoopStream::on_alarm(port::Timer&) {
  close("finished");
}

void LoopStream::read_if_wanted() {
  if (core_ == nullptr || !connected_) return;
  if (!finishing_ && (paused_ || events_ == nullptr)) return;
  uv_read_start(&core_->stream, on_allocate, on_read);  // already started is fine
}

// The last thing this stream does: the listener may destroy it.
void LoopStream::close(std::string_view why) {
  if (core_ == nullptr) return;
  linger_.reset();
  core_.reset();
  unlink();
  if (events_ != nullptr) events_->on_closed(why);
}

}  // namespace coracle::port_linux
