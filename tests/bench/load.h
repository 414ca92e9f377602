// SPDX-License-Identifier: GPL-2.0-or-later
// Closed loops over TLS: each of N connections sends its next request when the last was answered.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/measurement.h"

namespace coracle::bench {

struct LoadOptions {
  size_t clients = 1;
  size_t operations = 100;  // by all clients together
  int64_t pause_ms = 0;     // of a client between two requests
  uint64_t server_pid = 0;  // 0: costs are not told
  std::string device;       // below its data, "major:minor"; empty: not looked at
  int expected_status = 200;
};

// Makes request number `index`.
class Requests {
 public:
  virtual http::Request make(size_t index) = 0;

 protected:
  ~Requests() = default;
};

Measurement run_load(port_linux::Machine& machine,
                     const Target& target,
                     const LoadOptions& options,
                     Requests& requests);

}  // namespace coracle::bench
