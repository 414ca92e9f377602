// SPDX-License-Identifier: GPL-2.0-or-later
// Stabilization windows and rates (upstream pkg/controller/podautoscaler/horizontal.go,
// normalizeDesiredReplicasWithBehaviors).
#include <algorithm>
#include <cmath>

#include "controllers/autoscaler.h"

namespace coracle::controllers {

namespace {

constexpr int64_t kDownWindow = 300;  // seconds
constexpr int64_t kWindowMax = 3600;  // of stabilization
constexpr int64_t kPeriodMax = 1800;  // of a policy
constexpr size_t kRemembered = 512;

bool is_within(const Now& now, Mono at, int64_t window) {
  return now.mono - at < seconds(window);
}

int64_t changed_within(const Now& now,
                       const std::vector<ScalingMemory::Entry>& changes,
                       int64_t period) {
  int64_t sum = 0;
  for (const ScalingMemory::Entry& change : changes) {
    if (is_within(now, change.at, period)) sum += change.replicas;
  }
  return sum;
}

void forget(const Now& now, std::vector<ScalingMemory::Entry>& entries, int64_t window) {
  std::erase_if(entries, [&](const ScalingMemory::Entry& entry) {
    return !is_within(now, entry.at, window);
  });
  if (entries.size() > kRemembered) entries.erase(entries.begin());
}

// Where the count may be at the end of this period by one policy.
int64_t bound_of(json::Node policy, int64_t start, bool up) {
  const int64_t value = policy["value"].integer();
  if (policy["type"].string() == "Pods") return up ? start + value : start - value;
  const double share =
      static_cast<double>(start) * (1 + (up ? 1 : -1) * static_cast<double>(value) / 100);
  return static_cast<int64_t>(up ? std::ceil(share) : std::floor(share));
}

int64_t rate_limit(
    const Now& now, json::Node rules, const ScalingMemory& memory, int64_t current, bool up) {
  const std::string_view select = rules["selectPolicy"].string("Max");
  if (select == "Disabled") return current;
  const bool highest = (select == "Max") == up;
  std::optional<int64_t> limit;
  for (const json::Node policy : rules["policies"]) {
    const int64_t period = policy["periodSeconds"].integer();
    const int64_t start = current - changed_within(now, memory.ups, period) +
                          changed_within(now, memory.downs, period);
    const int64_t bound = bound_of(policy, start, up);
    if (!limit || (highest ? bound > *limit : bound < *limit)) limit = bound;
  }
  return limit.value_or(current);
}

// Without rules of its own: at most twice as many, or four; down at once.
int64_t highest_allowed(const Now& now,
                        json::Node behavior,
                        const ScalingMemory& memory,
                        int64_t current) {
  constexpr int64_t kLeastLimit = 4;
  if (!behavior) return std::max(2 * current, kLeastLimit);
  return std::max(current, rate_limit(now, behavior["scaleUp"], memory, current, true));
}

int64_t lowest_allowed(const Now& now,
                       json::Node behavior,
                       const ScalingMemory& memory,
                       int64_t current) {
  if (!behavior) return 0;
  return std::min(current, rate_limit(now, behavior["scaleDown"], memory, current, false));
}

// The lowest of what was recommended lately if it goes up, the highest if it goes down.
int64_t stabilize(
    const Now& now, json::Node behavior, ScalingMemory& memory, int64_t current, int64_t wanted) {
  const int64_t up_window = behavior["scaleUp"]["stabilizationWindowSeconds"].integer(0);
  const int64_t down_window =
      behavior["scaleDown"]["stabilizationWindowSeconds"].integer(kDownWindow);
  int64_t lowest = wanted;
  int64_t highest = wanted;
  for (const ScalingMemory::Entry& each : memory.recommendations) {
    if (is_within(now, each.at, up_window)) lowest = std::min(lowest, each.replicas);
    if (is_within(now, each.at, down_window)) highest = std::max(highest, each.replicas);
  }
  memory.recommendations.push_back({now.mono, wanted});
  forget(now, memory.recommendations, kWindowMax);
  return std::clamp(current, lowest, highest);
}

ConditionValue ready(int64_t wanted, int64_t stable, int64_t current) {
  if (stable == wanted)
    return {"AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"};
  if (wanted > current)
    return {"AbleToScale", "True", "ScaleUpStabilized",
            "recent recommendations were lower than current one, applying the lowest recent "
            "recommendation"};
  return {"AbleToScale", "True", "ScaleDownStabilized",
          "recent recommendations were higher than current one, applying the highest recent "
          "recommendation"};
}

}  // namespace

Limited limit_scaling(
    const Now& now, json::Node spec, ScalingMemory& memory, int64_t current, int64_t wanted) {
  const json::Node behavior = spec["behavior"];
  const int64_t least = spec["minReplicas"].integer(1);
  const int64_t most = spec["maxReplicas"].integer();
  const int64_t stable = stabilize(now, behavior, memory, current, wanted);
  Limited out{stable,
              ready(wanted, stable, current),
              {"ScalingLimited", "False", "DesiredWithinRange",
               "the desired count is within the acceptable range"}};
  const auto limit = [&out](int64_t to, std::string_view reason, const char* message) {
    out.replicas = to;
    out.limited = {"ScalingLimited", "True", reason, message};
  };
  const int64_t up = highest_allowed(now, behavior, memory, current);
  const int64_t down = lowest_allowed(now, behavior, memory, current);
  if (stable > std::min(up, most) && up < most)
    limit(up, "ScaleUpLimit",
          "the desired replica count is increasing faster than the maximum scale rate");
  else if (stable > most)
    limit(most, "TooManyReplicas",
          "the desired replica count is more than the maximum replica count");
  else if (stable < std::max(down, least) && down > least)
    limit(down, "ScaleDownLimit",
          "the desired replica count is decreasing faster than the maximum scale rate");
  else if (stable < least)
    limit(least, "TooFewReplicas",
          "the desired replica count is less than the minimum replica count");
  return out;
}

void remember_scaling(
    const Now& now, json::Node spec, ScalingMemory& memory, int64_t before, int64_t after) {
  if (!spec["behavior"]) return;
  std::vector<ScalingMemory::Entry>& changes = after > before ? memory.ups : memory.downs;
  changes.push_back({now.mono, std::abs(after - before)});
  forget(now, changes, kPeriodMax);
}

}  // namespace coracle::controllers
