// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/sim/lane.h"

#include <utility>

namespace coracle::port_sim {

void SimLane::submit(std::unique_ptr<port::Job> job) {
  jobs_.push_back(std::move(job));
  if (!scheduled()) plan();
}

void SimLane::plan() {
  if (!jobs_.empty()) schedule(timeline_.now() + latency_.pick(dice_));
}

void SimLane::fire() {
  advance();
  if (!scheduled()) plan();
}

void SimLane::advance() {
  if (!first_ran_) {
    jobs_.front()->run();
    first_ran_ = true;
    return;
  }
  const std::unique_ptr<port::Job> job = std::move(jobs_.front());
  jobs_.pop_front();
  first_ran_ = false;
  job->done();
}

void SimLane::drain() {
  while (!jobs_.empty())
    advance();
  cancel();
}

}  // namespace coracle::port_sim
