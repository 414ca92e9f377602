// SPDX-License-Identifier: GPL-2.0-or-later
// Writes on their way to a server. A call that could not be sent waits for the next connection; one
// whose answer was lost with the connection ends as kTimeout: outcome unknown.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "api/client.h"
#include "http/channel.h"

namespace coracle::client {

class Witness {
 public:
  // Before the caller hears of it, so that the state shows a caller its own writes.
  virtual void on_stored(const api::ObjectRef& object) = 0;
  virtual void on_absent(const api::Key& key) = 0;

 protected:
  ~Witness() = default;
};

class Calls final : port::TurnEnd, port::Alarm {
 public:
  Calls(port::Clock& clock, Witness& witness);
  ~Calls();
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  void submit(api::Call call, api::Caller& caller, uint64_t token);
  void forget(api::Caller& caller);
  void link_up(http::Channel& channel);
  void link_down();

 private:
  class Running;
  struct Answer {
    api::Caller* caller;
    uint64_t token;
    Result<api::ObjectRef> result;
  };
  Result<api::ObjectRef> answer_offline(const Running& running) const;
  void begin(Running& running);
  void ended(Running& running, Result<api::ObjectRef> result);
  void on_turn_end() override;
  void on_alarm(port::Timer& timer) override;
  void set_timer();

  port::Clock& clock_;
  Witness& witness_;
  http::Channel* channel_ = nullptr;
  std::vector<std::unique_ptr<Running>> running_;  // in order of submission
  std::vector<std::unique_ptr<Running>> over_;     // freed at the end of the turn
  std::deque<Answer> answers_;
  std::unique_ptr<port::Timer> timer_;
};

}  // namespace coracle::client
