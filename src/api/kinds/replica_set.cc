// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/kinds/pod_template.h"
#include "api/kinds/workload.h"
#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kReplicaSetConditionFields[] = {
    text("type", 1).listed().about("ReplicaFailure."),
    text("status", 2).listed().about("True, False or Unknown."),
    time("lastTransitionTime", 3).about("When the status last changed."),
    text("reason", 4).about("Machine-readable reason of the last change."),
    text("message", 5).about("Explanation for people."),
};
constexpr Message kReplicaSetCondition{
    "io.k8s.api.apps.v1.ReplicaSetCondition", kReplicaSetConditionFields,
    "ReplicaSetCondition is one aspect of the state of a ReplicaSet."};

constexpr Field kReplicaSetStatusFields[] = {
    int32("replicas", 1)
        .listed()
        .otherwise("0")
        .about("Pods of the ReplicaSet that are not being deleted."),
    int32("fullyLabeledReplicas", 2).or_zero().about("Pods that carry all labels of the template."),
    int64("observedGeneration", 3)
        .or_zero()
        .about("Generation of the spec that this status is about."),
    int32("readyReplicas", 4).or_zero().about("Pods that are ready."),
    int32("availableReplicas", 5).or_zero().about("Pods that have been ready for minReadySeconds."),
    list("conditions", 6, kReplicaSetCondition)
        .keyed_by("type")
        .about("Aspects of the current state."),
    int32("terminatingReplicas", 7).about("Pods that are being deleted."),
};
constexpr Message kReplicaSetStatus{"io.k8s.api.apps.v1.ReplicaSetStatus", kReplicaSetStatusFields,
                                    "ReplicaSetStatus is the current state of a ReplicaSet."};

constexpr Field kReplicaSetSpecFields[] = {
    int32("replicas", 1).otherwise("1").must(not_negative).about("How many Pods are wanted."),
    object("selector", 2, kLabelSelector)
        .required()
        .about("Labels of the Pods that belong to the ReplicaSet; must match the template and "
               "never changes."),
    object("template", 3, kPodTemplateSpec).about("Pods are made from this template."),
    int32("minReadySeconds", 4)
        .or_zero()
        .must(not_negative)
        .about("Seconds that a new Pod must be ready before it counts as available."),
};
constexpr Message kReplicaSetSpec{"io.k8s.api.apps.v1.ReplicaSetSpec", kReplicaSetSpecFields,
                                  "ReplicaSetSpec is the desired behaviour of a ReplicaSet."};

constexpr Field kReplicaSetFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kReplicaSetSpec).about("Desired behaviour of the ReplicaSet."),
    object("status", 3, kReplicaSetStatus).about("Current state of the ReplicaSet."),
};
constexpr Message kReplicaSetMessage{"io.k8s.api.apps.v1.ReplicaSet", kReplicaSetFields,
                                     "ReplicaSet keeps a number of equal Pods running."};

void number_cell(json::Node number, json::Writer& out) {
  out.value(number.integer());
}

constexpr Column kColumns[] = {
    {.name = "Desired",
     .cell =
         [](json::Node rs, Wall, json::Writer& out) { number_cell(rs["spec"]["replicas"], out); },
     .type = "integer",
     .description = "How many Pods are wanted."},
    {.name = "Current",
     .cell =
         [](json::Node rs, Wall, json::Writer& out) { number_cell(rs["status"]["replicas"], out); },
     .type = "integer",
     .description = "How many Pods there are."},
    {.name = "Ready",
     .cell = [](json::Node rs,
                Wall,
                json::Writer& out) { number_cell(rs["status"]["readyReplicas"], out); },
     .type = "integer",
     .description = "How many Pods are ready."},
    kAgeColumn,
    kTemplateContainersColumn,
    kTemplateImagesColumn,
    kLabelSelectorColumn,
};

constexpr SelectableField kSelectable[] = {
    {"status.replicas",
     [](json::Node set) { return std::to_string(set["status"]["replicas"].integer()); }},
};

void fill_defaults(json::Node set) {
  default_pod_template(set["spec"]["template"]);
}

void prepare(json::Node set, json::Node old) {
  if (old) return;
  set.remove("status");
  set.object("status").set("replicas", 0);
}

void validate(json::Node set, Errors& errors) {
  validate_workload(set, errors);
}

void validate_update(json::Node set, json::Node old, Errors& errors) {
  check_immutable(set["spec"]["selector"], old["spec"]["selector"], "spec.selector", errors);
}

}  // namespace

constinit const Kind kReplicaSet{
    .group = "apps",
    .version = "v1",
    .name = "ReplicaSet",
    .plural = "replicasets",
    .singular = "replicaset",
    .short_names = "rs",
    .categories = "all",
    .message = &kReplicaSetMessage,
    .columns = kColumns,
    .selectable = kSelectable,
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
