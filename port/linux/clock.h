// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "port/clock.h"
#include "port/linux/loop.h"

namespace coracle::port_linux {

class LoopClock : public port::Clock {
 public:
  explicit LoopClock(Loop& loop);
  Mono now() const override { return loop_.now(); }
  Wall wall() const override;
  std::unique_ptr<port::Timer> timer(port::Alarm& alarm) override;
  void at_turn_end(port::TurnEnd& what) override { loop_.at_turn_end(what); }
  void cancel_turn_end(port::TurnEnd& what) override { loop_.cancel_turn_end(what); }

 private:
  Loop& loop_;
};

}  // namespace coracle::port_linux
