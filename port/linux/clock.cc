// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/clock.h"

#include <algorithm>

#include <time.h>

namespace coracle::port_linux {
namespace {

class LoopTimer : public port::Timer {
 public:
  LoopTimer(Loop& loop, port::Alarm& alarm) : loop_(loop), alarm_(alarm), handle_(new uv_timer_t) {
    uv_timer_init(loop.uv(), handle_.get());
    handle_->data = this;
  }
  void arm(Mono at) override;
  void disarm() override { uv_timer_stop(handle_.get()); }
  bool armed() const override {
    return uv_is_active(reinterpret_cast<const uv_handle_t*>(handle_.get())) != 0;
  }

 private:
  static void on_due(uv_timer_t* handle) noexcept {
    LoopTimer* timer = static_cast<LoopTimer*>(handle->data);
    timer->alarm_.on_alarm(*timer);
  }

  Loop& loop_;
  port::Alarm& alarm_;
  UvHandle<uv_timer_t> handle_;
};

// At least one millisecond: with 0 a timer that its own alarm arms again would run for ever inside
// one turn.
void LoopTimer::arm(Mono at) {
  const int64_t left_ns = (at - loop_.now()).ns;
  const int64_t left_ms = std::max<int64_t>(1, left_ns / 1'000'000 + (left_ns % 1'000'000 > 0));
  uv_timer_start(handle_.get(), on_due, static_cast<uint64_t>(left_ms), 0);
}

}  // namespace

Wall LoopClock::wall() const {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return {static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec};
}

std::unique_ptr<port::Timer> LoopClock::timer(port::Alarm& alarm) {
  return std::make_unique<LoopTimer>(loop_, alarm);
}

}  // namespace coracle::port_linux
