// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/autoscaler.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/kinds/workload.h"
#include "api/meta.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kScalingPolicyFields[] = {
    text("type", 1).listed().about("Pods or Percent."),
    int32("value", 2).listed().or_zero().about("How much may change in one period."),
    int32("periodSeconds", 3).listed().or_zero().about("Length of the period."),
};
constexpr Message kScalingPolicy{"io.k8s.api.autoscaling.v2.HPAScalingPolicy",
                                 kScalingPolicyFields};

constexpr Field kScalingRulesFields[] = {
    text("selectPolicy", 1).about("Which policy counts: Max, Min or Disabled."),
    list("policies", 2, kScalingPolicy).about("How fast the number of Pods may change."),
    int32("stabilizationWindowSeconds", 3)
        .about("Seconds of past recommendations that are looked at."),
    quantity("tolerance", 4).about("How far usage may be off target before anything changes."),
};
constexpr Message kScalingRules{"io.k8s.api.autoscaling.v2.HPAScalingRules", kScalingRulesFields};

constexpr Field kBehaviorFields[] = {
    object("scaleUp", 1, kScalingRules).about("How Pods are added."),
    object("scaleDown", 2, kScalingRules).about("How Pods are taken away."),
};
constexpr Message kBehavior{"io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior",
                            kBehaviorFields};

constexpr Field kMetricTargetFields[] = {
    text("type", 1).listed().about("Utilization, Value or AverageValue."),
    quantity("value", 2).about("Wanted value of the metric."),
    quantity("averageValue", 3).about("Wanted value per Pod."),
    int32("averageUtilization", 4).about("Wanted usage per Pod, in percent of what it requests."),
};
constexpr Message kMetricTarget{"io.k8s.api.autoscaling.v2.MetricTarget", kMetricTargetFields};

constexpr Field kMetricValueStatusFields[] = {
    quantity("value", 1),
    quantity("averageValue", 2),
    int32("averageUtilization", 3),
};
constexpr Message kMetricValueStatus{"io.k8s.api.autoscaling.v2.MetricValueStatus",
                                     kMetricValueStatusFields};

constexpr Field kMetricIdentifierFields[] = {
    text("name", 1).listed(),
    object("selector", 2, kLabelSelector),
};
constexpr Message kMetricIdentifier{"io.k8s.api.autoscaling.v2.MetricIdentifier",
                                    kMetricIdentifierFields};

constexpr Message kTargetReference{"io.k8s.api.autoscaling.v2.CrossVersionObjectReference",
                                   kTargetReferenceFields};

// What a metric is taken from: wanted (`target`) and observed (`current`).
constexpr Field kTargetField = object("target", 2, kMetricTarget).listed();
constexpr Field kCurrentField = object("current", 2, kMetricValueStatus).listed();
constexpr Field kNameField = text("name", 1).listed();
constexpr Field kContainerField = text("container", 3).listed();
constexpr Field kMetricField = object("metric", 1, kMetricIdentifier).listed();

constexpr Field kContainerSourceFields[] = {kNameField, kTargetField, kContainerField};
constexpr Field kContainerStatusFields[] = {kNameField, kCurrentField, kContainerField};
constexpr Field kResourceSourceFields[] = {kNameField, kTargetField};
constexpr Field kResourceStatusFields[] = {kNameField, kCurrentField};
constexpr Field kNamedSourceFields[] = {kMetricField, kTargetField};
constexpr Field kNamedStatusFields[] = {kMetricField, kCurrentField};
constexpr Field kObjectSourceFields[] = {
    object("describedObject", 1, kTargetReference).listed(),
    kTargetField,
    object("metric", 3, kMetricIdentifier).listed(),
};
constexpr Field kObjectStatusFields[] = {
    kMetricField,
    kCurrentField,
    object("describedObject", 3, kTargetReference).listed(),
};

constexpr Message kContainerResourceSource{
    "io.k8s.api.autoscaling.v2.ContainerResourceMetricSource", kContainerSourceFields};
constexpr Message kContainerResourceStatus{
    "io.k8s.api.autoscaling.v2.ContainerResourceMetricStatus", kContainerStatusFields};
constexpr Message kExternalSource{"io.k8s.api.autoscaling.v2.ExternalMetricSource",
                                  kNamedSourceFields};
constexpr Message kExternalStatus{"io.k8s.api.autoscaling.v2.ExternalMetricStatus",
                                  kNamedStatusFields};
constexpr Message kObjectSource{"io.k8s.api.autoscaling.v2.ObjectMetricSource",
                                kObjectSourceFields};
constexpr Message kObjectStatus{"io.k8s.api.autoscaling.v2.ObjectMetricStatus",
                                kObjectStatusFields};
constexpr Message kPodsSource{"io.k8s.api.autoscaling.v2.PodsMetricSource", kNamedSourceFields};
constexpr Message kPodsStatus{"io.k8s.api.autoscaling.v2.PodsMetricStatus", kNamedStatusFields};
constexpr Message kResourceSource{"io.k8s.api.autoscaling.v2.ResourceMetricSource",
                                  kResourceSourceFields};
constexpr Message kResourceStatus{"io.k8s.api.autoscaling.v2.ResourceMetricStatus",
                                  kResourceStatusFields};

constexpr Field kMetricSpecFields[] = {
    text("type", 1).listed().about("Resource, ContainerResource, Pods, Object or External."),
    object("object", 2, kObjectSource),
    object("pods", 3, kPodsSource),
    object("resource", 4, kResourceSource),
    object("external", 5, kExternalSource),
    object("containerResource", 7, kContainerResourceSource),
};
constexpr Message kMetricSpec{"io.k8s.api.autoscaling.v2.MetricSpec", kMetricSpecFields};

constexpr Field kMetricStatusFields[] = {
    text("type", 1).listed().about("Resource, ContainerResource, Pods, Object or External."),
    object("object", 2, kObjectStatus),
    object("pods", 3, kPodsStatus),
    object("resource", 4, kResourceStatus),
    object("external", 5, kExternalStatus),
    object("containerResource", 7, kContainerResourceStatus),
};
constexpr Message kMetricStatus{"io.k8s.api.autoscaling.v2.MetricStatus", kMetricStatusFields};

constexpr Field kSpecFields[] = {
    object("scaleTargetRef", 1, kTargetReference).listed().about("Object whose scale is set."),
    int32("minReplicas", 2).otherwise("1").about("Fewest Pods."),
    int32("maxReplicas", 3).listed().or_zero().about("Most Pods."),
    list("metrics", 4, kMetricSpec).about("What the number of Pods follows; the highest counts."),
    object("behavior", 5, kBehavior).about("How fast the number of Pods may change."),
};
constexpr Message kSpec{"io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec", kSpecFields};

constexpr Message kAutoscalerCondition{"io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition",
                                       kWorkloadConditionFields};

constexpr Field kStatusFields[] = {
    int64("observedGeneration", 1).about("Generation of the spec that this status is about."),
    time("lastScaleTime", 2).about("When the number of Pods was last changed."),
    int32("currentReplicas", 3).or_zero().about("Pods there are."),
    int32("desiredReplicas", 4).listed().otherwise("0").about("Pods there should be."),
    list("currentMetrics", 5, kMetricStatus).about("What was last observed of the metrics."),
    list("conditions", 6, kAutoscalerCondition)
        .keyed_by("type")
        .about("AbleToScale, ScalingActive, ScalingLimited."),
};
constexpr Message kStatus{"io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus", kStatusFields};

constexpr Field kAutoscalerFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kSpec).listed().about("What is scaled, and by which metrics."),
    object("status", 3, kStatus).about("What was observed and decided."),
};
constexpr Message kAutoscalerMessage{
    "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler", kAutoscalerFields,
    "HorizontalPodAutoscaler sets the number of Pods by what they use."};

constexpr size_t kMetricsShown = 2;  // printers.go: the rest is counted

void reference_cell(json::Node autoscaler, Wall, json::Writer& out) {
  const json::Node reference = autoscaler["spec"]["scaleTargetRef"];
  out.value(join({reference["kind"].string(), "/", reference["name"].string()}));
}

std::string percent(json::Node share, std::string_view otherwise) {
  return share ? std::to_string(share.integer()) + "%" : std::string(otherwise);
}

// "cpu: 12%/80%", "15Mi/20Mi (avg)": kubernetes pkg/printers, formatHPAMetrics.
std::string metric_text(json::Node metric, json::Node status) {
  const std::string_view type = metric["type"].string();
  std::string member(type);
  if (member.empty()) return "<unknown type>";
  member[0] = static_cast<char>(member[0] | 0x20);
  const json::Node source = metric[member];
  const json::Node target = source["target"];
  const json::Node current = status[member]["current"];
  const bool resource = type == "Resource" || type == "ContainerResource";
  const std::string label = resource ? join({source["name"].string(), ": "}) : std::string();
  if (!source) return "<unknown type>";
  if (const json::Node average = target["averageValue"]; average) {
    const std::string_view suffix = resource || type == "Pods" ? "" : " (avg)";
    return join(
        {label, current["averageValue"].string("<unknown>"), "/", average.string(), suffix});
  }
  if (!resource)
    return join({current["value"].string("<unknown>"), "/", target["value"].string("<auto>")});
  return join({label, percent(current["averageUtilization"], "<unknown>"), "/",
               percent(target["averageUtilization"], "<auto>")});
}

void targets_cell(json::Node autoscaler, Wall, json::Writer& out) {
  const json::Node metrics = autoscaler["spec"]["metrics"];
  std::string text;
  size_t index = 0;
  json::Node status = autoscaler["status"]["currentMetrics"].first();
  for (const json::Node metric : metrics) {
    if (index++ >= kMetricsShown) break;
    text += join({text.empty() ? "" : ", ", metric_text(metric, status)});
    status = status.next();
  }
  if (text.empty()) return out.value("<none>");
  if (metrics.size() > kMetricsShown)
    text += join({" + ", std::to_string(metrics.size() - kMetricsShown), " more..."});
  out.value(text);
}

void least_cell(json::Node autoscaler, Wall, json::Writer& out) {
  const json::Node least = autoscaler["spec"]["minReplicas"];
  out.value(least ? std::to_string(least.integer()) : std::string("<unset>"));
}

constexpr Column kColumns[] = {
    text_column("Reference", reference_cell),
    text_column("Targets", targets_cell),
    text_column("MinPods", least_cell),
    text_column("MaxPods", number_at<"spec.maxReplicas">),
    text_column("Replicas", number_at<"status.currentReplicas">),
    kAgeColumn,
};

void add_policy(json::Node policies, std::string_view type, int64_t value) {
  const json::Node policy = policies.append_object();
  policy.set("type", type);
  policy.set("value", value);
  policy.set("periodSeconds", 15);
}

void default_rules(json::Node rules, bool up) {
  if (up && !rules["stabilizationWindowSeconds"]) rules.set("stabilizationWindowSeconds", 0);
  if (!rules["selectPolicy"]) rules.set("selectPolicy", "Max");
  if (rules["policies"]) return;
  const json::Node policies = rules.array("policies");
  if (up) add_policy(policies, "Pods", 4);
  add_policy(policies, "Percent", 100);
}

// autoscaling/v2 SetDefaults_HorizontalPodAutoscaler
void fill_defaults(json::Node autoscaler) {
  const json::Node spec = autoscaler["spec"];
  if (!spec) return;
  if (spec["metrics"].size() == 0) {
    const json::Node metric = spec.array("metrics").append_object();
    metric.set("type", "Resource");
    metric.object("resource").set("name", "cpu");
    const json::Node target = metric["resource"].object("target");
    target.set("type", "Utilization");
    target.set("averageUtilization", 80);
  }
  if (const json::Node behavior = spec["behavior"]; behavior) {
    default_rules(behavior.object("scaleUp"), true);
    default_rules(behavior.object("scaleDown"), false);
  }
}

void prepare(json::Node autoscaler, json::Node old) {
  if (old) return;
  autoscaler.remove("status");
  autoscaler.object("status").set("desiredReplicas", 0);
}

}  // namespace

constinit const Kind kHorizontalPodAutoscaler{.group = "autoscaling",
                                              .version = "v2",
                                              .name = "HorizontalPodAutoscaler",
                                              .plural = "horizontalpodautoscalers",
                                              .singular = "horizontalpodautoscaler",
                                              .short_names = "hpa",
                                              .categories = "all",
                                              .message = &kAutoscalerMessage,
                                              .columns = kColumns,
                                              .subresources = bit(Subresource::kStatus),
                                              .has_status = true,
                                              .bumps_generation = true,
                                              .fill_defaults = fill_defaults,
                                              .prepare = prepare,
                                              .validate = validate_autoscaler,
                                              .validate_status = validate_autoscaler_status};

}  // namespace coracle::api
