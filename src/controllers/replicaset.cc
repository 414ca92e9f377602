// SPDX-License-Identifier: GPL-2.0-or-later
// ReplicaSet and ReplicationController: keep the wanted number of pods (upstream
// pkg/controller/replicaset/replica_set.go, syncReplicaSet, which serves both).
#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/pods.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr std::string_view kReplicaFailure = "ReplicaFailure";
constexpr size_t kBurst = 500;  // upstream BurstReplicas: pods made or deleted in one plan

api::Call create_pod(const Parsed& set, std::string_view name) {
  json::Tree tree;
  const json::Node pod = new_pod(tree, *set.ref, set.node["spec"]["template"]);
  pod["metadata"].set("name", name);
  pod["metadata"].set("generateName", join({set.ref->name(), "-"}));
  return create_call(api::kPod, pod);
}

void create_missing(const Now& now, const Parsed& set, size_t missing, api::Plan& plan) {
  const size_t count = std::min(missing, kBurst);
  plan.slow_start = true;
  plan.refused = api::Note{set.ref, true, "FailedCreate", "Error creating: "};
  for (size_t i = 0; i < count; ++i) {
    std::string name = free_name(now.state, api::kPod, *set.ref, i);
    api::Note note{set.ref, false, "SuccessfulCreate", join({"Created pod: ", name})};
    plan.add(create_pod(set, name), std::move(note));
  }
}

// Active pods a node, of this set and of its siblings: those that the same Deployment controls.
Crowding count_family(const api::State& state, const Parsed& set) {
  std::set<std::string, std::less<>> family{std::string(set.ref->uid())};
  if (const std::string parent(controller_of(set.node)["uid"].string()); !parent.empty()) {
    api::for_each(state, api::kReplicaSet, set.ref->ns(), [&](const api::ObjectRef& object) {
      json::Tree tree;
      if (is_controlled_by(object->parse(tree), parent)) family.emplace(object->uid());
    });
  }
  Crowding crowding;
  api::for_each(state, api::kPod, set.ref->ns(), [&](const api::ObjectRef& object) {
    json::Tree tree;
    const json::Node pod = object->parse(tree);
    if (is_active(pod) && family.contains(controller_of(pod)["uid"].string()))
      ++crowding[std::string(pod["spec"]["nodeName"].string())];
  });
  return crowding;
}

void delete_surplus(const Now& now,
                    const Parsed& set,
                    std::vector<Parsed>& active,
                    size_t surplus,
                    api::Plan& plan) {
  if (surplus < active.size()) rank_for_deletion(active, count_family(now.state, set), now.wall);
  const size_t count = std::min(surplus, kBurst);
  plan.refused = api::Note{set.ref, true, "FailedDelete", "Error deleting: "};
  for (size_t i = 0; i < count; ++i) {
    plan.add(delete_call(*active[i].ref),
             {set.ref, false, "SuccessfulDelete", join({"Deleted pod: ", active[i].ref->name()})});
  }
}

struct Counts {
  int64_t replicas = 0;
  int64_t fully_labeled = 0;
  int64_t ready = 0;
  int64_t available = 0;
  int64_t terminating = 0;
  Duration next_available = {};  // when the next ready pod becomes available; 0: none waits
};

bool has_all(json::Node labels, json::Node wanted) {
  for (const json::Node label : wanted) {
    if (labels[label.key()].string() != label.string() || !labels[label.key()]) return false;
  }
  return true;
}

Counts count(const Now& now, const Parsed& set, const std::vector<Parsed>& active) {
  Counts counts;
  const int64_t min_ready = set.node["spec"]["minReadySeconds"].integer();
  const json::Node wanted = set.node["spec"]["template"]["metadata"]["labels"];
  counts.replicas = static_cast<int64_t>(active.size());
  for (const Parsed& pod : active) {
    if (has_all(pod.node["metadata"]["labels"], wanted)) ++counts.fully_labeled;
    if (!is_ready(pod.node)) continue;
    ++counts.ready;
    if (is_available(pod.node, min_ready, now.wall)) {
      ++counts.available;
      continue;
    }
    const Duration wait = ready_since(pod.node) + seconds(min_ready) - now.wall;
    if (counts.next_available.ns == 0 || wait < counts.next_available) counts.next_available = wait;
  }
  return counts;
}

// Says why pods cannot be made or deleted, as long as that is so (upstream calculateStatus).
void judge_failure(const Now& now, json::Node status, int64_t missing) {
  if (now.refusal == nullptr || missing == 0) {
    remove_condition(status, kReplicaFailure);
  } else if (!find_condition(status, kReplicaFailure)) {
    replace_condition(status,
                      {kReplicaFailure, "True", missing > 0 ? "FailedCreate" : "FailedDelete",
                       now.refusal->message},
                      now.wall, UpdateTime::kAbsent);
  }
}

void update_status(const Now& now, const Parsed& set, const Counts& counts, api::Plan& plan) {
  const Parsed next = parse(set.ref);
  const json::Node status = next.node.object("status");
  status.set("replicas", counts.replicas);
  set_or_drop(status, "fullyLabeledReplicas", counts.fully_labeled);
  set_or_drop(status, "readyReplicas", counts.ready);
  set_or_drop(status, "availableReplicas", counts.available);
  if (&set.ref->kind() == &api::kReplicaSet) status.set("terminatingReplicas", counts.terminating);
  status.set("observedGeneration", set.node["metadata"]["generation"].integer());
  const int64_t wanted = set.node["spec"]["replicas"].integer(1);
  judge_failure(now, status, set.ref->deleting() ? 0 : wanted - counts.replicas);
  if (!json::equal(status, set.node["status"]))
    plan.calls.push_back(update_call(next, api::Subresource::kStatus));
}

api::LabelSelector selector_of(const Parsed& set) {
  const json::Node selector = set.node["spec"]["selector"];
  return &set.ref->kind() == &api::kReplicaSet ? api::LabelSelector::from_object(selector)
                                               : api::LabelSelector::from_map(selector);
}

Result<api::Plan> plan_replicas(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef object = now.state.get(*key.kind, key.ns, key.name);
  if (!object) return plan;
  const Parsed set = parse(object);
  const auto selector = selector_of(set);
  std::vector<Parsed> owned = claim(now.state, api::kPod, set, selector, plan);
  if (!plan.calls.empty()) return plan;  // adoptions first: the next plan counts them
  std::vector<Parsed> active;
  int64_t terminating = 0;
  for (Parsed& pod : owned) {
    if (is_active(pod.node))
      active.push_back(std::move(pod));
    else if (pod.ref->deleting() && !has_ended(pod.node))
      ++terminating;
  }
  Counts counts = count(now, set, active);
  counts.terminating = terminating;
  // The status goes first: what is refused below must not keep it from being written.
  update_status(now, set, counts, plan);
  const auto wanted =
      static_cast<size_t>(std::max<int64_t>(0, set.node["spec"]["replicas"].integer(1)));
  if (!object->deleting()) {
    if (active.size() < wanted)
      create_missing(now, set, wanted - active.size(), plan);
    else if (active.size() > wanted)
      delete_surplus(now, set, active, active.size() - wanted, plan);
  }
  if (counts.next_available.ns > 0) plan.again_after = counts.next_available + milliseconds(10);
  return plan;
}

constexpr Watch kWatches[] = {
    {&api::kReplicaSet, wake_itself},
    {&api::kPod, wake_controller<api::kReplicaSet>},
    {&api::kPod, wake_adopters<api::kReplicaSet>},
};

// Selectors of ReplicationControllers are plain maps.
void wake_adopting_controllers(const api::Change& change, const api::State& state, Keys& keys) {
  const api::Object& object = *change.after;
  if (change.type == api::ChangeType::kDeleted || object.deleting()) return;
  api::for_each(state, api::kReplicationController, object.ns(), [&](const api::ObjectRef& owner) {
    json::Tree tree;
    json::Tree owner_tree;
    const json::Node pod = object.parse(tree);
    const auto selector =
        api::LabelSelector::from_map(owner->parse(owner_tree)["spec"]["selector"]);
    if (!controller_of(pod) && selector.matches(pod["metadata"]["labels"]))
      keys.insert(
          {&api::kReplicationController, std::string(owner->ns()), std::string(owner->name())});
  });
}

constexpr Watch kOldWatches[] = {
    {&api::kReplicationController, wake_itself},
    {&api::kPod, wake_controller<api::kReplicationController>},
    {&api::kPod, wake_adopting_controllers},
};

}  // namespace

const Controller kReplicaSetController{"replicaset-controller", kWatches, plan_replicas, nullptr};
const Controller kReplicationControllerController{"replication-controller", kOldWatches,
                                                  plan_replicas, nullptr};

}  // namespace coracle::controllers
