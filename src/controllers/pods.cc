// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/pods.h"

#include <algorithm>
#include <map>

#include "base/bytes.h"

namespace coracle::controllers {

namespace {

int phase_rank(json::Node pod) {
  const std::string_view phase = pod["status"]["phase"].string();
  return phase == "Pending" ? 0 : phase == "Unknown" ? 1 : 2;
}

int64_t deletion_cost(json::Node pod) {
  const std::string_view text =
      pod["metadata"]["annotations"]["controller.kubernetes.io/pod-deletion-cost"].string();
  return parse_signed(text).value_or(0);
}

int64_t restarts(json::Node pod) {
  int64_t most = 0;
  for (const json::Node container : pod["status"]["containerStatuses"]) {
    most = std::max(most, container["restartCount"].integer());
  }
  return most;
}

// Everything that ranks a pod, smaller is deleted first.
struct Rank {
  bool assigned;
  int phase;
  bool ready;
  int64_t cost;
  int64_t crowding;   // negated: more pods on the node first
  int64_t ready_age;  // negated start: ready recently first
  int64_t restarts;   // negated
  int64_t age;        // negated start: young first
  std::string_view name;
  friend auto operator<=>(const Rank&, const Rank&) = default;
};

Rank rank_of(const Parsed& pod, const std::map<std::string_view, int64_t>& per_node) {
  const json::Node node = pod.node;
  const std::string_view on = node["spec"]["nodeName"].string();
  const auto created = parse_rfc3339(node["metadata"]["creationTimestamp"].string());
  const bool ready = is_ready(node);
  return Rank{!on.empty(),         phase_rank(node),           ready,
              deletion_cost(node), -per_node.find(on)->second, ready ? -ready_since(node).ns : 0,
              -restarts(node),     created ? -created->ns : 0, pod.ref->name()};
}

}  // namespace

bool is_active(json::Node pod) {
  const std::string_view phase = pod["status"]["phase"].string();
  return phase != "Succeeded" && phase != "Failed" && !pod["metadata"]["deletionTimestamp"];
}

bool is_ready(json::Node pod) {
  return find_condition(pod["status"], "Ready")["status"].string() == "True";
}

Wall ready_since(json::Node pod) {
  return parse_rfc3339(find_condition(pod["status"], "Ready")["lastTransitionTime"].string())
      .value_or(Wall{0});
}

bool is_available(json::Node pod, int64_t min_ready_seconds, Wall now) {
  if (!is_ready(pod)) return false;
  return min_ready_seconds == 0 || ready_since(pod) + seconds(min_ready_seconds) <= now;
}

void rank_for_deletion(std::vector<Parsed>& pods) {
  std::map<std::string_view, int64_t> per_node;
  for (const Parsed& pod : pods)
    ++per_node[pod.node["spec"]["nodeName"].string()];
  std::sort(pods.begin(), pods.end(), [&](const Parsed& a, const Parsed& b) {
    return rank_of(a, per_node) < rank_of(b, per_node);
  });
}

json::Node find_condition(json::Node status, std::string_view type) {
  for (const json::Node condition : status["conditions"]) {
    if (condition["type"].string() == type) return condition;
  }
  return {};
}

bool set_condition(json::Node status, const ConditionValue& value, Wall now) {
  json::Node condition = find_condition(status, value.type);
  if (condition && condition["status"].string() == value.status &&
      condition["reason"].string() == value.reason &&
      condition["message"].string() == value.message) {
    return false;
  }
  const bool moved = !condition || condition["status"].string() != value.status;
  if (!condition) {
    condition = status.array("conditions").append_object();
    condition.set("type", value.type);
  }
  condition.set("status", value.status);
  condition.set("lastUpdateTime", rfc3339(now));
  if (moved) condition.set("lastTransitionTime", rfc3339(now));
  condition.set("reason", value.reason);
  condition.set("message", value.message);
  return true;
}

bool remove_condition(json::Node status, std::string_view type) {
  const json::Node condition = find_condition(status, type);
  if (!condition) return false;
  status["conditions"].remove_child(condition);
  return true;
}

}  // namespace coracle::controllers
