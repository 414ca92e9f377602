// SPDX-License-Identifier: GPL-2.0-or-later
// Deployment: declarative updates of ReplicaSets (upstream
// pkg/controller/deployment/deployment_controller.go).
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/rollout.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

Result<api::Plan> plan_deployment(const Now& now, const api::Key& key) {
  const api::ObjectRef object = now.state.get(api::kDeployment, key.ns, key.name);
  if (!object) return api::Plan{};
  return Rollout(now, parse(object)).plan();
}

// Recreate waits for the last old pod to go: a pod that vanishes wakes the deployment of its set.
void wake_owner_of_owner(const api::Change& change, const api::State& state, Keys& keys) {
  if (change.type != api::ChangeType::kDeleted) return;
  json::Tree tree;
  const std::string_view set_name = controller_of(change.after->parse(tree))["name"].string();
  const api::ObjectRef set = state.get(api::kReplicaSet, change.after->ns(), set_name);
  if (!set) return;
  json::Tree set_tree;
  const json::Node owner = controller_of(set->parse(set_tree));
  if (owner["kind"].string() == "Deployment") {
    keys.insert({&api::kDeployment, std::string(set->ns()), std::string(owner["name"].string())});
  }
}

constexpr Watch kWatches[] = {
    {&api::kDeployment, wake_itself},
    {&api::kReplicaSet, wake_controller<api::kDeployment>},
    {&api::kReplicaSet, wake_adopters<api::kDeployment>},
    {&api::kPod, wake_owner_of_owner},
};

}  // namespace

const Controller kDeploymentController{"deployment-controller", kWatches, plan_deployment, nullptr};

}  // namespace coracle::controllers
