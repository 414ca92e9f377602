// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual time: one ordered queue of events for all machines of a world, and the turns that they
// make. Two events of the same instant fire in the order in which they were scheduled.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "port/clock.h"

namespace coracle::port_sim {

class Timeline;

// Something that happens later. Destroying it takes it off the timeline.
class Event {
 public:
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void schedule(Mono at);  // moves a scheduled event
  void cancel();
  bool scheduled() const { return scheduled_; }

 protected:
  explicit Event(Timeline& timeline) : timeline_(timeline) {}
  ~Event() { cancel(); }
  virtual void fire() = 0;

 private:
  friend class Timeline;
  Timeline& timeline_;
  std::pair<int64_t, uint64_t> place_;
  bool scheduled_ = false;
};

class Timeline {
 public:
  Mono now() const { return now_; }
  // One turn: the next event, then the turn ends. False: nothing will ever happen again.
  bool step();
  bool idle() const { return events_.empty() && turn_ends_.empty(); }
  Mono next_event() const;  // of a timeline that is not idle
  void skip_to(Mono at);    // no event may be due before
  uint64_t turns() const { return turns_; }

  void at_turn_end(port::TurnEnd& what);
  void cancel_turn_end(port::TurnEnd& what);

 private:
  friend class Event;
  void run_turn_ends();

  Mono now_{1'000'000'000};
  uint64_t sequence_ = 0;
  uint64_t turns_ = 0;
  std::map<std::pair<int64_t, uint64_t>, Event*> events_;
  std::vector<port::TurnEnd*> turn_ends_;
  std::vector<port::TurnEnd*> turn_ends_running_;
};

}  // namespace coracle::port_sim
