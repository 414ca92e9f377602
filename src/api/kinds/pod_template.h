// SPDX-License-Identifier: GPL-2.0-or-later
// Everything about a PodSpec, for Pod and for the kinds that make Pods from a template.
#pragma once

#include <string>
#include <string_view>

#include "api/errors.h"
#include "api/schema.h"

namespace coracle::api {

extern const Message kPodTemplateSpec, kPodSpec, kPodStatus;                  // pod_*.cc
extern const Message kContainer, kEphemeralContainer, kResourceRequirements;  // container.cc
extern const Message kObjectFieldSelector, kResourceFieldSelector;            // container.cc
extern const Message kProbe, kLifecycle;                                      // probe.cc
extern const Message kSecurityContext, kPodSecurityContext;                   // security_context.cc
extern const Message kAffinity, kToleration, kTopologySpreadConstraint,
    kNodeSelector;             // scheduling.cc
extern const Message kVolume;  // volume.cc

// Entries in one list of requests or limits; so many that no real container comes near.
inline constexpr size_t kResourcesMax = 64;

// Defaults that the declarations cannot express. A Pod gets more than a template does.
void default_pod(json::Node spec);
void default_pod_template(json::Node pod_template);

// Rules over several fields; `path` is that of the spec.
void validate_pod_spec(json::Node spec, std::string_view path, Errors& errors);
void validate_pod_template(json::Node pod_template, std::string_view path, Errors& errors);
void warn_of_pod_spec(json::Node spec, std::string_view path, std::string& out);

// "Guaranteed", "Burstable" or "BestEffort" (component-helpers, qos).
std::string_view quality_of_service(json::Node spec);

}  // namespace coracle::api
