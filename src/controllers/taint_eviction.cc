// SPDX-License-Identifier: GPL-2.0-or-later
// Pods leave nodes whose NoExecute taints they do not tolerate, at once or after tolerationSeconds
// (upstream pkg/controller/tainteviction). Time runs from when this leader saw the taint, by the
// monotonic clock: a wall clock that jumps evicts nobody.
#include <algorithm>

#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/pods.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

bool tolerates(json::Node toleration, json::Node taint) {
  const std::string_view effect = toleration["effect"].string();
  const std::string_view key = toleration["key"].string();
  if (!effect.empty() && effect != "NoExecute") return false;
  if (!key.empty() && key != taint["key"].string()) return false;
  if (toleration["operator"].string() == "Exists") return true;
  return !key.empty() && toleration["value"].string() == taint["value"].string();
}

// How long the pod may still stay with this taint: nothing, some time, or as long as it likes.
struct Stay {
  bool for_ever = false;
  Duration left;
};

Stay stay_of(const Now& now, std::string_view node, json::Node taint, json::Node tolerations) {
  bool tolerated = false;
  std::optional<int64_t> least;
  for (const json::Node toleration : tolerations) {
    if (!tolerates(toleration, taint)) continue;
    tolerated = true;
    if (const json::Node given = toleration["tolerationSeconds"])
      least = std::min(least.value_or(INT64_MAX), std::max<int64_t>(0, given.integer()));
  }
  if (!tolerated) return {};
  if (!least) return {true, {}};
  constexpr int64_t kSecondsMax = 100 * int64_t{365} * 86'400;
  return {false, seconds(std::min(*least, kSecondsMax)) -
                     now.ages.since_taint(node, taint["key"].string())};
}

Result<api::Plan> plan_eviction(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef object = now.state.get(api::kPod, key.ns, key.name);
  if (!object || object->deleting()) return plan;
  const Parsed pod = parse(object);
  const std::string_view on = pod.node["spec"]["nodeName"].string();
  const api::ObjectRef node = on.empty() ? api::ObjectRef() : now.state.get(api::kNode, {}, on);
  if (!node) return plan;
  json::Tree tree;
  Stay stay{true, {}};
  for (const json::Node taint : node->parse(tree)["spec"]["taints"]) {
    if (taint["effect"].string() != "NoExecute") continue;
    const Stay next = stay_of(now, on, taint, pod.node["spec"]["tolerations"]);
    if (next.for_ever) continue;
    if (stay.for_ever || next.left < stay.left) stay = next;
  }
  if (stay.for_ever) return plan;
  if (stay.left.ns > 0) {
    plan.again_after = stay.left;
    return plan;
  }
  disrupt(now, pod,
          {"DisruptionTarget", "True", "DeletionByTaintManager",
           "Taint manager: deleting due to NoExecute taint"},
          plan);
  plan.notes.push_back({object,
                        false,
                        "TaintManagerEviction",
                        join({"Marking for deletion Pod ", key.ns, "/", key.name}),
                        {}});
  return plan;
}

bool has_evicting_taints(const api::ObjectRef& node) {
  return node && node->text().find("\"NoExecute\"") != std::string_view::npos;
}

void wake_pods_of_node(const api::Change& change, const api::State& state, Keys& keys) {
  const bool before = has_evicting_taints(change.before);
  const bool after = has_evicting_taints(change.after);
  if (change.type == api::ChangeType::kDeleted || (!before && !after)) return;
  if (before && after) {
    json::Tree old_tree;
    json::Tree tree;
    if (json::equal(change.before->parse(old_tree)["spec"]["taints"],
                    change.after->parse(tree)["spec"]["taints"]))
      return;
  }
  for (const Parsed& pod : pods_on(state, change.after->name()))
    keys.insert({&api::kPod, std::string(pod.ref->ns()), std::string(pod.ref->name())});
}

void wake_pod(const api::Change& change, const api::State& state, Keys& keys) {
  if (change.type == api::ChangeType::kDeleted || change.after->deleting()) return;
  json::Tree tree;
  const std::string_view on = change.after->parse(tree)["spec"]["nodeName"].string();
  if (on.empty() || !has_evicting_taints(state.get(api::kNode, {}, on))) return;
  wake_itself(change, state, keys);
}

constexpr Watch kWatches[] = {{&api::kNode, wake_pods_of_node}, {&api::kPod, wake_pod}};

}  // namespace

const Controller kTaintEvictionController{"taint-eviction-controller", kWatches, plan_eviction,
                                          nullptr};

}  // namespace coracle::controllers
