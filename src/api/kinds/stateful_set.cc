// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/kinds/claim.h"
#include "api/kinds/pod_template.h"
#include "api/kinds/workload.h"
#include "api/meta.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kStatefulSetOrdinalsFields[] = {
    int32("start", 1).or_zero().must(not_negative).about("Number of the first Pod."),
};
constexpr Message kStatefulSetOrdinals{"io.k8s.api.apps.v1.StatefulSetOrdinals",
                                       kStatefulSetOrdinalsFields};

constexpr Field kRetentionFields[] = {
    text("whenDeleted", 1)
        .otherwise("\"Retain\"")
        .one_of("Delete|Retain")
        .about("What becomes of the claims when the StatefulSet is deleted."),
    text("whenScaled", 2)
        .otherwise("\"Retain\"")
        .one_of("Delete|Retain")
        .about("What becomes of the claims of Pods that are scaled away."),
};
constexpr Message kRetention{"io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy",
                             kRetentionFields};

constexpr Field kRollingUpdateStatefulSetStrategyFields[] = {
    int32("partition", 1).must(not_negative).about("Pods with a lower number are left alone."),
    int_or_string("maxUnavailable", 2).about("Pods that may be missing during the update."),
};
constexpr Message kRollingUpdateStatefulSetStrategy{
    "io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy", kRollingUpdateStatefulSetStrategyFields};

constexpr Field kStatefulSetUpdateStrategyFields[] = {
    text("type", 1).otherwise("\"RollingUpdate\"").about("RollingUpdate or OnDelete."),
    object("rollingUpdate", 2, kRollingUpdateStatefulSetStrategy)
        .about("Settings of RollingUpdate."),
};
constexpr Message kStatefulSetUpdateStrategy{"io.k8s.api.apps.v1.StatefulSetUpdateStrategy",
                                             kStatefulSetUpdateStrategyFields};

constexpr Field kStatefulSetSpecFields[] = {
    int32("replicas", 1).otherwise("1").must(not_negative).about("How many Pods are wanted."),
    object("selector", 2, kLabelSelector)
        .required()
        .about("Labels of the Pods that belong to it; must match the template, never changes."),
    object("template", 3, kPodTemplateSpec)
        .required()
        .about("Pods are made from this template, named <name>-0, <name>-1 and so on."),
    list("volumeClaimTemplates", 4, kPersistentVolumeClaimMessage)
        .about("Claims that every Pod gets for itself."),
    text("serviceName", 5).about("Headless Service that gives the Pods their DNS names."),
    text("podManagementPolicy", 6)
        .otherwise("\"OrderedReady\"")
        .about("OrderedReady starts one Pod after the other, Parallel all at once."),
    object("updateStrategy", 7, kStatefulSetUpdateStrategy)
        .otherwise("{}")
        .about("How Pods are replaced when the template changes."),
    int32("revisionHistoryLimit", 8)
        .otherwise("10")
        .must(not_negative)
        .about("How many old revisions are kept."),
    int32("minReadySeconds", 9)
        .or_zero()
        .must(not_negative)
        .about("Seconds that a new Pod must be ready before it counts as available."),
    object("persistentVolumeClaimRetentionPolicy", 10, kRetention)
        .otherwise("{}")
        .about("What becomes of claims that are no longer needed."),
    object("ordinals", 11, kStatefulSetOrdinals).about("How the Pods are numbered."),
};
constexpr Message kStatefulSetSpec{"io.k8s.api.apps.v1.StatefulSetSpec", kStatefulSetSpecFields,
                                   "StatefulSetSpec is the desired behaviour of a StatefulSet."};

constexpr Message kStatefulSetCondition{"io.k8s.api.apps.v1.StatefulSetCondition",
                                        kWorkloadConditionFields};

constexpr Field kStatefulSetStatusFields[] = {
    int64("observedGeneration", 1)
        .or_zero()
        .about("Generation of the spec that this status is about."),
    int32("replicas", 2).listed().otherwise("0").about("Pods of the StatefulSet."),
    int32("readyReplicas", 3).or_zero().about("Pods that are ready."),
    int32("currentReplicas", 4).or_zero().about("Pods of currentRevision."),
    int32("updatedReplicas", 5).or_zero().about("Pods of updateRevision."),
    text("currentRevision", 6).about("Revision that Pods were made from before the update."),
    text("updateRevision", 7).about("Revision that Pods are made from now."),
    int32("collisionCount", 9).about("How often the name of a revision was taken."),
    list("conditions", 10, kStatefulSetCondition).keyed_by("type"),
    int32("availableReplicas", 11)
        .or_zero()
        .otherwise("0")
        .about("Pods that have been ready for minReadySeconds."),
};
constexpr Message kStatefulSetStatus{"io.k8s.api.apps.v1.StatefulSetStatus",
                                     kStatefulSetStatusFields,
                                     "StatefulSetStatus is the current state of a StatefulSet."};

constexpr Field kStatefulSetFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kStatefulSetSpec).about("Desired behaviour of the StatefulSet."),
    object("status", 3, kStatefulSetStatus).about("Current state of the StatefulSet."),
};
constexpr Message kStatefulSetMessage{
    "io.k8s.api.apps.v1.StatefulSet", kStatefulSetFields,
    "StatefulSet keeps numbered Pods running, each with its own name and storage."};

void ready_cell(json::Node set, Wall, json::Writer& out) {
  out.value(join({std::to_string(set["status"]["readyReplicas"].integer()), "/",
                  std::to_string(set["spec"]["replicas"].integer())}));
}

constexpr Column kColumns[] = {
    {.name = "Ready", .cell = ready_cell, .description = "Ready and wanted Pods."},
    kAgeColumn,
    kTemplateContainersColumn,
    kTemplateImagesColumn,
};

void fill_defaults(json::Node set) {
  const json::Node spec = set["spec"];
  const json::Node strategy = spec["updateStrategy"];
  if (strategy["type"].string() == "RollingUpdate") {
    const json::Node rolling = strategy.object("rollingUpdate");
    if (!rolling["partition"]) rolling.set("partition", 0);
  }
  default_pod_template(spec["template"]);
  for (const json::Node claim : spec["volumeClaimTemplates"]) {
    claim.set("apiVersion", "v1");
    claim.set("kind", "PersistentVolumeClaim");
    default_claim(claim);
  }
}

void prepare(json::Node set, json::Node old) {
  if (old) return;
  set.remove("status");
  set.object("status").set("replicas", 0);
  set["status"].set("availableReplicas", 0);
}

void check_strategy(json::Node spec, Errors& errors) {
  const json::Node policy = spec["podManagementPolicy"];
  if (policy && policy.string() != "OrderedReady" && policy.string() != "Parallel")
    errors.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'");
  const json::Node strategy = spec["updateStrategy"];
  const std::string_view type = strategy["type"].string();
  if (type == "OnDelete" && strategy["rollingUpdate"]) {
    errors.invalid("spec.updateStrategy.rollingUpdate", strategy["rollingUpdate"],
                   "only allowed for updateStrategy 'RollingUpdate'");
  } else if (strategy && type != "OnDelete" && type != "RollingUpdate") {
    errors.invalid("spec.updateStrategy", strategy, "must be 'RollingUpdate' or 'OnDelete'");
  }
  const json::Node unavailable = strategy["rollingUpdate"]["maxUnavailable"];
  if (!unavailable) return;
  const std::string path = "spec.updateStrategy.rollingUpdate.maxUnavailable";
  const int64_t missing = check_share(unavailable, path, errors);
  if (missing == 0) errors.invalid(path, unavailable, "cannot be 0");
  check_share_limit(unavailable, missing, path, errors);
}

void validate(json::Node set, Errors& errors) {
  validate_workload(set, errors, {"statefulset", "StatefulSet"});
  check_strategy(set["spec"], errors);
}

void validate_update(json::Node set, json::Node old, Errors& errors) {
  constexpr std::string_view kFree =
      "replicas|template|updateStrategy|revisionHistoryLimit|minReadySeconds|ordinals|"
      "persistentVolumeClaimRetentionPolicy";
  if (same_but(set["spec"], old["spec"], kFree)) return;
  errors.forbidden("spec",
                   "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                   "'template', 'updateStrategy', 'revisionHistoryLimit', "
                   "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

void validate_status(json::Node set, json::Node, Errors& errors) {
  const json::Node status = set["status"];
  check_counts(status,
               "replicas|readyReplicas|currentReplicas|updatedReplicas|availableReplicas|"
               "observedGeneration|collisionCount",
               errors);
  const int64_t replicas = status["replicas"].integer();
  for (std::string_view name :
       {"readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"}) {
    if (status[name].integer() > replicas)
      errors.invalid(field("status", name), status[name], "cannot be greater than status.replicas");
  }
}

}  // namespace

constinit const Kind kStatefulSet{
    .group = "apps",
    .version = "v1",
    .name = "StatefulSet",
    .plural = "statefulsets",
    .singular = "statefulset",
    .short_names = "sts",
    .categories = "all",
    .message = &kStatefulSetMessage,
    .columns = kColumns,
    .subresources = bit(Subresource::kStatus) | bit(Subresource::kScale),
    .scale = {"spec.replicas", "status.replicas", "spec.selector"},
    .has_status = true,
    .bumps_generation = true,
    .fill_defaults = fill_defaults,
    .prepare = prepare,
    .validate = validate,
    .validate_update = validate_update,
    .validate_status = validate_status,
    .warn = warn_of_template};

}  // namespace coracle::api
