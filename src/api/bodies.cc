// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/bodies.h"

#include "api/meta.h"
#include "api/processing.h"

namespace coracle::api {
namespace {

// --- apimachinery meta/v1

constexpr Field kPreconditionsFields[] = {
    text("uid", 1).about("Delete only the object with this UID."),
    text("resourceVersion", 2).about("Delete only this version of the object."),
};
constexpr Message kPreconditions{"io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions",
                                 kPreconditionsFields,
                                 "Preconditions must hold before an object is deleted."};

constexpr Field kDeleteOptionsFields[] = {
    kKindField,
    kApiVersionField,
    int64("gracePeriodSeconds", 1).about("Seconds before the object is removed; 0 is at once."),
    object("preconditions", 2, kPreconditions).about("What must hold, else 409 Conflict."),
    boolean("orphanDependents", 3).about("Superseded by propagationPolicy."),
    text("propagationPolicy", 4)
        .about("What happens to dependents: Orphan, Background or Foreground."),
    list_of("dryRun", 5, Type::kString).about("All: do everything but store the outcome."),
    boolean("ignoreStoreReadErrorWithClusterBreakingPotential", 6)
        .about("Delete the object even if it cannot be read."),
};

constexpr Field kStatusCauseFields[] = {
    text("reason", 1).about("Why, as one word."),
    text("message", 2).about("Why, for people."),
    text("field", 3).about("Path of the field that is to blame."),
};
constexpr Message kStatusCause{"io.k8s.apimachinery.pkg.apis.meta.v1.StatusCause",
                               kStatusCauseFields,
                               "StatusCause is one of several reasons for a failure."};

constexpr Field kStatusDetailsFields[] = {
    text("name", 1).about("Name of the object."),
    text("group", 2).about("Group of the object."),
    text("kind", 3).about("Kind of the object."),
    list("causes", 4, kStatusCause).about("More about the failure."),
    int32("retryAfterSeconds", 5).or_zero().about("When it is worth trying again."),
    text("uid", 6).about("UID of the object."),
};
constexpr Message kStatusDetails{"io.k8s.apimachinery.pkg.apis.meta.v1.StatusDetails",
                                 kStatusDetailsFields,
                                 "StatusDetails says more about an outcome, for programs."};

constexpr Field kStatusFields[] = {
    kKindField,
    kApiVersionField,
    object("metadata", 1, kListMeta).about("Metadata of a list."),
    text("status", 2).about("Success or Failure."),
    text("message", 3).about("The outcome, for people."),
    text("reason", 4).about("Why it failed, as one word."),
    object("details", 5, kStatusDetails).about("More about the outcome."),
    int32("code", 6).or_zero().about("HTTP status code."),
};

// --- autoscaling, policy, core

constexpr Field kScaleSpecFields[] = {
    int32("replicas", 1).or_zero().about("How many instances are wanted.")};
constexpr Message kScaleSpec{"io.k8s.api.autoscaling.v1.ScaleSpec", kScaleSpecFields,
                             "ScaleSpec is the wanted scale."};

constexpr Field kScaleStatusFields[] = {
    int32("replicas", 1).required().about("How many instances were observed."),
    text("selector", 2).about("Label selector of the instances, as text."),
};
constexpr Message kScaleStatus{"io.k8s.api.autoscaling.v1.ScaleStatus", kScaleStatusFields,
                               "ScaleStatus is the observed scale."};

constexpr Field kScaleFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kScaleSpec).about("The wanted scale."),
    object("status", 3, kScaleStatus).about("The observed scale."),
};

constexpr Field kEvictionFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("deleteOptions", 2, kDeleteOptions).about("How the pod is to be deleted."),
};

constexpr Field kBindingFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("target", 2, kObjectReference).required().about("The node that the pod is bound to."),
};

}  // namespace

constinit const Message kDeleteOptions{"io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
                                       kDeleteOptionsFields,
                                       "DeleteOptions say how an object is to be deleted."};
constinit const Message kStatusBody{"io.k8s.apimachinery.pkg.apis.meta.v1.Status", kStatusFields,
                                    "Status is the answer to a request that returns no object."};
constinit const Message kScaleBody{"io.k8s.api.autoscaling.v1.Scale", kScaleFields,
                                   "Scale is the scale of another object."};
constinit const Message kEvictionBody{
    "io.k8s.api.policy.v1.Eviction", kEvictionFields,
    "Eviction asks for a pod to be deleted if its disruption budget allows."};
constinit const Message kBindingBody{"io.k8s.api.core.v1.Binding", kBindingFields,
                                     "Binding assigns a pod to a node."};
namespace {

constexpr std::string_view kAuthentication = "authentication.k8s.io";
constexpr std::string_view kAuthorization = "authorization.k8s.io";

constexpr Body kBodies[] = {
    {"", "v1", "Binding", &kBindingBody, "bindings", "binding", true},
    {"", "v1", "Status", &kStatusBody},
    {"autoscaling", "v1", "Scale", &kScaleBody},
    {"policy", "v1", "Eviction", &kEvictionBody},
    {kAuthentication, "v1", "TokenRequest", &kTokenRequest},
    {kAuthentication, "v1", "SelfSubjectReview", &kSelfSubjectReview, "selfsubjectreviews",
     "selfsubjectreview"},
    {kAuthentication, "v1", "TokenReview", &kTokenReview, "tokenreviews", "tokenreview"},
    {kAuthorization, "v1", "LocalSubjectAccessReview", &kLocalSubjectAccessReview,
     "localsubjectaccessreviews", "localsubjectaccessreview", true},
    {kAuthorization, "v1", "SelfSubjectAccessReview", &kSelfSubjectAccessReview,
     "selfsubjectaccessreviews", "selfsubjectaccessreview"},
    {kAuthorization, "v1", "SelfSubjectRulesReview", &kSelfSubjectRulesReview,
     "selfsubjectrulesreviews", "selfsubjectrulesreview"},
    {kAuthorization, "v1", "SubjectAccessReview", &kSubjectAccessReview, "subjectaccessreviews",
     "subjectaccessreview"},
};

bool is_group_version(std::string_view text, const Body& body) {
  if (body.group.empty()) return text == body.version;
  return text.size() == body.group.size() + 1 + body.version.size() &&
         text.starts_with(body.group) && text[body.group.size()] == '/' &&
         text.ends_with(body.version);
}

}  // namespace

std::span<const Body> all_bodies() {
  return kBodies;
}

const Message* find_body_message(std::string_view api_version, std::string_view kind) {
  // Every group has its own DeleteOptions upstream, all the same.
  if (kind == "DeleteOptions") return &kDeleteOptions;
  for (const Body& body : kBodies) {
    if (body.kind == kind && is_group_version(api_version, body)) return body.message;
  }
  return nullptr;
}

}  // namespace coracle::api
