// SPDX-License-Identifier: GPL-2.0-or-later
// A lane whose jobs take virtual time. run() happens at one instant and done() at a later one, so
// the loop sees the effects of a job before it is told of them, as with a real thread.
#pragma once

#include <deque>
#include <memory>

#include "port/disk.h"
#include "port/sim/dice.h"
#include "port/sim/timeline.h"

namespace coracle::port_sim {

struct Latency {
  Duration least = nanoseconds(50'000);
  Duration most = nanoseconds(500'000);
  Duration pick(Dice& dice) const {
    return {static_cast<int64_t>(
        dice.between(static_cast<uint64_t>(least.ns), static_cast<uint64_t>(most.ns)))};
  }
};

class SimLane : public port::Lane, private Event {
 public:
  SimLane(Timeline& timeline, Dice& dice, const Latency& latency)
      : Event(timeline),
        timeline_(timeline),
        dice_(dice),
        latency_(latency) {}
  void submit(std::unique_ptr<port::Job> job) override;
  size_t waiting() const override { return jobs_.size(); }
  void drain() override;

 private:
  void fire() override;
  void advance();  // runs the first job, or reports it done
  void plan();

  Timeline& timeline_;
  Dice& dice_;
  const Latency& latency_;  // of the machine; may change at any time
  std::deque<std::unique_ptr<port::Job>> jobs_;
  bool first_ran_ = false;
};

}  // namespace coracle::port_sim
