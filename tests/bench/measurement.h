// SPDX-License-Identifier: GPL-2.0-or-later
// One line of the report: what was done how often, how long each took, and what it cost the server.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/target.h"

namespace coracle::bench {

double now_us();  // monotonic; finer than the loop's clock

struct Measurement {
  std::string name;
  std::string unit = "/s";  // of the value; "ms": the median latency
  std::vector<double> latencies_us;
  std::vector<double> first_bytes_us;  // of lists
  double seconds = 0;
  size_t failed = 0;
  std::string failure;  // the first one
  Cost before;
  Cost after;

  std::string json();  // sorts the latencies
};

}  // namespace coracle::bench
