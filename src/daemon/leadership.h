// SPDX-License-Identifier: GPL-2.0-or-later
// Controllers and scheduler run where the store leads, and nowhere else.
#pragma once

#include "controllers/runner.h"
#include "scheduler/scheduler.h"
#include "store/membership.h"

namespace coracle::daemon {

class Leadership final : store::StandingListener {
 public:
  Leadership(store::Membership& membership,
             controllers::Runner& controllers,
             scheduler::Scheduler& scheduler)
      : membership_(membership),
        controllers_(controllers),
        scheduler_(scheduler) {
    membership_.listen(*this);
    on_standing();
  }
  ~Leadership() {
    membership_.unlisten(*this);
    set(false);
  }
  Leadership(const Leadership&) = delete;
  Leadership& operator=(const Leadership&) = delete;

 private:
  // A new term of the same leader changes nothing: what it planned is still its own.
  void on_standing() override { set(membership_.standing().leading); }
  void set(bool leads) {
    if (leads == running_) return;
    running_ = leads;
    if (leads) {
      controllers_.start();
      scheduler_.start();
    } else {
      controllers_.stop();
      scheduler_.stop();
    }
  }

  store::Membership& membership_;
  controllers::Runner& controllers_;
  scheduler::Scheduler& scheduler_;
  bool running_ = false;
};

}  // namespace coracle::daemon
