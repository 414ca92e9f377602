// SPDX-License-Identifier: GPL-2.0-or-later
// A machine's view of virtual time: timers on whole milliseconds, a wall clock that may be wrong,
// and a rate that may differ from other machines'.
#pragma once

#include <memory>

#include "port/clock.h"
#include "port/sim/timeline.h"

namespace coracle::port_sim {

class SimClock : public port::Clock {
 public:
  explicit SimClock(Timeline& timeline) : timeline_(timeline) {}
  Mono now() const override { return Mono{timeline_.now().ns / 1000 * rate_ + rest()}; }
  Wall wall() const override { return Wall{now().ns} + wall_offset_; }
  std::unique_ptr<port::Timer> timer(port::Alarm& alarm) override;
  void at_turn_end(port::TurnEnd& what) override { timeline_.at_turn_end(what); }
  void cancel_turn_end(port::TurnEnd& what) override { timeline_.cancel_turn_end(what); }

  // That passes in the world while so much passes here, rounded up.
  int64_t world_time(int64_t ns) const {
    if (rate_ == 1000) return ns;
    return ns / rate_ * 1000 + ns % rate_ * 1000 / rate_ + 2;
  }

  void set_wall(Wall at) { wall_offset_ = at - Wall{now().ns}; }
  // How fast it runs: in permille of the world's time. Before anybody uses it.
  void set_rate(uint64_t permille) { rate_ = static_cast<int64_t>(permille); }

 private:
  int64_t rest() const { return timeline_.now().ns % 1000 * rate_ / 1000; }

  Timeline& timeline_;
  int64_t rate_ = 1000;
  Duration wall_offset_ = seconds(1'700'000'000);
};

}  // namespace coracle::port_sim
