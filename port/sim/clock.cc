// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/sim/clock.h"

#include <algorithm>

namespace coracle::port_sim {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

class SimTimer : public port::Timer, private Event {
 public:
  SimTimer(Timeline& timeline, const SimClock& clock, port::Alarm& alarm)
      : Event(timeline),
        timeline_(timeline),
        clock_(clock),
        alarm_(alarm) {}
  void arm(Mono at) override {
    const int64_t left = std::max<int64_t>(1, clock_.world_time((at - clock_.now()).ns));
    schedule(timeline_.now() +
             nanoseconds((left + kMillisecond - 1) / kMillisecond * kMillisecond));
  }
  void disarm() override { cancel(); }
  bool armed() const override { return scheduled(); }

 private:
  void fire() override { alarm_.on_alarm(*this); }

  Timeline& timeline_;
  const SimClock& clock_;
  port::Alarm& alarm_;
};

}  // namespace

std::unique_ptr<port::Timer> SimClock::timer(port::Alarm& alarm) {
  return std::make_unique<SimTimer>(timeline_, *this, alarm);
}

}  // namespace coracle::port_sim
