// SPDX-License-Identifier: GPL-2.0-or-later
// Pods that nobody will ever end: those of nodes that are gone, those being deleted that never got
// a node, and the oldest of too many that have ended (upstream pkg/controller/podgc).
#include <algorithm>

#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/pods.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr Duration kQuarantine = seconds(40);  // a node may come back under its name
// Upstream keeps 12,500; a gateway's store and memory are smaller.
constexpr size_t kEndedMax = 1000;
constexpr size_t kCallsMax = 256;

void force(api::Plan& plan) {
  plan.calls.back().grace_seconds = 0;
}

void plan_orphans(const Now& now, const std::string& node, api::Plan& plan) {
  if (now.state.get(api::kNode, {}, node)) return;
  const std::vector<Parsed> pods = pods_on(now.state, node);
  if (pods.empty()) return;
  if (const Duration left = kQuarantine - now.ages.since_gone(node); left.ns > 0) {
    plan.again_after = left;
    return;
  }
  for (const Parsed& pod : pods) {
    if (plan.calls.size() >= kCallsMax) return;
    const Parsed next = parse(pod.ref);
    const json::Node status = next.node.object("status");
    if (!has_ended(pod.node)) {
      status.set("phase", "Failed");
      set_condition(status,
                    {"DisruptionTarget", "True", "DeletionByPodGC", "PodGC: node no longer exists"},
                    now.wall);
      plan.calls.push_back(update_call(next, api::Subresource::kStatus));
    }
    plan.calls.push_back(delete_call(*pod.ref));
    force(plan);
  }
}

bool says_ended(const api::Object& pod) {
  return pod.text().find("\"phase\":\"Succeeded\"") != std::string_view::npos ||
         pod.text().find("\"phase\":\"Failed\"") != std::string_view::npos;
}

void plan_ended(const Now& now, api::Plan& plan) {
  std::vector<std::pair<std::string, api::ObjectRef>> ended;
  api::for_each(now.state, api::kPod, {}, [&](const api::ObjectRef& object) {
    if (!says_ended(*object) || object->deleting()) return;
    json::Tree tree;
    const json::Node pod = object->parse(tree);
    if (has_ended(pod)) ended.emplace_back(pod["metadata"]["creationTimestamp"].string(), object);
  });
  if (ended.size() <= kEndedMax) return;
  std::stable_sort(ended.begin(), ended.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const size_t surplus = std::min(ended.size() - kEndedMax, kCallsMax);
  for (size_t i = 0; i < surplus; ++i) {
    plan.calls.push_back(delete_call(*ended[i].second));
    force(plan);
  }
}

void plan_unscheduled(const Now& now, const api::Key& key, api::Plan& plan) {
  const api::ObjectRef object = now.state.get(api::kPod, key.ns, key.name);
  if (!object || !object->deleting()) return;
  const Parsed pod = parse(object);
  if (!pod.node["spec"]["nodeName"].string().empty() ||
      pod.node["metadata"]["finalizers"].size() > 0)
    return;
  plan.calls.push_back(delete_call(*object));
  force(plan);
}

// Keys: a node that is gone, a pod, or the kind of pods without a name for all that have ended.
Result<api::Plan> plan_pod_garbage(const Now& now, const api::Key& key) {
  api::Plan plan;
  if (key.kind == &api::kNode)
    plan_orphans(now, key.name, plan);
  else if (key.name.empty())
    plan_ended(now, plan);
  else
    plan_unscheduled(now, key, plan);
  return plan;
}

void wake_gone_node(const api::Change& change, const api::State&, Keys& keys) {
  if (change.type == api::ChangeType::kDeleted)
    keys.insert({&api::kNode, {}, std::string(change.after->name())});
}

void wake_for_pod(const api::Change& change, const api::State& state, Keys& keys) {
  const api::Object& object = *change.after;
  if (change.type == api::ChangeType::kDeleted) return;
  if (says_ended(object) && (!change.before || !says_ended(*change.before)))
    keys.insert({&api::kPod, {}, {}});
  const bool moved = !change.before || object.deleting() != change.before->deleting();
  if (!moved && object.text().find("\"nodeName\":\"") == std::string_view::npos) return;
  json::Tree tree;
  const std::string_view node = object.parse(tree)["spec"]["nodeName"].string();
  if (node.empty() && object.deleting())
    keys.insert({&api::kPod, std::string(object.ns()), std::string(object.name())});
  if (!node.empty() && !state.get(api::kNode, {}, node))
    keys.insert({&api::kNode, {}, std::string(node)});
}

constexpr Watch kWatches[] = {{&api::kNode, wake_gone_node}, {&api::kPod, wake_for_pod}};

}  // namespace

const Controller kPodGarbageCollector{"pod-garbage-collector", kWatches, plan_pod_garbage, nullptr};

}  // namespace coracle::controllers
