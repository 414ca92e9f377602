// SPDX-License-Identifier: GPL-2.0-or-later
// What the kinds that keep Pods running have in common: replicas, a selector and a Pod template.
#pragma once

#include <string>
#include <string_view>

#include "api/errors.h"
#include "api/schema.h"
#include "json/tree.h"

namespace coracle::api {

// Of the conditions of DaemonSet, StatefulSet and ReplicationController: upstream names the message
// after each kind, the fields are the same.
inline constexpr Field kWorkloadConditionFields[] = {
    text("type", 1).listed(), text("status", 2).listed(), time("lastTransitionTime", 3),
    text("reason", 4),        text("message", 5),
};

// How upstream names the kind in its messages.
struct WorkloadName {
  std::string_view of_selector = "deployment";
  std::string_view of_deadline = "ReplicaSet";
};
void validate_workload(json::Node object, Errors& errors, WorkloadName name = {});
// Labels of the template that the selector does not match (spec.template.metadata.labels).
void check_template_labels(json::Node spec, Errors& errors);
void validate_workload_status(json::Node object, json::Node old, Errors& errors);
void warn_of_template(json::Node object, std::string& out);

}  // namespace coracle::api
