// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "node/attempt.h"

namespace coracle::node {

// An attempt whose means must not be destroyed from inside their own events: its end is told at the
// end of the turn. The first word counts.
class LateAttempt : public Attempt, protected port::Alarm, port::TurnEnd {
 public:
  LateAttempt(port::Clock& clock, Duration timeout, Done& done)
      : clock_(clock),
        done_(done),
        timer_(clock.timer(*this)) {
    timer_->arm(clock.now() + timeout);
  }
  ~LateAttempt() override { clock_.cancel_turn_end(*this); }

 protected:
  void finish(bool ok, std::string why) {
    if (finished_) return;
    finished_ = true;
    ok_ = ok;
    why_ = std::move(why);
    timer_->disarm();
    clock_.at_turn_end(*this);
  }

 private:
  void on_turn_end() final {
    const std::string why = std::move(why_);
    done_.on_attempt(ok_, why);  // this may be gone now
  }

  port::Clock& clock_;
  Done& done_;
  std::unique_ptr<port::Timer> timer_;
  std::string why_;
  bool ok_ = false;
  bool finished_ = false;
};

}  // namespace coracle::node
