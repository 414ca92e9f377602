// SPDX-License-Identifier: GPL-2.0-or-later
// The life of a request: a table of stages in pipeline.cc, run in order until one answers, waits or
// fails. A write that lost a race it may run again starts over at decode with the newer object.
#pragma once

#include "apiserver/exchange.h"

namespace coracle::apiserver {

class Pipeline {
 public:
  explicit Pipeline(Parts& parts) : parts_(parts) {}
  void start(Exchange& exchange);          // from the route on
  void start_trusted(Exchange& exchange);  // user, verb, kind and name are known: from authorize on
  void on_outcome(Exchange& exchange, Result<api::Change> outcome);
  void on_confirmed(Exchange& exchange, Result<> outcome);

 private:
  void run(Exchange& exchange, size_t stage);

  Parts& parts_;
};

}  // namespace coracle::apiserver
