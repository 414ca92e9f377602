// SPDX-License-Identifier: GPL-2.0-or-later
// autoscaling/v1: a HorizontalPodAutoscaler that knows one metric, the share of the requested CPU.
// What it cannot say is kept as it is (upstream carries it in annotations).
#include "api/kind.h"
#include "api/kinds/autoscaler.h"
#include "api/kinds/checks.h"
#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Message kTargetReference{"io.k8s.api.autoscaling.v1.CrossVersionObjectReference",
                                   kTargetReferenceFields};

constexpr Field kSpecFields[] = {
    object("scaleTargetRef", 1, kTargetReference).listed().about("Object whose scale is set."),
    int32("minReplicas", 2).about("Fewest Pods."),
    int32("maxReplicas", 3).listed().or_zero().about("Most Pods."),
    int32("targetCPUUtilizationPercentage", 4)
        .must(positive)
        .about("Wanted CPU usage, in percent of what the Pods request."),
};
constexpr Message kSpec{"io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec", kSpecFields};

constexpr Field kStatusFields[] = {
    int64("observedGeneration", 1).about("Generation of the spec that this status is about."),
    time("lastScaleTime", 2).about("When the number of Pods was last changed."),
    int32("currentReplicas", 3).listed().about("Pods there are."),
    int32("desiredReplicas", 4).listed().about("Pods there should be."),
    int32("currentCPUUtilizationPercentage", 5).about("CPU usage, in percent of the requests."),
};
constexpr Message kStatus{"io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus", kStatusFields};

constexpr Field kAutoscalerFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kSpec).listed().about("What is scaled, and by which CPU usage."),
    object("status", 3, kStatus).about("What was observed and decided."),
};
constexpr Message kAutoscalerMessage{
    "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler", kAutoscalerFields,
    "HorizontalPodAutoscaler sets the number of Pods by the CPU that they use."};

constexpr std::string_view kWanted = "targetCPUUtilizationPercentage";
constexpr std::string_view kObserved = "currentCPUUtilizationPercentage";

bool is_cpu(json::Node metric) {
  return metric["type"].string() == "Resource" && metric["resource"]["name"].string() == "cpu";
}

json::Node cpu_share(json::Node metrics, std::string_view what) {
  for (const json::Node metric : metrics) {
    if (is_cpu(metric)) return metric["resource"][what]["averageUtilization"];
  }
  return {};
}

void from_stored(json::Node autoscaler) {
  autoscaler.set("apiVersion", "autoscaling/v1");
  const json::Node spec = autoscaler["spec"];
  spec.set(kWanted, cpu_share(spec["metrics"], "target"));
  spec.remove("metrics");
  spec.remove("behavior");
  const json::Node status = autoscaler["status"];
  status.set(kObserved, cpu_share(status["currentMetrics"], "current"));
  status.remove("currentMetrics");
  status.remove("conditions");
}

void to_stored(json::Node autoscaler, json::Node old) {
  autoscaler.set("apiVersion", "autoscaling/v2");
  const json::Node spec = autoscaler["spec"];
  const json::Node share = spec[kWanted];
  if (share) {
    const json::Node resource = [&] {
      const json::Node metric = spec.array("metrics").append_object();
      metric.set("type", "Resource");
      return metric.object("resource");
    }();
    resource.set("name", "cpu");
    resource.object("target").set("type", "Utilization");
    resource["target"].set("averageUtilization", share);
    spec.remove(kWanted);
  }
  for (const json::Node metric : old["spec"]["metrics"]) {
    const bool said = is_cpu(metric) && metric["resource"]["target"]["averageUtilization"];
    if (!said) spec.array("metrics").append(metric);
  }
  spec.set("behavior", old["spec"]["behavior"]);
  const json::Node status = autoscaler["status"];
  status.remove(kObserved);
  for (std::string_view name : {"currentMetrics", "conditions"})
    status.set(name, old["status"][name]);
}

}  // namespace

constinit const Kind kHorizontalPodAutoscalerV1{.group = "autoscaling",
                                                .version = "v1",
                                                .name = "HorizontalPodAutoscaler",
                                                .plural = "horizontalpodautoscalers",
                                                .singular = "horizontalpodautoscaler",
                                                .short_names = "hpa",
                                                .categories = "all",
                                                .message = &kAutoscalerMessage,
                                                .subresources = bit(Subresource::kStatus),
                                                .stored_as = &kHorizontalPodAutoscaler,
                                                .to_stored = to_stored,
                                                .from_stored = from_stored};

}  // namespace coracle::api
