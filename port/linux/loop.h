// SPDX-License-Identifier: GPL-2.0-or-later
// The one event loop. A turn is: deferred calls, due timers, then input from the kernel; turn ends
// run after the timers and again after the input, so each batch is closed before the loop may
// sleep. An idle loop has no timer of its own and never wakes up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <uv.h>

#include "base/list.h"
#include "port/clock.h"

namespace coracle::port_linux {

// Something to report on the next turn because reporting it now would re-enter its listener.
// Destroying or unlinking it cancels the report.
class Deferred : public Link<Deferred> {
 public:
  virtual void run_deferred() = 0;

 protected:
  ~Deferred() = default;
};

class Loop {
 public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();  // every handle's owner must be gone

  void run();
  void stop() { uv_stop(&uv_); }
  uv_loop_t* uv() { return &uv_; }
  Mono now() const { return {static_cast<int64_t>(uv_now(&uv_)) * 1'000'000}; }

  void defer(Deferred& what);
  void at_turn_end(port::TurnEnd& what);
  void cancel_turn_end(port::TurnEnd& what);

  // Shared by all readers: bytes are handed to the listener before the next read.
  uv_buf_t read_buffer() {
    return uv_buf_init(buffer_.data(), static_cast<unsigned>(buffer_.size()));
  }
  uint64_t turns() const { return turns_; }  // times the loop came back from the kernel

 private:
  static void on_idle(uv_idle_t* handle) noexcept;
  static void on_prepare(uv_prepare_t* handle) noexcept;
  static void on_check(uv_check_t* handle) noexcept;
  void run_deferred();
  void run_turn_ends();
  void stay_awake();

  uv_loop_t uv_;
  uv_idle_t idle_;
  uv_prepare_t prepare_;
  uv_check_t check_;
  std::array<List<Deferred>, 2> deferred_;
  size_t deferred_now_ = 0;
  std::vector<port::TurnEnd*> turn_ends_;
  std::vector<port::TurnEnd*> turn_ends_running_;
  uint64_t turns_ = 0;
  std::array<char, 64 * 1024> buffer_;
};

// A libuv handle whose memory outlives its owner: uv_close() now, delete in the close callback.
struct UvCloser {
  template <class Handle>
  void operator()(Handle* handle) const {
    handle->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
  }
};
template <class Handle>
using UvHandle = std::unique_ptr<Handle, UvCloser>;

}  // namespace coracle::port_linux
