// SPDX-License-Identifier: GPL-2.0-or-later
// A machine's view of virtual time: timers on whole milliseconds, and a wall clock that may be
// wrong.
#pragma once

#include <memory>

#include "port/clock.h"
#include "port/sim/timeline.h"

namespace coracle::port_sim {

class SimClock : public port::Clock {
 public:
  explicit SimClock(Timeline& timeline) : timeline_(timeline) {}
  Mono now() const override { return timeline_.now(); }
  Wall wall() const override { return Wall{timeline_.now().ns} + wall_offset_; }
  std::unique_ptr<port::Timer> timer(port::Alarm& alarm) override;
  void at_turn_end(port::TurnEnd& what) override { timeline_.at_turn_end(what); }
  void cancel_turn_end(port::TurnEnd& what) override { timeline_.cancel_turn_end(what); }

  void set_wall(Wall at) { wall_offset_ = at - Wall{timeline_.now().ns}; }

 private:
  Timeline& timeline_;
  Duration wall_offset_ = seconds(1'700'000'000);
};

}  // namespace coracle::port_sim
