// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/clock.h"

#include <algorithm>

#include <time.h>

namespace coracle::port_linux {
namespace {

// "Nov 20 2026", which SOURCE_DATE_EPOCH decides in a reproducible build. Nothing of ours runs
// before the day it was built on; no compiler here is ahead of UTC by more than that day.
constexpr int64_t build_day_seconds(const char* date) {
  constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  int64_t month = 0;
  while (kMonths[month * 3] != date[0] || kMonths[month * 3 + 1] != date[1] ||
         kMonths[month * 3 + 2] != date[2])
    month++;
  const auto digit = [date](int at) { return date[at] == ' ' ? 0 : date[at] - '0'; };
  const int64_t day = digit(4) * 10 + digit(5);
  int64_t year = ((digit(7) * 10 + digit(8)) * 10 + digit(9)) * 10 + digit(10);
  // Days from the civil calendar, years beginning in March.
  const int64_t shifted = (month + 10) % 12;
  if (month < 2) year--;
  const int64_t days =
      year * 365 + year / 4 - year / 100 + year / 400 + (shifted * 153 + 2) / 5 + day - 1 - 719468;
  return (days - 1) * 86400;
}
static_assert(build_day_seconds("Jan  2 1970") == 0);
static_assert(build_day_seconds("Nov 20 2026") == 1795132800 - 86400);

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

LoopClock::LoopClock(Loop& loop) : loop_(loop) {
  raise_floor(Wall{} + seconds(build_day_seconds(__DATE__)));
}

Wall LoopClock::wall() const {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return {static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec};
}

std::unique_ptr<port::Timer> LoopClock::timer(port::Alarm& alarm) {
  return std::make_unique<LoopTimer>(loop_, alarm);
}

}  // namespace coracle::port_linux
