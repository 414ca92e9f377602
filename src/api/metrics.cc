// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/metrics.h"

#include "api/meta.h"

namespace coracle::api {
namespace {

// Numbers as in kubernetes/metrics pkg/apis/metrics/v1beta1/generated.proto.
constexpr Field kContainerMetricsFields[] = {
    text("name", 1).about("Name of the container."),
    map_of("usage", 2, Type::kQuantity).about("CPU and memory that it uses."),
};
constexpr Message kContainerMetrics{"io.k8s.metrics.pkg.apis.metrics.v1beta1.ContainerMetrics",
                                    kContainerMetricsFields};

constexpr Field kTimestampField = time("timestamp", 2).about("When it was measured.");
constexpr Field kWindowField = text("window", 3).about("Time that the CPU usage is taken over.");

constexpr Field kNodeMetricsFields[] = {
    kKindField,     kApiVersionField,
    kMetadataField, kTimestampField,
    kWindowField,   map_of("usage", 4, Type::kQuantity).about("CPU and memory that the node uses."),
};
constexpr Message kNodeMetrics{"io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics",
                               kNodeMetricsFields, "NodeMetrics is what a node uses."};

constexpr Field kPodMetricsFields[] = {
    kKindField,     kApiVersionField,
    kMetadataField, kTimestampField,
    kWindowField,   list("containers", 4, kContainerMetrics).about("What its containers use."),
};
constexpr Message kPodMetrics{"io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics",
                              kPodMetricsFields, "PodMetrics is what a Pod uses."};

constexpr MetricsKind kKinds[] = {
    {"NodeMetrics", "nodes", false, &kNodeMetrics},
    {"PodMetrics", "pods", true, &kPodMetrics},
};

}  // namespace

std::span<const MetricsKind> metrics_kinds() {
  return kKinds;
}

}  // namespace coracle::api
