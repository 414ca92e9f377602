// SPDX-License-Identifier: GPL-2.0-or-later
// HorizontalPodAutoscaler, in three steps: what the metrics ask for (autoscaler_metrics.cc), how
// much of it the windows and rates allow (autoscaler_limits.cc), and the plan (autoscaler.cc).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/pods.h"

namespace coracle::controllers {

// What one metric asks for.
struct Proposal {
  int64_t replicas = 0;
  std::string name;    // "cpu resource utilization (percentage of request)"
  std::string reason;  // not empty: it could not be read; then why
  std::string message;
};
// Adds the metric's observed value to `statuses`.
Proposal propose(const Now& now,
                 json::Node spec,
                 json::Node metric,
                 const std::vector<Parsed>& pods,
                 int64_t current,
                 json::Node statuses);

struct Limited {
  int64_t replicas = 0;
  ConditionValue able;     // AbleToScale: the windows
  ConditionValue limited;  // ScalingLimited: rates, minimum, maximum
};
// Remembers `wanted` as a recommendation.
Limited limit_scaling(
    const Now& now, json::Node spec, ScalingMemory& memory, int64_t current, int64_t wanted);
void remember_scaling(
    const Now& now, json::Node spec, ScalingMemory& memory, int64_t before, int64_t after);

}  // namespace coracle::controllers
