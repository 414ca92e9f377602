// SPDX-License-Identifier: GPL-2.0-or-later
// ReplicationController, and PodTemplate, which only holds what one would make Pods of.
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/kinds/pod_template.h"
#include "api/kinds/workload.h"
#include "api/meta.h"
#include "api/selector.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kReplicationControllerSpecFields[] = {
    int32("replicas", 1).otherwise("1").must(not_negative).about("How many Pods are wanted."),
    map_of("selector", 2, Type::kString)
        .about("Labels of the Pods that belong to it; those of the template if absent."),
    object("template", 3, kPodTemplateSpec).about("Pods are made from this template."),
    int32("minReadySeconds", 4)
        .or_zero()
        .must(not_negative)
        .about("Seconds that a new Pod must be ready before it counts as available."),
};
constexpr Message kReplicationControllerSpec{"io.k8s.api.core.v1.ReplicationControllerSpec",
                                             kReplicationControllerSpecFields};

constexpr Message kReplicationControllerCondition{
    "io.k8s.api.core.v1.ReplicationControllerCondition", kWorkloadConditionFields};

constexpr Field kReplicationControllerStatusFields[] = {
    int32("replicas", 1).listed().otherwise("0").about("Pods of the controller."),
    int32("fullyLabeledReplicas", 2).or_zero().about("Pods that carry all template labels."),
    int64("observedGeneration", 3)
        .or_zero()
        .about("Generation of the spec that this status is about."),
    int32("readyReplicas", 4).or_zero().about("Pods that are ready."),
    int32("availableReplicas", 5).or_zero().about("Pods that have been ready for minReadySeconds."),
    list("conditions", 6, kReplicationControllerCondition).keyed_by("type"),
};
constexpr Message kReplicationControllerStatus{"io.k8s.api.core.v1.ReplicationControllerStatus",
                                               kReplicationControllerStatusFields};

constexpr Field kReplicationControllerFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kReplicationControllerSpec).about("Desired behaviour."),
    object("status", 3, kReplicationControllerStatus).about("Current state."),
};
constexpr Message kReplicationControllerMessage{
    "io.k8s.api.core.v1.ReplicationController", kReplicationControllerFields,
    "ReplicationController keeps a number of equal Pods running; ReplicaSet is its successor."};

constexpr Field kPodTemplateFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("template", 2, kPodTemplateSpec).about("The template."),
};
constexpr Message kPodTemplateMessage{"io.k8s.api.core.v1.PodTemplate", kPodTemplateFields,
                                      "PodTemplate keeps a description of Pods."};

void selector_cell(json::Node controller, Wall, json::Writer& out) {
  out.value(labels_text(controller["spec"]["selector"]));
}

constexpr Column kColumns[] = {
    number_column("Desired", number_at<"spec.replicas">),
    number_column("Current", number_at<"status.replicas">),
    number_column("Ready", number_at<"status.readyReplicas">),
    kAgeColumn,
    kTemplateContainersColumn,
    kTemplateImagesColumn,
    text_column("Selector", selector_cell, true),
};

std::string joined(json::Node list, std::string_view member) {
  std::string text;
  for (const json::Node each : list)
    add_listed(text, each[member].string());
  return text;
}

constexpr Column kTemplateColumns[] = {
    text_column("Containers",
                [](json::Node o, Wall, json::Writer& out) {
                  out.value(joined(o["template"]["spec"]["containers"], "name"));
                }),
    text_column("Images",
                [](json::Node o, Wall, json::Writer& out) {
                  out.value(joined(o["template"]["spec"]["containers"], "image"));
                }),
    text_column("Pod Labels",
                [](json::Node o, Wall, json::Writer& out) {
                  out.value(labels_text(o["template"]["metadata"]["labels"]));
                }),
};

constexpr SelectableField kSelectable[] = {
    {"status.replicas",
     [](json::Node object) { return std::to_string(object["status"]["replicas"].integer()); }},
};

void fill_defaults(json::Node controller) {
  const json::Node spec = controller["spec"];
  default_pod_template(spec["template"]);
  const json::Node labels = spec["template"]["metadata"]["labels"];
  if (labels.size() == 0) return;
  if (spec["selector"].size() == 0) spec.set("selector", labels);
  const json::Node metadata = controller.object("metadata");
  if (metadata["labels"].size() == 0) metadata.set("labels", labels);
}

void prepare(json::Node controller, json::Node old) {
  if (old) return;
  controller.remove("status");
  controller.object("status").set("replicas", 0);
}

void validate(json::Node controller, Errors& errors) {
  const json::Node spec = controller["spec"];
  check_labels(spec["selector"], "spec.selector", errors);
  if (spec["selector"].size() == 0) errors.required("spec.selector");
  const json::Node pods = spec["template"];
  if (!pods) return errors.required("spec.template");
  const json::Node labels = pods["metadata"]["labels"];
  if (spec["selector"].size() > 0 && !LabelSelector::from_map(spec["selector"]).matches(labels))
    errors.invalid("spec.template.metadata.labels", labels,
                   "`selector` does not match template `labels`");
  validate_pod_template(pods, "spec.template", errors);
  const json::Node policy = pods["spec"]["restartPolicy"];
  if (policy && policy.string() != "Always")
    errors.not_supported("spec.template.spec.restartPolicy", policy, "Always");
  if (pods["spec"]["activeDeadlineSeconds"])
    errors.forbidden("spec.template.spec.activeDeadlineSeconds",
                     "activeDeadlineSeconds in ReplicationController is not Supported");
}

void fill_template_defaults(json::Node object) {
  default_pod_template(object["template"]);
}

void validate_template(json::Node object, Errors& errors) {
  validate_pod_template(object["template"], "template", errors);
}

}  // namespace

constinit const Kind kReplicationController{
    .group = "",
    .version = "v1",
    .name = "ReplicationController",
    .plural = "replicationcontrollers",
    .singular = "replicationcontroller",
    .short_names = "rc",
    .categories = "all",
    .message = &kReplicationControllerMessage,
    .columns = kColumns,
    .selectable = kSelectable,
    .subresources = bit(Subresource::kStatus) | bit(Subresource::kScale),
    .scale = {"spec.replicas", "status.replicas", "spec.selector"},
    .has_status = true,
    .bumps_generation = true,
    .fill_defaults = fill_defaults,
    .prepare = prepare,
    .validate = validate,
    .validate_status = validate_workload_status,
    .warn = warn_of_template};

constinit const Kind kPodTemplate{.group = "",
                                  .version = "v1",
                                  .name = "PodTemplate",
                                  .plural = "podtemplates",
                                  .singular = "podtemplate",
                                  .message = &kPodTemplateMessage,
                                  .columns = kTemplateColumns,
                                  .bumps_generation = true,
                                  .fill_defaults = fill_template_defaults,
                                  .validate = validate_template};

}  // namespace coracle::api
