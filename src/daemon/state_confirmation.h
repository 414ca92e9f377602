// SPDX-License-Identifier: GPL-2.0-or-later
// Whether what a server has applied since its start reaches as far as anything that was ever
// acknowledged: asks a quorum, again every second while there is none. The node agent ends no pod
// that it does not know before that.
#pragma once

#include <memory>

#include "base/log.h"
#include "node/agent.h"
#include "port/clock.h"
#include "store/store.h"

namespace coracle::daemon {

class StateConfirmation final : store::ReadWaiter, port::Alarm {
 public:
  StateConfirmation(store::Store& store, port::Clock& clock)
      : store_(store),
        clock_(clock),
        timer_(clock.timer(*this)) {}
  ~StateConfirmation() { store_.forget(*this); }
  StateConfirmation(const StateConfirmation&) = delete;
  StateConfirmation& operator=(const StateConfirmation&) = delete;

  // True: it is so already. Else `agent` hears of it.
  bool ask() { return store_.confirm(*this); }
  void tell(node::Agent& agent) { agent_ = &agent; }

 private:
  void on_confirmed(Result<> outcome) override {
    if (!outcome) return timer_->arm(clock_.now() + seconds(1));
    if (agent_ != nullptr) agent_->confirm();
  }
  void on_alarm(port::Timer&) override {
    if (ask() && agent_ != nullptr) agent_->confirm();
  }

  store::Store& store_;
  port::Clock& clock_;
  std::unique_ptr<port::Timer> timer_;
  node::Agent* agent_ = nullptr;
};

}  // namespace coracle::daemon
