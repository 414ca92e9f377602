// SPDX-License-Identifier: GPL-2.0-or-later
// Node life cycle: a node whose Lease stands still for 40 s is Unknown; conditions become taints
// (upstream pkg/controller/nodelifecycle/node_lifecycle_controller.go).
#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/node_zones.h"
#include "controllers/owners.h"
#include "controllers/pods.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr Duration kGrace = seconds(40);  // --node-monitor-grace-period
constexpr Duration kStartGrace =
    seconds(60);  // --node-startup-grace-period: nodes that never had a Lease
constexpr std::string_view kLeaseNamespace = "kube-node-lease";
constexpr std::string_view kNotReady = "node.kubernetes.io/not-ready";
constexpr std::string_view kUnreachable = "node.kubernetes.io/unreachable";

constexpr std::array<std::string_view, 4> kConditions = {"Ready", "MemoryPressure", "DiskPressure",
                                                         "PIDPressure"};

struct Taint {
  std::string_view key;
  std::string_view effect;
};

// Every taint that this controller gives and takes.
constexpr std::array<Taint, 9> kOwnTaints = {
    {{kNotReady, "NoSchedule"},
     {kNotReady, "NoExecute"},
     {kUnreachable, "NoSchedule"},
     {kUnreachable, "NoExecute"},
     {"node.kubernetes.io/memory-pressure", "NoSchedule"},
     {"node.kubernetes.io/disk-pressure", "NoSchedule"},
     {"node.kubernetes.io/pid-pressure", "NoSchedule"},
     {"node.kubernetes.io/network-unavailable", "NoSchedule"},
     {"node.kubernetes.io/unschedulable", "NoSchedule"}}};

std::string_view status_of(json::Node node, std::string_view condition) {
  return find_condition(node["status"], condition)["status"].string("Unknown");
}

bool deserves(json::Node node, const Taint& taint) {
  const std::string_view ready = status_of(node, "Ready");
  if (taint.key == kNotReady) return ready == "False";
  if (taint.key == kUnreachable) return ready == "Unknown";
  if (taint.key == "node.kubernetes.io/unschedulable")
    return node["spec"]["unschedulable"].boolean();
  if (taint.key == "node.kubernetes.io/memory-pressure")
    return status_of(node, "MemoryPressure") == "True";
  if (taint.key == "node.kubernetes.io/disk-pressure")
    return status_of(node, "DiskPressure") == "True";
  if (taint.key == "node.kubernetes.io/network-unavailable")
    return status_of(node, "NetworkUnavailable") == "True";
  return status_of(node, "PIDPressure") == "True";
}

json::Node find_taint(json::Node node, const Taint& taint) {
  for (const json::Node have : node["spec"]["taints"]) {
    if (have["key"].string() == taint.key && have["effect"].string() == taint.effect) return have;
  }
  return {};
}

void add_taint(const Now& now, json::Node node, const Taint& taint) {
  const json::Node added = node.object("spec").array("taints").append_object();
  added.set("key", taint.key);
  added.set("effect", taint.effect);
  added.set("timeAdded", rfc3339(now.wall));
}

bool has_evicting_taint(json::Node node) {
  return find_taint(node, {kNotReady, "NoExecute"}) ||
         find_taint(node, {kUnreachable, "NoExecute"});
}

// How long the node has not been ready, as far as that can be told.
Duration silence(const Now& now, json::Node node, std::string_view name) {
  if (status_of(node, "Ready") != "Unknown") {
    const auto since =
        parse_rfc3339(find_condition(node["status"], "Ready")["lastTransitionTime"].string());
    return since ? now.wall - *since : Duration{};
  }
  const api::ObjectRef lease = now.state.get(api::kLease, kLeaseNamespace, name);
  return lease ? now.ages.since_change(*lease) : Duration{};
}

// Gives and takes the taints that the node deserves; those that evict only when it is its turn.
bool fix_taints(const Now& now, const Parsed& node, json::Node next, api::Plan& plan) {
  EvictionTurn turn;
  if (status_of(next, "Ready") != "True")
    turn = eviction_turn(now, node, silence(now, next, node.ref->name()));
  const bool evicting = has_evicting_taint(next);
  bool changed = false;
  for (const Taint& taint : kOwnTaints) {
    const json::Node have = find_taint(next, taint);
    bool wanted = deserves(next, taint);
    if (wanted && taint.effect == "NoExecute") {
      if (turn.rule == EvictionRule::kWait && !evicting)
        plan.again_after = std::min(plan.again_after.value_or(turn.wait), turn.wait);
      wanted = turn.rule == EvictionRule::kNow || (evicting && turn.rule != EvictionRule::kClear);
    }
    if (wanted == bool{have}) continue;
    changed = true;
    if (wanted)
      add_taint(now, next, taint);
    else
      next["spec"]["taints"].remove_child(have);
  }
  if (changed && next["spec"]["taints"].size() == 0) next["spec"].remove("taints");
  return changed;
}

// True if something had to be marked.
bool mark_unknown(const Now& now, json::Node node) {
  bool changed = false;
  const json::Node status = node.object("status");
  for (const std::string_view type : kConditions) {
    const json::Node have = find_condition(status, type);
    if (have["status"].string() == "Unknown") continue;
    changed = true;
    if (have) {
      set_condition(status,
                    {type, "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."},
                    now.wall);
      continue;
    }
    set_condition(status,
                  {type, "Unknown", "NodeStatusNeverUpdated", "Kubelet never posted node status."},
                  now.wall);
    find_condition(status, type)
        .set("lastHeartbeatTime", node["metadata"]["creationTimestamp"].string());
  }
  return changed;
}

// Pods of a silent node stop being ready: their addresses leave the Services.
void mark_pods(const Now& now, std::string_view node_name, api::Plan& plan) {
  for (const Parsed& pod : pods_on(now.state, node_name)) {
    if (!is_ready(pod.node)) continue;
    const json::Node condition = find_condition(pod.node["status"], "Ready");
    condition.set("status", "False");
    condition.set("lastTransitionTime", rfc3339(now.wall));
    plan.add(update_call(pod, api::Subresource::kStatus),
             {pod.ref, true, "NodeNotReady", "Node is not ready", {}});
  }
}

// How long nothing was heard of a node, and how long that may be.
Duration silence_left(const Now& now, const Parsed& node) {
  const api::ObjectRef lease = now.state.get(api::kLease, kLeaseNamespace, node.ref->name());
  if (lease) return kGrace - now.ages.since_change(*lease);
  const auto created = parse_rfc3339(node.node["metadata"]["creationTimestamp"].string());
  return kStartGrace - (now.wall - created.value_or(now.wall));
}

Result<api::Plan> plan_node(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef object = now.state.get(api::kNode, {}, key.name);
  if (!object || object->deleting()) return plan;
  const Parsed node = parse(object);
  const Parsed next = parse(object);
  const Duration left = silence_left(now, node);
  if (left.ns > 0) {
    plan.again_after = left;
  } else {
    const bool was_ready = status_of(node.node, "Ready") == "True";
    if (mark_unknown(now, next.node)) {
      api::Call mark = update_call(next, api::Subresource::kStatus);
      if (was_ready)
        plan.add(std::move(mark), {object, false, "NodeNotReady",
                                   join({"Node ", key.name, " status is now: NodeNotReady"})});
      else
        plan.calls.push_back(std::move(mark));
    }
    // In every plan, not only in the one that marks: a write to a pod may have been refused.
    mark_pods(now, key.name, plan);
    if (!plan.calls.empty()) return plan;
  }
  if (fix_taints(now, node, next.node, plan)) plan.calls.push_back(update_call(next));
  return plan;
}

void wake_node_of_lease(const api::Change& change, const api::State&, Keys& keys) {
  if (change.after->ns() == kLeaseNamespace)
    keys.insert({&api::kNode, {}, std::string(change.after->name())});
}

// How many nodes are ready decides whether others may be given up.
void wake_nodes(const api::Change& change, const api::State& state, Keys& keys) {
  wake_itself(change, state, keys);
  json::Tree old_tree;
  json::Tree tree;
  const bool was_ready = change.before && is_ready(change.before->parse(old_tree));
  const bool ready =
      change.type != api::ChangeType::kDeleted && is_ready(change.after->parse(tree));
  if (was_ready == ready) return;
  api::for_each(state, api::kNode, {}, [&](const api::ObjectRef& node) {
    keys.insert({&api::kNode, {}, std::string(node->name())});
  });
}

constexpr Watch kWatches[] = {{&api::kNode, wake_nodes}, {&api::kLease, wake_node_of_lease}};

}  // namespace

const Controller kNodeLifecycleController{"node-controller", kWatches, plan_node, nullptr};

}  // namespace coracle::controllers
