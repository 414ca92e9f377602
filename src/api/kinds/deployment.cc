// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/kinds/pod_template.h"
#include "api/kinds/workload.h"
#include "api/meta.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kRollingUpdateDeploymentFields[] = {
    int_or_string("maxUnavailable", 1)
        .about("How many Pods may be missing, a number or a percentage rounded down."),
    int_or_string("maxSurge", 2)
        .about("How many Pods may exist beyond the wanted number, a number or a percentage rounded "
               "up."),
};
constexpr Message kRollingUpdateDeployment{
    "io.k8s.api.apps.v1.RollingUpdateDeployment", kRollingUpdateDeploymentFields,
    "RollingUpdateDeployment holds the settings of a rolling update."};

constexpr Field kDeploymentStrategyFields[] = {
    text("type", 1)
        .otherwise("\"RollingUpdate\"")
        .one_of("Recreate|RollingUpdate")
        .about("RollingUpdate or Recreate."),
    object("rollingUpdate", 2, kRollingUpdateDeployment).about("Settings of RollingUpdate."),
};
constexpr Message kDeploymentStrategy{
    "io.k8s.api.apps.v1.DeploymentStrategy", kDeploymentStrategyFields,
    "DeploymentStrategy tells how old Pods are replaced by new ones."};

constexpr Field kDeploymentConditionFields[] = {
    text("type", 1).listed().about("Available, Progressing or ReplicaFailure."),
    text("status", 2).listed().about("True, False or Unknown."),
    text("reason", 4).about("Machine-readable reason of the last change."),
    text("message", 5).about("Explanation for people."),
    time("lastUpdateTime", 6).about("When the condition was last updated."),
    time("lastTransitionTime", 7).about("When the status last changed."),
};
constexpr Message kDeploymentCondition{
    "io.k8s.api.apps.v1.DeploymentCondition", kDeploymentConditionFields,
    "DeploymentCondition is one aspect of the state of a Deployment."};

constexpr Field kDeploymentStatusFields[] = {
    int64("observedGeneration", 1)
        .or_zero()
        .about("Generation of the spec that this status is about."),
    int32("replicas", 2)
        .or_zero()
        .about("Pods of all ReplicaSets of the Deployment that are not being deleted."),
    int32("updatedReplicas", 3).or_zero().about("Of these, Pods of the newest template."),
    int32("availableReplicas", 4).or_zero().about("Pods that have been ready for minReadySeconds."),
    int32("unavailableReplicas", 5)
        .or_zero()
        .about("Pods that are still missing or not available."),
    list("conditions", 6, kDeploymentCondition)
        .keyed_by("type")
        .about("Whether the Deployment is available and makes progress."),
    int32("readyReplicas", 7).or_zero().about("Pods that are ready."),
    int32("collisionCount", 8)
        .about("How often a name hash had to be salted because the ReplicaSet's name was taken."),
    int32("terminatingReplicas", 9).about("Pods that are being deleted."),
};
constexpr Message kDeploymentStatus{"io.k8s.api.apps.v1.DeploymentStatus", kDeploymentStatusFields,
                                    "DeploymentStatus is the current state of a Deployment."};

constexpr Field kDeploymentSpecFields[] = {
    int32("replicas", 1).otherwise("1").must(not_negative).about("How many Pods are wanted."),
    object("selector", 2, kLabelSelector)
        .required()
        .about("Labels of the Pods that belong to the Deployment; must match the template and "
               "never changes."),
    object("template", 3, kPodTemplateSpec)
        .required()
        .about("Pods are made from this template; a change of it starts a rollout."),
    object("strategy", 4, kDeploymentStrategy)
        .retaining_keys()
        .otherwise("{}")
        .about("How old Pods are replaced by new ones."),
    int32("minReadySeconds", 5)
        .or_zero()
        .must(not_negative)
        .about("Seconds that a new Pod must be ready before it counts as available."),
    int32("revisionHistoryLimit", 6)
        .otherwise("10")
        .must(not_negative)
        .about("How many old ReplicaSets are kept to roll back to."),
    boolean("paused", 7).or_zero().about("If true, changes of the template are not rolled out."),
    int32("progressDeadlineSeconds", 9)
        .otherwise("600")
        .must(not_negative)
        .about("Seconds without progress after which a rollout counts as failed."),
};
constexpr Message kDeploymentSpec{"io.k8s.api.apps.v1.DeploymentSpec", kDeploymentSpecFields,
                                  "DeploymentSpec is the desired behaviour of a Deployment."};

constexpr Field kDeploymentFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kDeploymentSpec).about("Desired behaviour of the Deployment."),
    object("status", 3, kDeploymentStatus).about("Current state of the Deployment."),
};
constexpr Message kDeploymentMessage{
    "io.k8s.api.apps.v1.Deployment", kDeploymentFields,
    "Deployment keeps a set of equal Pods running and rolls out changes of their template."};

void ready_cell(json::Node deployment, Wall, json::Writer& out) {
  out.value(join({std::to_string(deployment["status"]["readyReplicas"].integer()), "/",
                  std::to_string(deployment["spec"]["replicas"].integer())}));
}

constexpr Column kColumns[] = {
    {.name = "Ready", .cell = ready_cell, .description = "Ready and wanted Pods."},
    {.name = "Up-to-date",
     .cell = [](json::Node d,
                Wall,
                json::Writer& out) { out.value(d["status"]["updatedReplicas"].integer()); },
     .type = "integer",
     .description = "Pods of the newest template."},
    {.name = "Available",
     .cell = [](json::Node d,
                Wall,
                json::Writer& out) { out.value(d["status"]["availableReplicas"].integer()); },
     .type = "integer",
     .description = "Pods that have been ready for minReadySeconds."},
    kAgeColumn,
    kTemplateContainersColumn,
    kTemplateImagesColumn,
    kLabelSelectorColumn,
};

void default_strategy(json::Node strategy) {
  if (strategy["type"].string() != "RollingUpdate") return;
  const json::Node rolling = strategy.object("rollingUpdate");
  for (std::string_view name : {"maxUnavailable", "maxSurge"}) {
    if (!rolling[name]) rolling.set(name, "25%");
  }
}

void fill_defaults(json::Node deployment) {
  default_strategy(deployment["spec"]["strategy"]);
  default_pod_template(deployment["spec"]["template"]);
}

void prepare(json::Node deployment, json::Node old) {
  if (old) return;
  deployment.remove("status");
  deployment.object("status");
}

void check_rolling_update(json::Node rolling, Errors& errors) {
  const std::string path = "spec.strategy.rollingUpdate";
  const std::string unavailable_path = field(path, "maxUnavailable");
  const json::Node unavailable = rolling["maxUnavailable"];
  const int64_t missing = check_share(unavailable, unavailable_path, errors);
  const int64_t surge = check_share(rolling["maxSurge"], field(path, "maxSurge"), errors);
  if (missing == 0 && surge == 0)
    errors.invalid(unavailable_path, unavailable, "may not be 0 when `maxSurge` is 0");
  check_share_limit(unavailable, missing, unavailable_path, errors);
}

void validate(json::Node deployment, Errors& errors) {
  validate_workload(deployment, errors);
  const json::Node spec = deployment["spec"];
  const json::Node strategy = spec["strategy"];
  if (strategy["type"].string() == "RollingUpdate")
    check_rolling_update(strategy["rollingUpdate"], errors);
  if (strategy["type"].string() == "Recreate" && strategy["rollingUpdate"])
    errors.forbidden("spec.strategy.rollingUpdate",
                     "may not be specified when strategy `type` is 'Recreate'");
  const json::Node deadline = spec["progressDeadlineSeconds"];
  if (deadline && deadline.integer() <= spec["minReadySeconds"].integer())
    errors.invalid("spec.progressDeadlineSeconds", deadline,
                   "must be greater than minReadySeconds");
}

void validate_update(json::Node deployment, json::Node old, Errors& errors) {
  check_immutable(deployment["spec"]["selector"], old["spec"]["selector"], "spec.selector", errors);
}

}  // namespace

constinit const Kind kDeployment{
    .group = "apps",
    .version = "v1",
    .name = "Deployment",
    .plural = "deployments",
    .singular = "deployment",
    .short_names = "deploy",
    .categories = "all",
    .message = &kDeploymentMessage,
    .columns = kColumns,
    .subresources = bit(Subresource::kStatus) | bit(Subresource::kScale),
    .scale = {"spec.replicas", "status.replicas", "spec.selector"},
    .has_status = true,
    .bumps_generation = true,
    .fill_defaults = fill_defaults,
    .prepare = prepare,
    .validate = validate,
    .validate_update = validate_update,
    .validate_status = validate_workload_status,
    .warn = warn_of_template};

}  // namespace coracle::api
