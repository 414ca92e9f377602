// SPDX-License-Identifier: GPL-2.0-or-later
// One TCP or local connection. The libuv handle and its requests live in a StreamCore, which
// outlives the stream until libuv has let go of it; a core without owner swallows every callback.
#pragma once

#include <string>

#include "port/linux/loop.h"
#include "port/net.h"

namespace coracle::port_linux {

class LoopStream;
class LoopListener;

struct StreamCore {
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
  uv_connect_t connect;
  uv_shutdown_t shutdown;
  LoopStream* owner = nullptr;       // of a connection
  LoopListener* listener = nullptr;  // of a listening socket

  static StreamCore* of(const void* handle) {
    return static_cast<StreamCore*>(static_cast<const uv_handle_t*>(handle)->data);
  }
};

struct CoreCloser {
  void operator()(StreamCore* core) const;
};
using OwnedCore = std::unique_ptr<StreamCore, CoreCloser>;

OwnedCore new_tcp_core(Loop& loop);
OwnedCore new_pipe_core(Loop& loop);

class LoopStream : public port::Stream, private Deferred, private port::Alarm {
 public:
  LoopStream(Loop& loop, OwnedCore core, port::Endpoint peer);
  ~LoopStream() override;

  void listen_to(port::StreamEvents& events) override;
  void send(std::string bytes) override;
  size_t queued() const override;
  void pause_reading(bool paused) override;
  void end_sending() override;
  void finish() override;
  port::Endpoint peer() const override { return peer_; }

  StreamCore& core() { return *core_; }
  void accepted() { connected_ = true; }
  void close_later(std::string why);  // reports on_closed on the next turn

  static void on_connect(uv_connect_t* request, int status) noexcept;

 private:
  struct Write;
  static void on_write(uv_write_t* request, int status) noexcept;
  static void on_shutdown(uv_shutdown_t* request, int status) noexcept;
  static void on_allocate(uv_handle_t* handle, size_t hint, uv_buf_t* out) noexcept;
  static void on_read(uv_stream_t* stream, ssize_t bytes, const uv_buf_t* buffer) noexcept;
  void run_deferred() override { close(why_); }
  void on_alarm(port::Timer& timer) override;
  void connected(int status);
  void received(ssize_t bytes, const char* data);
  void written(int status);
  void shut_down();
  void linger();
  void read_if_wanted();
  void close(std::string_view why);

  Loop& loop_;
  OwnedCore core_;
  port::Endpoint peer_;
  port::StreamEvents* events_ = nullptr;
  std::unique_ptr<port::Timer> linger_;  // while finish() waits for the peer to close
  std::string why_;
  bool connected_ = false;
  bool paused_ = false;
  bool backlog_ = false;  // queued() was > 0 since the last on_drained
  bool finishing_ = false;
  bool half_closed_ = false;  // end_sending() was called
};

}  // namespace coracle::port_linux
