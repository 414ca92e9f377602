// SPDX-License-Identifier: GPL-2.0-or-later
// DaemonSet: one pod on every node that suits (upstream
// pkg/controller/daemon/daemon_controller.go).
#include <algorithm>

#include "base/bytes.h"
#include "controllers/daemons.h"
#include "controllers/node_match.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr size_t kBurst = 250;  // upstream BurstReplicas
// A pod that failed is replaced no sooner than this after it was made: one that fails at once must
// not keep the cluster busy.
constexpr Duration kRestAfterFailure = seconds(5);
constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";
constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";

struct OwnToleration {
  std::string_view key;
  std::string_view effect;
  bool host_network_only = false;
};
constexpr OwnToleration kOwnTolerations[] = {
    {"node.kubernetes.io/not-ready", "NoExecute"},
    {"node.kubernetes.io/unreachable", "NoExecute"},
    {"node.kubernetes.io/disk-pressure", "NoSchedule"},
    {"node.kubernetes.io/memory-pressure", "NoSchedule"},
    {"node.kubernetes.io/pid-pressure", "NoSchedule"},
    {"node.kubernetes.io/unschedulable", "NoSchedule"},
    {"node.kubernetes.io/network-unavailable", "NoSchedule", true},
};

// Where a pod runs, or is meant to: its node affinity names the node.
std::string_view node_of(json::Node pod) {
  if (const std::string_view on = pod["spec"]["nodeName"].string(); !on.empty()) return on;
  for (const json::Node term :
       pod["spec"]["affinity"]["nodeAffinity"][kRequired]["nodeSelectorTerms"]) {
    for (const json::Node field : term["matchFields"]) {
      if (field["key"].string() == "metadata.name") return field["values"].first().string();
    }
  }
  return {};
}

bool is_older(const Parsed* a, const Parsed* b) {
  const std::string_view x = a->node["metadata"]["creationTimestamp"].string();
  const std::string_view y = b->node["metadata"]["creationTimestamp"].string();
  return x != y ? x < y : a->ref->name() < b->ref->name();
}

}  // namespace

Daemons::Daemons(const Now& now, Parsed set)
    : now_(now),
      set_(std::move(set)),
      revisions_(now, set_, plan_) {}

api::Plan Daemons::plan() {
  if (set_.ref->deleting()) return {};
  if (!find()) return std::move(plan_);
  find_places();
  manage();
  if (plan_.calls.empty() && !set_.ref->deleting()) roll();
  const bool busy = !plan_.calls.empty();
  std::vector<std::string_view> used;
  for (const Parsed& pod : pods_)
    used.push_back(pod.node["metadata"]["labels"][kRevisionHash].string());
  if (!busy) revisions_.truncate(spec()["revisionHistoryLimit"].integer(10), used, plan_);
  write_status();
  return std::move(plan_);
}

// False: calls were planned that the rest waits for.
bool Daemons::find() {
  const auto selector = api::LabelSelector::from_object(spec()["selector"]);
  pods_ = claim(now_.state, api::kPod, set_, selector, plan_);
  return plan_.calls.empty() && revisions_.settle(plan_);
}

json::Node Daemons::tolerant_spec() {
  const json::Node model = tree_.make_root(spec()["template"]["spec"]);
  for (const OwnToleration& own : kOwnTolerations) {
    if (own.host_network_only && !model["hostNetwork"].boolean()) continue;
    const json::Node toleration = model.array("tolerations").append_object();
    toleration.set("key", own.key);
    toleration.set("operator", "Exists");
    toleration.set("effect", own.effect);
  }
  return model;
}

void Daemons::find_places() {
  const json::Node model = tolerant_spec();
  api::for_each(now_.state, api::kNode, {}, [&](const api::ObjectRef& object) {
    json::Tree tree;
    const json::Node node = object->parse(tree);
    Place place{object, false, false, {}};
    const std::string_view fixed = model["nodeName"].string();
    if ((fixed.empty() || fixed == object->name()) && node_suits(model, node)) {
      place.should_run = tolerates_node(model, node, "NoSchedule|NoExecute");
      place.may_stay = tolerates_node(model, node, "NoExecute");
    }
    for (const Parsed& pod : pods_) {
      if (node_of(pod.node) == object->name()) place.pods.push_back(&pod);
    }
    std::sort(place.pods.begin(), place.pods.end(), is_older);
    places_.push_back(std::move(place));
  });
}

void Daemons::manage() {
  plan_.slow_start = true;
  plan_.refused = api::Note{set_.ref, true, "FailedCreate", "Error creating: ", {}};
  for (const Place& place : places_)
    manage_place(place);
}

void Daemons::manage_place(const Place& place) {
  if (place.should_run && place.pods.empty()) return create(place);
  std::vector<const Parsed*> running;
  for (const Parsed* pod : place.pods) {
    if (pod->ref->deleting()) continue;
    if (!place.may_stay)
      remove(*pod);
    else if (has_ended(pod->node))
      replace_ended(place, *pod);
    else
      running.push_back(pod);
  }
  if (running.size() > 1) prune(std::move(running));
}

// Without surge only the oldest stays. With it, an old and a fresh one may run side by side, as
// long as the fresh one is not available and the old one is ready.
void Daemons::prune(std::vector<const Parsed*> running) {
  if (share("maxSurge", 0) == 0) {
    for (size_t i = 1; i < running.size(); ++i)
      remove(*running[i]);
    return;
  }
  const Parsed* fresh = nullptr;
  const Parsed* old = nullptr;
  for (const Parsed* pod : running) {
    const Parsed*& first = is_fresh(*pod) ? fresh : old;
    if (first == nullptr)
      first = pod;
    else
      remove(*pod);
  }
  if (fresh != nullptr && old != nullptr && (!is_ready(old->node) || is_available(*fresh)))
    remove(*old);
}

void Daemons::replace_ended(const Place& place, const Parsed& pod) {
  const bool failed = pod.node["status"]["phase"].string() == "Failed";
  const auto created = parse_rfc3339(pod.node["metadata"]["creationTimestamp"].string());
  const Duration rest = kRestAfterFailure - (now_.wall - created.value_or(Wall{0}));
  if (failed && rest.ns > 0 && rest <= kRestAfterFailure) {
    plan_.again_after = rest;
    return;
  }
  if (deleted_ >= kBurst) return;
  ++deleted_;
  plan_.add(delete_call(*pod.ref),
            {set_.ref,
             failed,
             failed ? "FailedDaemonPod" : "SucceededDaemonPod",
             join({"Found ", failed ? "failed" : "succeeded", " daemon pod ", pod.ref->ns(), "/",
                   pod.ref->name(), " on node ", place.node->name(), ", will try to ",
                   failed ? "kill" : "delete", " it"}),
             {}});
}

void Daemons::create(const Place& place) {
  if (created_ >= kBurst) return;
  const std::string name = free_name(now_.state, api::kPod, *set_.ref, created_++);
  json::Tree tree;
  const json::Node pod = new_pod(tree, *set_.ref, spec()["template"]);
  const json::Node metadata = pod["metadata"];
  metadata.set("name", name);
  metadata.set("generateName", join({set_.ref->name(), "-"}));
  const std::string_view generation =
      set_.node["metadata"]["annotations"][kTemplateGeneration].string();
  if (!generation.empty()) metadata.object("labels").set("pod-template-generation", generation);
  metadata.object("labels").set(kRevisionHash, revisions_.current_hash());
  pod.set("spec", tree_.root());
  const json::Node required =
      pod["spec"].object("affinity").object("nodeAffinity").object(kRequired);
  required.array("nodeSelectorTerms").clear();
  const json::Node field =
      required["nodeSelectorTerms"].append_object().array("matchFields").append_object();
  field.set("key", "metadata.name");
  field.set("operator", "In");
  field.array("values").append(place.node->name());
  plan_.add(create_call(api::kPod, pod),
            {set_.ref, false, "SuccessfulCreate", join({"Created pod: ", name}), {}});
}

void Daemons::remove(const Parsed& pod) {
  if (deleted_ >= kBurst) return;
  ++deleted_;
  plan_.add(delete_call(*pod.ref),
            {set_.ref, false, "SuccessfulDelete", join({"Deleted pod: ", pod.ref->name()}), {}});
}

void Daemons::write_status() {
  int64_t desired = 0;
  int64_t current = 0;
  int64_t misscheduled = 0;
  int64_t ready = 0;
  int64_t available = 0;
  int64_t updated = 0;
  const int64_t min_ready = spec()["minReadySeconds"].integer();
  for (const Place& place : places_) {
    if (!place.should_run) {
      misscheduled += place.pods.empty() ? 0 : 1;
      continue;
    }
    ++desired;
    if (place.pods.empty()) continue;
    ++current;
    const Parsed& pod = *place.pods.front();
    updated += is_fresh(pod) ? 1 : 0;
    if (!is_ready(pod.node)) continue;
    ++ready;
    if (is_available(pod)) {
      ++available;
      continue;
    }
    const Duration wait = ready_since(pod.node) + seconds(min_ready) - now_.wall;
    plan_.again_after = std::min(plan_.again_after.value_or(wait), wait) + milliseconds(10);
  }
  const Parsed next = parse(set_.ref);
  const json::Node status = next.node.object("status");
  status.set("currentNumberScheduled", current);
  status.set("numberMisscheduled", misscheduled);
  status.set("desiredNumberScheduled", desired);
  status.set("numberReady", ready);
  status.set("observedGeneration", set_.node["metadata"]["generation"].integer());
  set_or_drop(status, "updatedNumberScheduled", updated);
  set_or_drop(status, "numberAvailable", available);
  set_or_drop(status, "numberUnavailable", desired - available);
  if (json::equal(status, set_.node["status"])) return;
  // First: what is refused below must not keep it from being written.
  plan_.calls.insert(plan_.calls.begin(), update_call(next, api::Subresource::kStatus));
  for (api::Note& note : plan_.notes)
    if (note.call) ++*note.call;
}

namespace {

Result<api::Plan> plan_daemonset(const Now& now, const api::Key& key) {
  const api::ObjectRef object = now.state.get(api::kDaemonSet, key.ns, key.name);
  if (!object) return api::Plan{};
  return Daemons(now, parse(object)).plan();
}

// Labels and taints decide where daemons run; heartbeats do not.
void wake_for_node(const api::Change& change, const api::State& state, Keys& keys) {
  if (change.before && change.type != api::ChangeType::kDeleted) {
    json::Tree old_tree;
    json::Tree tree;
    const json::Node before = change.before->parse(old_tree);
    const json::Node after = change.after->parse(tree);
    if (json::equal(before["metadata"]["labels"], after["metadata"]["labels"]) &&
        json::equal(before["spec"]["taints"], after["spec"]["taints"]))
      return;
  }
  api::for_each(state, api::kDaemonSet, {}, [&](const api::ObjectRef& set) {
    keys.insert({&api::kDaemonSet, std::string(set->ns()), std::string(set->name())});
  });
}

constexpr Watch kWatches[] = {
    {&api::kDaemonSet, wake_itself},
    {&api::kNode, wake_for_node},
    {&api::kPod, wake_controller<api::kDaemonSet>},
    {&api::kPod, wake_adopters<api::kDaemonSet>},
    {&api::kControllerRevision, wake_controller<api::kDaemonSet>},
    {&api::kControllerRevision, wake_adopters<api::kDaemonSet>},
};

}  // namespace

const Controller kDaemonSetController{"daemonset-controller", kWatches, plan_daemonset, nullptr};

}  // namespace coracle::controllers
