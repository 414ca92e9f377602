// SPDX-License-Identifier: GPL-2.0-or-later
// Makes the claims of a pod's ephemeral volumes; they go with the pod (upstream
// pkg/controller/volume/ephemeral).
#include "api/claims.h"
#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/pods.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

void plan_claim(const Now& now, const Parsed& pod, json::Node volume, api::Plan& plan) {
  const std::string name = api::claim_of(volume, pod.ref->name());
  const api::ObjectRef there = now.state.get(api::kPersistentVolumeClaim, pod.ref->ns(), name);
  if (there) {
    if (is_controlled_by(parse(there).node, pod.ref->uid())) return;
    plan.notes.push_back({pod.ref,
                          true,
                          "EphemeralVolumeConflict",
                          join({"PVC ", pod.ref->ns(), "/", name, " was not created for pod ",
                                pod.ref->ns(), "/", pod.ref->name(), " (pod is not owner)"}),
                          {}});
    return;
  }
  const json::Node model = volume["ephemeral"]["volumeClaimTemplate"];
  json::Tree tree;
  const json::Node claim = tree.make_object();
  claim.set("kind", "PersistentVolumeClaim");
  claim.set("apiVersion", "v1");
  const json::Node metadata = claim.object("metadata");
  metadata.set("name", std::string_view(name));
  metadata.set("namespace", pod.ref->ns());
  metadata.set("labels", model["metadata"]["labels"]);
  metadata.set("annotations", model["metadata"]["annotations"]);
  append_controller_reference(metadata.array("ownerReferences"), *pod.ref);
  claim.set("spec", model["spec"]);
  plan.calls.push_back(create_call(api::kPersistentVolumeClaim, claim));
}

Result<api::Plan> plan_ephemeral(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef object = now.state.get(api::kPod, key.ns, key.name);
  if (!object || object->deleting()) return plan;
  const Parsed pod = parse(object);
  for (const json::Node volume : pod.node["spec"]["volumes"]) {
    if (volume["ephemeral"]) plan_claim(now, pod, volume, plan);
  }
  if (!plan.calls.empty())
    plan.refused = api::Note{object, true, "FailedCreate", "ephemeral volume controller: ", {}};
  return plan;
}

void wake_pod(const api::Change& change, const api::State&, Keys& keys) {
  if (change.after->text().find("\"volumeClaimTemplate\"") == std::string_view::npos) return;
  keys.insert({&api::kPod, std::string(change.after->ns()), std::string(change.after->name())});
}

void wake_owner(const api::Change& change, const api::State& state, Keys& keys) {
  if (change.type == api::ChangeType::kDeleted) wake_controller<api::kPod>(change, state, keys);
}

constexpr Watch kWatches[] = {{&api::kPod, wake_pod}, {&api::kPersistentVolumeClaim, wake_owner}};

}  // namespace

const Controller kEphemeralVolumeController{"ephemeral-volume-controller", kWatches, plan_ephemeral,
                                            nullptr};

}  // namespace coracle::controllers
