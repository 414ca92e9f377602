// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/measurement.h"

#include <algorithm>
#include <cmath>

#include <time.h>

#include "json/tree.h"

namespace coracle::bench {

namespace {

double percentile(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<size_t>(std::lround(part * last))];
}

double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

}  // namespace

double now_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

std::string Measurement::json() {
  const double count = std::max<double>(1, static_cast<double>(latencies_us.size()));
  const double rate = seconds > 0 ? static_cast<double>(latencies_us.size()) / seconds : 0;
  const double p50_ms = rounded(percentile(latencies_us, 0.5) / 1e3);
  json::Tree tree;
  const json::Node out = tree.make_object();
  out.set("name", name);
  out.set_number("value", unit == "ms" ? p50_ms : rounded(rate));
  out.set("unit", unit);
  out.set_number("p50_ms", p50_ms);
  out.set_number("p99_ms", rounded(percentile(latencies_us, 0.99) / 1e3));
  if (!first_bytes_us.empty())
    out.set_number("first_byte_ms", rounded(percentile(first_bytes_us, 0.5) / 1e3));
  out.set_number("cpu_us_per_op", rounded((after.cpu_us - before.cpu_us) / count));
  out.set_number("device_bytes_per_op",
                 rounded((after.device_bytes - before.device_bytes) / count));
  out.set_number("flushes_per_op", rounded((after.device_flushes - before.device_flushes) / count));
  out.set_number("rss_growth_kib", std::max(0.0, after.rss_peak_kib - before.rss_kib));
  out.set("operations", static_cast<int64_t>(latencies_us.size()));
  out.set("failed", static_cast<int64_t>(failed));
  if (!failure.empty()) out.set("failure", failure);
  return json::write(out);
}

}  // namespace coracle::bench
