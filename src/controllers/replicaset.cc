// SPDX-License-Identifier: GPL-2.0-or-later
// ReplicaSet: keeps the wanted number of pods (upstream pkg/controller/replicaset/replica_set.go,
// syncReplicaSet).
#include <algorithm>

#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/pods.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr size_t kBurst = 500;  // upstream BurstReplicas: pods made or deleted in one plan

api::Call create_pod(const Parsed& set, std::string name) {
  json::Tree tree;
  const json::Node pod = tree.make_object();
  pod.set("kind", "Pod");
  pod.set("apiVersion", "v1");
  const json::Node metadata = pod.object("metadata");
  const json::Node model = set.node["spec"]["template"];
  for (const char* copied : {"labels", "annotations", "finalizers"}) {
    if (const json::Node value = model["metadata"][copied]) metadata.set(copied, value);
  }
  metadata.set("name", name);
  metadata.set("namespace", set.ref->ns());
  metadata.set("generateName", join({set.ref->name(), "-"}));
  append_controller_reference(metadata.array("ownerReferences"), *set.ref);
  pod.set("spec", model["spec"]);
  api::Call call;
  call.key = {&api::kPod, std::string(set.ref->ns()), std::move(name)};
  call.body = json::write(pod);
  return call;
}

// metadata.name has at most 63 characters for pods made by controllers: upstream cuts the base.
std::string pod_name(const Parsed& set, size_t index, uint64_t version) {
  constexpr size_t kBaseMax = 57;
  return join(
      {set.ref->name().substr(0, kBaseMax), "-", name_suffix(set.ref->uid(), version, index)});
}

void create_missing(const Now& now, const Parsed& set, size_t missing, api::Plan& plan) {
  const size_t count = std::min(missing, kBurst);
  for (size_t i = 0; i < count; ++i) {
    std::string name = pod_name(set, i, now.state.version());
    plan.notes.push_back({set.ref, false, "SuccessfulCreate", join({"Created pod: ", name})});
    plan.calls.push_back(create_pod(set, std::move(name)));
  }
}

void delete_surplus(const Parsed& set,
                    std::vector<Parsed>& active,
                    size_t surplus,
                    api::Plan& plan) {
  rank_for_deletion(active);
  const size_t count = std::min(surplus, kBurst);
  for (size_t i = 0; i < count; ++i) {
    plan.notes.push_back(
        {set.ref, false, "SuccessfulDelete", join({"Deleted pod: ", active[i].ref->name()})});
    plan.calls.push_back(delete_call(*active[i].ref));
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

void set_or_drop(json::Node status, std::string_view name, int64_t value) {
  if (value > 0)
    status.set(name, value);
  else
    status.remove(name);
}

void update_status(const Parsed& set, const Counts& counts, api::Plan& plan) {
  const Parsed next = parse(set.ref);
  const json::Node status = next.node.object("status");
  status.set("replicas", counts.replicas);
  set_or_drop(status, "fullyLabeledReplicas", counts.fully_labeled);
  set_or_drop(status, "readyReplicas", counts.ready);
  set_or_drop(status, "availableReplicas", counts.available);
  set_or_drop(status, "terminatingReplicas", counts.terminating);
  status.set("observedGeneration", set.node["metadata"]["generation"].integer());
  if (!json::equal(status, set.node["status"]))
    plan.calls.push_back(update_call(next, api::Subresource::kStatus));
}

Result<api::Plan> plan_replicaset(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef object = now.state.get(api::kReplicaSet, key.ns, key.name);
  if (!object) return plan;
  const Parsed set = parse(object);
  const auto selector = api::LabelSelector::from_object(set.node["spec"]["selector"]);
  std::vector<Parsed> owned = claim(now.state, api::kPod, set, selector, plan);
  const bool settling = !plan.calls.empty();  // adoptions first: the next plan counts them
  std::vector<Parsed> active;
  Counts terminating;
  for (Parsed& pod : owned) {
    if (is_active(pod.node))
      active.push_back(std::move(pod));
    else if (pod.ref->deleting() && pod.node["status"]["phase"].string() != "Failed" &&
             pod.node["status"]["phase"].string() != "Succeeded")
      ++terminating.terminating;
  }
  Counts counts = count(now, set, active);
  counts.terminating = terminating.terminating;
  const auto wanted =
      static_cast<size_t>(std::max<int64_t>(0, set.node["spec"]["replicas"].integer(1)));
  if (!object->deleting() && !settling) {
    if (active.size() < wanted)
      create_missing(now, set, wanted - active.size(), plan);
    else if (active.size() > wanted)
      delete_surplus(set, active, active.size() - wanted, plan);
  }
  update_status(set, counts, plan);
  if (counts.next_available.ns > 0) plan.again_after = counts.next_available + milliseconds(10);
  return plan;
}

// A pod that belongs to nobody may be wanted by any set whose selector matches it.
void wake_adopters(const api::Change& change, const api::State& state, Keys& keys) {
  if (change.type == api::ChangeType::kDeleted || change.after->deleting()) return;
  json::Tree tree;
  const json::Node pod = change.after->parse(tree);
  if (controller_of(pod)) return;
  api::for_each(state, api::kReplicaSet, change.after->ns(), [&](const api::ObjectRef& set) {
    json::Tree set_tree;
    const json::Node node = set->parse(set_tree);
    if (api::LabelSelector::from_object(node["spec"]["selector"])
            .matches(pod["metadata"]["labels"])) {
      keys.insert({&api::kReplicaSet, std::string(set->ns()), std::string(set->name())});
    }
  });
}

constexpr Watch kWatches[] = {
    {&api::kReplicaSet, wake_itself},
    {&api::kPod, wake_controller},
    {&api::kPod, wake_adopters},
};

}  // namespace

const Controller kReplicaSetController{"replicaset-controller", kWatches, plan_replicaset, nullptr};

}  // namespace coracle::controllers
