// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kPodDisruptionBudgetSpecFields[] = {
    int_or_string("minAvailable", 1).about("Pods that must stay available."),
    object("selector", 2, kLabelSelector).replacing().about("Labels of the Pods."),
    int_or_string("maxUnavailable", 3).about("Pods that may be missing."),
    text("unhealthyPodEvictionPolicy", 4)
        .one_of("AlwaysAllow|IfHealthyBudget")
        .about("Whether Pods that are not ready may always be evicted."),
};
constexpr Message kPodDisruptionBudgetSpec{"io.k8s.api.policy.v1.PodDisruptionBudgetSpec",
                                           kPodDisruptionBudgetSpecFields};

constexpr Field kPodDisruptionBudgetStatusFields[] = {
    int64("observedGeneration", 1)
        .or_zero()
        .about("Generation of the spec that this status is about."),
    map_of("disruptedPods", 2, Type::kTime).about("Pods whose eviction was granted of late."),
    int32("disruptionsAllowed", 3).otherwise("0").about("Pods that may be evicted now."),
    int32("currentHealthy", 4).otherwise("0").about("Pods that are healthy."),
    int32("desiredHealthy", 5).otherwise("0").about("Pods that must be healthy."),
    int32("expectedPods", 6).otherwise("0").about("Pods that the budget counts."),
    list("conditions", 7, kCondition).keyed_by("type").about("Aspects of the current state."),
};
constexpr Message kPodDisruptionBudgetStatus{"io.k8s.api.policy.v1.PodDisruptionBudgetStatus",
                                             kPodDisruptionBudgetStatusFields};

constexpr Field kPodDisruptionBudgetFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kPodDisruptionBudgetSpec).about("How many Pods may be missing."),
    object("status", 3, kPodDisruptionBudgetStatus).about("How many may be evicted now."),
};
constexpr Message kPodDisruptionBudgetMessage{
    "io.k8s.api.policy.v1.PodDisruptionBudget", kPodDisruptionBudgetFields,
    "PodDisruptionBudget keeps evictions from taking too many Pods at once."};

std::string share_text(json::Node share) {
  if (!share) return "N/A";
  return share.is_string() ? std::string(share.string()) : std::to_string(share.integer());
}

void least_cell(json::Node budget, Wall, json::Writer& out) {
  out.value(share_text(budget["spec"]["minAvailable"]));
}

void most_cell(json::Node budget, Wall, json::Writer& out) {
  out.value(share_text(budget["spec"]["maxUnavailable"]));
}

constexpr Column kColumns[] = {
    text_column("Min Available", least_cell),
    text_column("Max Unavailable", most_cell),
    number_column("Allowed Disruptions", number_at<"status.disruptionsAllowed">),
    kAgeColumn,
};

constexpr std::string_view kStatusCounts[] = {"disruptionsAllowed", "currentHealthy",
                                              "desiredHealthy", "expectedPods"};

void prepare(json::Node budget, json::Node old) {
  if (old) return;
  budget.remove("status");
  for (std::string_view name : kStatusCounts)
    budget.object("status").set(name, 0);
}

void validate(json::Node budget, Errors& errors) {
  const json::Node spec = budget["spec"];
  const json::Node least = spec["minAvailable"];
  const json::Node most = spec["maxUnavailable"];
  if (least && most)
    errors.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set");
  for (const json::Node share : {least, most}) {
    if (!share) continue;
    const std::string path = field("spec", share.key());
    check_share_limit(share, check_share(share, path, errors), path, errors);
  }
  if (spec["selector"]) check_label_selector(spec["selector"], "spec.selector", errors);
}

void validate_status(json::Node budget, json::Node, Errors& errors) {
  check_counts(budget["status"],
               "disruptionsAllowed|currentHealthy|desiredHealthy|expectedPods|observedGeneration",
               errors);
}

}  // namespace

constinit const Kind kPodDisruptionBudget{.group = "policy",
                                          .version = "v1",
                                          .name = "PodDisruptionBudget",
                                          .plural = "poddisruptionbudgets",
                                          .singular = "poddisruptionbudget",
                                          .short_names = "pdb",
                                          .message = &kPodDisruptionBudgetMessage,
                                          .columns = kColumns,
                                          .subresources = bit(Subresource::kStatus),
                                          .has_status = true,
                                          .bumps_generation = true,
                                          .prepare = prepare,
                                          .validate = validate,
                                          .validate_status = validate_status};

}  // namespace coracle::api
