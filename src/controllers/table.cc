// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr const Controller* kControllers[] = {
    &kDeploymentController,
    &kReplicaSetController,
    &kEndpointSliceController,
    &kEndpointSliceMirroringController,
    &kEndpointsController,
    &kNamespaceController,
    &kServiceAccountController,
    &kRootCaController,
    &kGarbageCollector,
    &kNodeLifecycleController,
    &kClusterRoleAggregationController,
    &kCustomResourceCleanupController,
    &kNodeIpamController,
    &kTaintEvictionController,
    &kPodGarbageCollector,
    &kReplicationControllerController,
    &kDaemonSetController,
    &kStatefulSetController,
    &kJobController,
    &kCronJobController,
    &kTtlAfterFinishedController,
    &kDisruptionController,
    &kResourceQuotaController,
    &kTokenCleaner,
    &kAutoscalerController,
    &kVolumeBindingController,
    &kLocalPathController,
    &kVolumeProtectionController,
    &kEphemeralVolumeController,
};

// Most changes wake nobody: stored text is compact, so this is found without parsing it.
bool has_controller(const api::Object& object) {
  return object.text().find("\"controller\":true") != std::string_view::npos;
}

void wake_owner_of(const api::Kind& owners, const api::Object& object, Keys& keys) {
  if (!has_controller(object)) return;
  if (object.text().find(join({"\"kind\":\"", owners.name, "\""})) == std::string_view::npos)
    return;
  json::Tree tree;
  const json::Node owner = controller_of(object.parse(tree));
  if (owner["kind"].string() == owners.name &&
      owner["apiVersion"].string() == api::group_version(owners))
    keys.insert({&owners, std::string(object.ns()), std::string(owner["name"].string())});
}

}  // namespace

std::span<const Controller* const> all_controllers() {
  return kControllers;
}

void wake_itself(const api::Change& change, const api::State&, Keys& keys) {
  keys.insert(
      {&change.after->kind(), std::string(change.after->ns()), std::string(change.after->name())});
}

void wake_controller_of(const api::Kind& owners, const api::Change& change, Keys& keys) {
  if (change.before) wake_owner_of(owners, *change.before, keys);
  wake_owner_of(owners, *change.after, keys);
}

void wake_adopters_of(const api::Kind& owners,
                      const api::Change& change,
                      const api::State& state,
                      Keys& keys) {
  const api::Object& object = *change.after;
  if (change.type == api::ChangeType::kDeleted || object.deleting() || has_controller(object))
    return;
  json::Tree tree;
  json::Node orphan;
  api::for_each(state, owners, object.ns(), [&](const api::ObjectRef& owner) {
    if (!orphan) orphan = object.parse(tree);
    json::Tree owner_tree;
    const json::Node node = owner->parse(owner_tree);
    if (api::LabelSelector::from_object(node["spec"]["selector"])
            .matches(orphan["metadata"]["labels"])) {
      keys.insert({&owners, std::string(owner->ns()), std::string(owner->name())});
    }
  });
}

}  // namespace coracle::controllers
