// SPDX-License-Identifier: GPL-2.0-or-later
// Events are kept for an hour after they were last seen (kube-apiserver --event-ttl). Looked at
// every few minutes, so that an idle cluster is not woken and the deletes of a while share their
// log appends.
#pragma once

#include <memory>

#include "apiserver/exchange.h"
#include "port/clock.h"
#include "store/store.h"

namespace coracle::apiserver {

class EventExpiry final : port::Alarm, store::Waiter {
 public:
  explicit EventExpiry(Parts& parts);
  ~EventExpiry();
  EventExpiry(const EventExpiry&) = delete;
  EventExpiry& operator=(const EventExpiry&) = delete;
  void start();

 private:
  void on_alarm(port::Timer& timer) override;
  void on_outcome(Result<api::Change> outcome) override;

  Parts& parts_;
  std::unique_ptr<port::Timer> timer_;
};

}  // namespace coracle::apiserver
