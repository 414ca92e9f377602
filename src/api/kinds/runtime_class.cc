// SPDX-License-Identifier: GPL-2.0-or-later
// There is one runtime (crun); what calls itself runc or crun means it. Pods may name no other.
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/kinds/pod_template.h"
#include "api/meta.h"
#include "api/processing.h"

namespace coracle::api {
namespace {

constexpr Field kOverheadFields[] = {
    map_of("podFixed", 1, Type::kQuantity).must(not_yet).about("Not supported by Coracle yet."),
};
constexpr Message kOverhead{"io.k8s.api.node.v1.Overhead", kOverheadFields};

constexpr Field kSchedulingFields[] = {
    map_of("nodeSelector", 1, Type::kString).about("Labels of the nodes that have the runtime."),
    list("tolerations", 2, kToleration).about("Added to the Pods."),
};
constexpr Message kScheduling{"io.k8s.api.node.v1.Scheduling", kSchedulingFields};

constexpr Field kRuntimeClassFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    text("handler", 2).required().about("Name of the runtime on the nodes: crun or runc."),
    object("overhead", 3, kOverhead).about("What a Pod costs beside its containers."),
    object("scheduling", 4, kScheduling).about("Where such Pods may run."),
};
constexpr Message kRuntimeClassMessage{"io.k8s.api.node.v1.RuntimeClass", kRuntimeClassFields,
                                       "RuntimeClass names a way to run containers."};

constexpr Column kColumns[] = {text_column("Handler", text_at<"handler">), kAgeColumn};

void validate(json::Node object, Errors& errors) {
  const std::string_view handler = object["handler"].string();
  const std::string problem = handler.empty() ? std::string() : dns1123_label_problem(handler);
  if (!problem.empty()) errors.invalid("handler", handler, problem);
  check_labels(object["scheduling"]["nodeSelector"], "scheduling.nodeSelector", errors);
}

void validate_update(json::Node object, json::Node old, Errors& errors) {
  check_immutable(object["handler"], old["handler"], "handler", errors);
}

}  // namespace

constinit const Kind kRuntimeClass{.group = "node.k8s.io",
                                   .version = "v1",
                                   .name = "RuntimeClass",
                                   .plural = "runtimeclasses",
                                   .singular = "runtimeclass",
                                   .namespaced = false,
                                   .message = &kRuntimeClassMessage,
                                   .columns = kColumns,
                                   .validate = validate,
                                   .validate_update = validate_update};

}  // namespace coracle::api
