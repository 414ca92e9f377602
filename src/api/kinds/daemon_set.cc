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

// Upstream keeps this count of template changes in the annotation since extensions/v1beta1 ended.
constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";

constexpr Field kRollingUpdateDaemonSetFields[] = {
    int_or_string("maxUnavailable", 1).about("Pods that may be missing during the update."),
    int_or_string("maxSurge", 2).about("Nodes that may run the old and the new Pod at once."),
};
constexpr Message kRollingUpdateDaemonSet{"io.k8s.api.apps.v1.RollingUpdateDaemonSet",
                                          kRollingUpdateDaemonSetFields,
                                          "RollingUpdateDaemonSet paces a rolling update."};

constexpr Field kDaemonSetUpdateStrategyFields[] = {
    text("type", 1)
        .otherwise("\"RollingUpdate\"")
        .one_of("OnDelete|RollingUpdate")
        .about("RollingUpdate or OnDelete."),
    object("rollingUpdate", 2, kRollingUpdateDaemonSet).about("Settings of RollingUpdate."),
};
constexpr Message kDaemonSetUpdateStrategy{"io.k8s.api.apps.v1.DaemonSetUpdateStrategy",
                                           kDaemonSetUpdateStrategyFields,
                                           "DaemonSetUpdateStrategy tells how Pods are replaced."};

constexpr Field kDaemonSetSpecFields[] = {
    object("selector", 1, kLabelSelector)
        .required()
        .about("Labels of the Pods that belong to it; must match the template, never changes."),
    object("template", 2, kPodTemplateSpec)
        .required()
        .about("A Pod is made from this template on every node that its rules allow."),
    object("updateStrategy", 3, kDaemonSetUpdateStrategy)
        .otherwise("{}")
        .about("How old Pods are replaced by new ones."),
    int32("minReadySeconds", 4)
        .or_zero()
        .must(not_negative)
        .about("Seconds that a new Pod must be ready before it counts as available."),
    int32("revisionHistoryLimit", 6)
        .otherwise("10")
        .must(not_negative)
        .about("How many old revisions are kept to roll back to."),
};
constexpr Message kDaemonSetSpec{"io.k8s.api.apps.v1.DaemonSetSpec", kDaemonSetSpecFields,
                                 "DaemonSetSpec is the desired behaviour of a DaemonSet."};

constexpr Message kDaemonSetCondition{"io.k8s.api.apps.v1.DaemonSetCondition",
                                      kWorkloadConditionFields};

constexpr Field kDaemonSetStatusFields[] = {
    int32("currentNumberScheduled", 1)
        .listed()
        .otherwise("0")
        .about("Nodes that run a Pod and should."),
    int32("numberMisscheduled", 2)
        .listed()
        .otherwise("0")
        .about("Nodes that run a Pod and should not."),
    int32("desiredNumberScheduled", 3)
        .listed()
        .otherwise("0")
        .about("Nodes that should run a Pod."),
    int32("numberReady", 4).listed().otherwise("0").about("Nodes whose Pod is ready."),
    int64("observedGeneration", 5)
        .or_zero()
        .about("Generation of the spec that this status is about."),
    int32("updatedNumberScheduled", 6).or_zero().about("Nodes that run the newest template."),
    int32("numberAvailable", 7)
        .or_zero()
        .about("Nodes whose Pod has been ready for minReadySeconds."),
    int32("numberUnavailable", 8)
        .or_zero()
        .about("Nodes that should have an available Pod and have none."),
    int32("collisionCount", 9).about("How often the name of a revision was taken."),
    list("conditions", 10, kDaemonSetCondition).keyed_by("type"),
};
constexpr Message kDaemonSetStatus{"io.k8s.api.apps.v1.DaemonSetStatus", kDaemonSetStatusFields,
                                   "DaemonSetStatus is the current state of a DaemonSet."};

constexpr Field kDaemonSetFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kDaemonSetSpec).about("Desired behaviour of the DaemonSet."),
    object("status", 3, kDaemonSetStatus).about("Current state of the DaemonSet."),
};
constexpr Message kDaemonSetMessage{"io.k8s.api.apps.v1.DaemonSet", kDaemonSetFields,
                                    "DaemonSet keeps one Pod running on every fitting node."};

void node_selector_cell(json::Node set, Wall, json::Writer& out) {
  out.value(labels_text(set["spec"]["template"]["spec"]["nodeSelector"]));
}

constexpr Column kColumns[] = {
    number_column("Desired", number_at<"status.desiredNumberScheduled">),
    number_column("Current", number_at<"status.currentNumberScheduled">),
    number_column("Ready", number_at<"status.numberReady">),
    number_column("Up-to-date", number_at<"status.updatedNumberScheduled">),
    number_column("Available", number_at<"status.numberAvailable">),
    text_column("Node Selector", node_selector_cell),
    kAgeColumn,
    kTemplateContainersColumn,
    kTemplateImagesColumn,
    kLabelSelectorColumn,
};

void fill_defaults(json::Node set) {
  const json::Node strategy = set["spec"]["updateStrategy"];
  if (strategy["type"].string() == "RollingUpdate") {
    const json::Node rolling = strategy.object("rollingUpdate");
    if (!rolling["maxUnavailable"]) rolling.set("maxUnavailable", 1);
    if (!rolling["maxSurge"]) rolling.set("maxSurge", 0);
  }
  default_pod_template(set["spec"]["template"]);
}

// registry/apps/daemonset strategy: 1 at create, one more with every change of the template.
void prepare(json::Node set, json::Node old) {
  const std::string_view before = old["metadata"]["annotations"][kTemplateGeneration].string("0");
  int64_t generation = parse_signed(before).value_or(0);
  if (!old || !json::equal(set["spec"]["template"], old["spec"]["template"])) ++generation;
  set.object("metadata")
      .object("annotations")
      .set(kTemplateGeneration, std::string_view(std::to_string(generation)));
  if (old) return;
  set.remove("status");
  set.object("status");
  for (std::string_view count :
       {"currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"})
    set["status"].set(count, 0);
}

void check_strategy(json::Node strategy, Errors& errors) {
  const std::string path = "spec.updateStrategy.rollingUpdate";
  if (strategy["type"].string() != "RollingUpdate") return;
  const json::Node rolling = strategy["rollingUpdate"];
  const json::Node unavailable = rolling["maxUnavailable"];
  const json::Node surge = rolling["maxSurge"];
  const int64_t missing = check_share(unavailable, field(path, "maxUnavailable"), errors);
  const int64_t extra = check_share(surge, field(path, "maxSurge"), errors);
  check_share_limit(unavailable, missing, field(path, "maxUnavailable"), errors);
  check_share_limit(surge, extra, field(path, "maxSurge"), errors);
  if (missing > 0 && extra > 0)
    errors.invalid(field(path, "maxSurge"), surge,
                   "may not be set when maxUnavailable is non-zero");
  if (missing == 0 && extra == 0)
    errors.required(field(path, "maxUnavailable"), "cannot be 0 when maxSurge is 0");
}

void validate(json::Node set, Errors& errors) {
  validate_workload(set, errors, {"daemonset", "DaemonSet"});
  check_strategy(set["spec"]["updateStrategy"], errors);
}

void validate_update(json::Node set, json::Node old, Errors& errors) {
  check_immutable(set["spec"]["selector"], old["spec"]["selector"], "spec.selector", errors);
}

void validate_status(json::Node set, json::Node, Errors& errors) {
  check_counts(set["status"],
               "currentNumberScheduled|numberMisscheduled|desiredNumberScheduled|numberReady|"
               "observedGeneration|updatedNumberScheduled|numberAvailable|numberUnavailable|"
               "collisionCount",
               errors);
}

}  // namespace

constinit const Kind kDaemonSet{.group = "apps",
                                .version = "v1",
                                .name = "DaemonSet",
                                .plural = "daemonsets",
                                .singular = "daemonset",
                                .short_names = "ds",
                                .categories = "all",
                                .message = &kDaemonSetMessage,
                                .columns = kColumns,
                                .subresources = bit(Subresource::kStatus),
                                .has_status = true,
                                .bumps_generation = true,
                                .fill_defaults = fill_defaults,
                                .prepare = prepare,
                                .validate = validate,
                                .validate_update = validate_update,
                                .validate_status = validate_status,
                                .warn = warn_of_template};

}  // namespace coracle::api
