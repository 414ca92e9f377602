// SPDX-License-Identifier: GPL-2.0-or-later
// Time and turns. One thread runs all of src/: the port calls listeners one after another, never
// from inside a call that src made (no re-entrance). Implemented by port/linux (libuv) and port/sim
// (virtual time).
#pragma once

#include <memory>

#include "base/time.h"

namespace coracle::port {

class Timer;

class Alarm {
 public:
  virtual void on_alarm(Timer& timer) = 0;

 protected:
  ~Alarm() = default;
};

// One-shot. Destroying it disarms it. Rounded up to whole milliseconds.
class Timer {
 public:
  virtual ~Timer() = default;
  virtual void arm(Mono at) = 0;  // moves an armed timer
  virtual void disarm() = 0;
  virtual bool armed() const = 0;
};

// Called once at the end of the loop turn in which it was asked for, after all inputs of the turn:
// the place for batched work (one log append for all proposals, one pass of the reactors).
class TurnEnd {
 public:
  virtual void on_turn_end() = 0;

 protected:
  ~TurnEnd() = default;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Mono now() const = 0;   // cached for the turn
  virtual Wall wall() const = 0;  // as the machine has it, which may be 1970
  // For certificates and tokens: wall(), but never before what is known to have passed.
  Wall trusted() const {
    const Wall least = floor_ + (now() - floor_set_);
    return least < wall() ? wall() : least;
  }
  void raise_floor(Wall passed) {
    if (passed <= trusted()) return;
    floor_ = passed;
    floor_set_ = now();
  }
  virtual std::unique_ptr<Timer> timer(Alarm& alarm) = 0;
  virtual void at_turn_end(TurnEnd& what) = 0;      // asking twice in a turn is asking once
  virtual void cancel_turn_end(TurnEnd& what) = 0;  // before `what` is destroyed

 private:
  Wall floor_;
  Mono floor_set_;
};

}  // namespace coracle::port
