// SPDX-License-Identifier: GPL-2.0-or-later
// How fast CPU time is used, from counters that are read on demand. A reading is compared with one
// that is at least ten seconds old where there is one, so that two who ask at the same time do not
// disturb each other. Also the text forms that a kubelet serves.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "api/usage.h"
#include "base/time.h"

namespace coracle::node {

class CpuMeter {
 public:
  void begin(Mono now);
  // Nano-cores of a counter that began `age` ago.
  uint64_t rate(const std::string& key, uint64_t cpu_ns, Duration age);
  Duration window() const;  // of this reading; 0: since each counter's beginning
  void end();

 private:
  struct Reading {
    Mono at;
    std::map<std::string, uint64_t, std::less<>> counters;  // nanoseconds
  };
  const Reading* reference() const;
  Reading base_;
  Reading latest_;
  Reading now_;
};

// GET /stats/summary: as upstream pkg/apis/stats/v1alpha1, as far as it is known.
std::string summary_text(const api::NodeUsage& usage);
Result<api::NodeUsage> parse_summary(std::string_view text);
// GET /metrics/resource: upstream pkg/kubelet/metrics/collectors/resource_metrics.go.
std::string resource_metrics_text(const api::NodeUsage& usage);

}  // namespace coracle::node
