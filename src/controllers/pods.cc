// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/pods.h"

#include <algorithm>
#include <bit>

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

bool is_sidecar(json::Node pod, std::string_view name) {
  for (const json::Node container : pod["spec"]["initContainers"]) {
    if (container["name"].string() == name) return container["restartPolicy"].string() == "Always";
  }
  return false;
}

int64_t restarts(json::Node pod) {
  int64_t most = 0;
  for (const json::Node container : pod["status"]["containerStatuses"])
    most = std::max(most, container["restartCount"].integer());
  return most;
}

int64_t sidecar_restarts(json::Node pod) {
  int64_t most = 0;
  for (const json::Node container : pod["status"]["initContainerStatuses"]) {
    if (is_sidecar(pod, container["name"].string()))
      most = std::max(most, container["restartCount"].integer());
  }
  return most;
}

// 0 for the future and for what is unknown.
int magnitude(Duration age) {
  return age.ns <= 0 ? 0 : static_cast<int>(std::bit_width(static_cast<uint64_t>(age.ns)));
}

// Everything that ranks a pod, smaller is deleted first.
struct Rank {
  bool assigned;
  int phase;
  bool ready;
  int64_t cost;
  int64_t crowding;  // negated: more pods on the node first
  int ready_age;
  int64_t restarts;          // negated
  int64_t sidecar_restarts;  // negated
  int age;
  std::string_view uid;
  friend auto operator<=>(const Rank&, const Rank&) = default;
};

Rank rank_of(const Parsed& pod, const Crowding& crowding, Wall now) {
  const json::Node node = pod.node;
  const std::string_view on = node["spec"]["nodeName"].string();
  const auto crowd = crowding.find(on);
  const bool ready = is_ready(node);
  const auto created = parse_rfc3339(node["metadata"]["creationTimestamp"].string());
  return Rank{.assigned = !on.empty(),
              .phase = phase_rank(node),
              .ready = ready,
              .cost = deletion_cost(node),
              .crowding = crowd == crowding.end() ? 0 : -crowd->second,
              .ready_age = ready ? magnitude(now - ready_since(node)) : 0,
              .restarts = -restarts(node),
              .sidecar_restarts = -sidecar_restarts(node),
              .age = created ? magnitude(now - *created) : 0,
              .uid = pod.ref->uid()};
}

}  // namespace

bool has_ended(json::Node pod) {
  const std::string_view phase = pod["status"]["phase"].string();
  return phase == "Succeeded" || phase == "Failed";
}

bool is_active(json::Node pod) {
  return !has_ended(pod) && !pod["metadata"]["deletionTimestamp"];
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

std::vector<Parsed> pods_on(const api::State& state, std::string_view node) {
  std::vector<Parsed> pods;
  const std::string mark = join({"\"nodeName\":\"", node, "\""});
  api::for_each(state, api::kPod, {}, [&](const api::ObjectRef& object) {
    if (object->text().find(mark) == std::string_view::npos) return;
    Parsed pod = parse(object);
    if (pod.node["spec"]["nodeName"].string() == node) pods.push_back(std::move(pod));
  });
  return pods;
}

json::Node new_pod(json::Tree& tree, const api::Object& owner, json::Node model) {
  const json::Node pod = tree.make_object();
  pod.set("kind", "Pod");
  pod.set("apiVersion", "v1");
  const json::Node metadata = pod.object("metadata");
  for (const char* copied : {"labels", "annotations", "finalizers"}) {
    if (const json::Node value = model["metadata"][copied]) metadata.set(copied, value);
  }
  metadata.set("namespace", owner.ns());
  append_controller_reference(metadata.array("ownerReferences"), owner);
  pod.set("spec", model["spec"]);
  return pod;
}

api::Call create_call(const api::Kind& kind, json::Node object) {
  api::Call call;
  call.key = {&kind, std::string(object["metadata"]["namespace"].string()),
              std::string(object["metadata"]["name"].string())};
  call.body = json::write(object);
  return call;
}

void disrupt(const Now& now, const Parsed& pod, const ConditionValue& why, api::Plan& plan) {
  const Parsed next = parse(pod.ref);
  const json::Node status = next.node.object("status");
  set_condition(status, why, now.wall);
  api::Call mark = update_call(next, api::Subresource::kStatus);
  if (!json::equal(status, pod.node["status"])) plan.calls.push_back(std::move(mark));
  plan.calls.push_back(delete_call(*pod.ref));
}

void rank_for_deletion(std::vector<Parsed>& pods, const Crowding& crowding, Wall now) {
  std::sort(pods.begin(), pods.end(), [&](const Parsed& a, const Parsed& b) {
    return rank_of(a, crowding, now) < rank_of(b, crowding, now);
  });
}

json::Node find_condition(json::Node status, std::string_view type) {
  for (const json::Node condition : status["conditions"]) {
    if (condition["type"].string() == type) return condition;
  }
  return {};
}

void set_condition(json::Node status, const ConditionValue& value, Wall now) {
  json::Node condition = find_condition(status, value.type);
  const bool moved = !condition || condition["status"].string() != value.status;
  if (!condition) {
    condition = status.array("conditions").append_object();
    condition.set("type", value.type);
  }
  condition.set("status", value.status);
  if (moved) condition.set("lastTransitionTime", rfc3339(now));
  condition.set("reason", value.reason);
  condition.set("message", value.message);
}

void replace_condition(json::Node status, const ConditionValue& value, Wall now, UpdateTime time) {
  const json::Node old = find_condition(status, value.type);
  const bool same_status = old && old["status"].string() == value.status;
  if (same_status && old["reason"].string() == value.reason) return;
  std::string since = rfc3339(now);
  if (same_status) since = old["lastTransitionTime"].string();
  if (old) status["conditions"].remove_child(old);
  const json::Node condition = status.array("conditions").append_object();
  condition.set("type", value.type);
  condition.set("status", value.status);
  if (time == UpdateTime::kKept) condition.set("lastUpdateTime", rfc3339(now));
  condition.set("lastTransitionTime", since);
  condition.set("reason", value.reason);
  condition.set("message", value.message);
}

void remove_condition(json::Node status, std::string_view type) {
  const json::Node condition = find_condition(status, type);
  if (!condition) return;
  status["conditions"].remove_child(condition);
  if (status["conditions"].size() == 0) status.remove("conditions");
}

void set_or_drop(json::Node status, std::string_view name, int64_t value) {
  if (value > 0)
    status.set(name, value);
  else
    status.remove(name);
}

}  // namespace coracle::controllers
