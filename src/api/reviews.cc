// SPDX-License-Identifier: GPL-2.0-or-later
// Messages of authentication.k8s.io and authorization.k8s.io: asked and answered, never stored.
#include "api/bodies.h"
#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kUserInfoFields[] = {
    text("username", 1).about("Name of the user."),
    text("uid", 2).about("Identity of the user over time."),
    list_of("groups", 3, Type::kString).about("Groups that the user is in."),
    map_of("extra", 4, Type::kStrings).about("More that the authenticator told."),
};
constexpr Message kUserInfo{"io.k8s.api.authentication.v1.UserInfo", kUserInfoFields,
                            "UserInfo is what is known of a user."};

constexpr Field kBoundObjectReferenceFields[] = {
    text("kind", 1).about("Kind of the object: Pod, Secret or Node."),
    text("apiVersion", 2).about("API version of the object."),
    text("name", 3).about("Name of the object."),
    text("uid", 4).about("UID of the object."),
};
constexpr Message kBoundObjectReference{"io.k8s.api.authentication.v1.BoundObjectReference",
                                        kBoundObjectReferenceFields,
                                        "BoundObjectReference names what a token lives with."};

constexpr Field kTokenRequestSpecFields[] = {
    list_of("audiences", 1, Type::kString).about("Who may accept the token."),
    object("boundObjectRef", 3, kBoundObjectReference)
        .about("The token is void when this object is gone."),
    int64("expirationSeconds", 4).about("How long the token is wanted to be valid."),
};
constexpr Message kTokenRequestSpec{"io.k8s.api.authentication.v1.TokenRequestSpec",
                                    kTokenRequestSpecFields,
                                    "TokenRequestSpec describes the wanted token."};

constexpr Field kTokenRequestStatusFields[] = {
    text("token", 1).about("The token."),
    time("expirationTimestamp", 2).about("When it expires."),
};
constexpr Message kTokenRequestStatus{"io.k8s.api.authentication.v1.TokenRequestStatus",
                                      kTokenRequestStatusFields,
                                      "TokenRequestStatus carries the token."};

constexpr Field kTokenRequestFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kTokenRequestSpec).about("The wanted token."),
    object("status", 3, kTokenRequestStatus).about("The token, filled in by the server."),
};

constexpr Field kTokenReviewSpecFields[] = {
    text("token", 1).listed().about("The token to look at."),
    list_of("audiences", 2, Type::kString).about("Who asks."),
};
constexpr Message kTokenReviewSpec{"io.k8s.api.authentication.v1.TokenReviewSpec",
                                   kTokenReviewSpecFields,
                                   "TokenReviewSpec carries the token to look at."};

constexpr Field kTokenReviewStatusFields[] = {
    boolean("authenticated", 1).or_zero().about("Whether the token belongs to a known user."),
    object("user", 2, kUserInfo).about("That user."),
    text("error", 3).about("Why the token could not be checked."),
    list_of("audiences", 4, Type::kString).about("Who may accept the token, of those who ask."),
};
constexpr Message kTokenReviewStatus{"io.k8s.api.authentication.v1.TokenReviewStatus",
                                     kTokenReviewStatusFields,
                                     "TokenReviewStatus tells whose token it is."};

constexpr Field kTokenReviewFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kTokenReviewSpec).required().about("The token."),
    object("status", 3, kTokenReviewStatus).about("The answer, filled in by the server."),
};

constexpr Field kSelfSubjectReviewStatusFields[] = {
    object("userInfo", 1, kUserInfo).about("Who makes this request."),
};
constexpr Message kSelfSubjectReviewStatus{"io.k8s.api.authentication.v1.SelfSubjectReviewStatus",
                                           kSelfSubjectReviewStatusFields,
                                           "SelfSubjectReviewStatus tells who asks."};

constexpr Field kSelfSubjectReviewFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("status", 2, kSelfSubjectReviewStatus).about("The answer, filled in by the server."),
};

// --- authorization

constexpr Field kFieldSelectorRequirementFields[] = {
    text("key", 1).required().about("Field label."),
    text("operator", 2).required().about("In, NotIn, Exists or DoesNotExist."),
    list_of("values", 3, Type::kString).about("Values for In and NotIn."),
};
constexpr Message kFieldSelectorRequirement{
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement",
    kFieldSelectorRequirementFields,
    "FieldSelectorRequirement relates a field label and a set of values."};

constexpr Field kFieldSelectorAttributesFields[] = {
    text("rawSelector", 1).about("The selector as it stands in a request."),
    list("requirements", 2, kFieldSelectorRequirement).about("The selector, taken apart."),
};
constexpr Message kFieldSelectorAttributes{"io.k8s.api.authorization.v1.FieldSelectorAttributes",
                                           kFieldSelectorAttributesFields,
                                           "FieldSelectorAttributes narrows an access by field."};

constexpr Field kLabelSelectorAttributesFields[] = {
    text("rawSelector", 1).about("The selector as it stands in a request."),
    list("requirements", 2, kLabelSelectorRequirement).about("The selector, taken apart."),
};
constexpr Message kLabelSelectorAttributes{"io.k8s.api.authorization.v1.LabelSelectorAttributes",
                                           kLabelSelectorAttributesFields,
                                           "LabelSelectorAttributes narrows an access by label."};

constexpr Field kResourceAttributesFields[] = {
    text("namespace", 1).about("Namespace; empty: all, or none for cluster-wide kinds."),
    text("verb", 2).about("get, list, watch, create, update, patch, delete or *."),
    text("group", 3).about("API group or *."),
    text("version", 4).about("API version or *."),
    text("resource", 5).about("Resource (plural) or *."),
    text("subresource", 6).about("Subresource, if any."),
    text("name", 7).about("Name of one object; empty: all."),
    object("fieldSelector", 8, kFieldSelectorAttributes).about("Narrows the access by field."),
    object("labelSelector", 9, kLabelSelectorAttributes).about("Narrows the access by label."),
};
constexpr Message kResourceAttributes{"io.k8s.api.authorization.v1.ResourceAttributes",
                                      kResourceAttributesFields,
                                      "ResourceAttributes describe an access to a resource."};

constexpr Field kNonResourceAttributesFields[] = {
    text("path", 1).about("URL path."),
    text("verb", 2).about("HTTP verb in lower case."),
};
constexpr Message kNonResourceAttributes{
    "io.k8s.api.authorization.v1.NonResourceAttributes", kNonResourceAttributesFields,
    "NonResourceAttributes describe an access to another path."};

constexpr Field kSelfAccessSpecFields[] = {
    object("resourceAttributes", 1, kResourceAttributes).about("The access to a resource."),
    object("nonResourceAttributes", 2, kNonResourceAttributes).about("The access to another path."),
};
constexpr Message kSelfAccessSpec{
    "io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec", kSelfAccessSpecFields,
    "SelfSubjectAccessReviewSpec is an access; exactly one part is set."};

constexpr Field kAccessSpecFields[] = {
    object("resourceAttributes", 1, kResourceAttributes).about("The access to a resource."),
    object("nonResourceAttributes", 2, kNonResourceAttributes).about("The access to another path."),
    text("user", 3).about("Name of the user."),
    list_of("groups", 4, Type::kString).about("Groups of the user."),
    map_of("extra", 5, Type::kStrings).about("More that an authenticator would tell."),
    text("uid", 6).about("UID of the user."),
};
constexpr Message kAccessSpec{"io.k8s.api.authorization.v1.SubjectAccessReviewSpec",
                              kAccessSpecFields,
                              "SubjectAccessReviewSpec is an access and who wants it."};

constexpr Field kAccessStatusFields[] = {
    boolean("allowed", 1).required().about("Whether the access is allowed."),
    text("reason", 2).about("Why."),
    text("evaluationError", 3).about("What went wrong while deciding."),
    boolean("denied", 4).or_zero().about("Whether it was denied outright."),
};
constexpr Message kAccessStatus{"io.k8s.api.authorization.v1.SubjectAccessReviewStatus",
                                kAccessStatusFields, "SubjectAccessReviewStatus is the decision."};

constexpr Field kSubjectAccessReviewFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kAccessSpec).required().about("The access and who wants it."),
    object("status", 3, kAccessStatus).about("The decision, filled in by the server."),
};

constexpr Field kSelfAccessReviewFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kSelfAccessSpec).required().about("The access."),
    object("status", 3, kAccessStatus).about("The decision, filled in by the server."),
};

constexpr Field kRulesSpecFields[] = {
    text("namespace", 1).about("Namespace to list the rights in.")};
constexpr Message kRulesSpec{"io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec",
                             kRulesSpecFields,
                             "SelfSubjectRulesReviewSpec says where the rights are wanted."};

constexpr Field kResourceRuleFields[] = {
    list_of("verbs", 1, Type::kString).required().about("Verbs or *."),
    list_of("apiGroups", 2, Type::kString).about("API groups or *."),
    list_of("resources", 3, Type::kString).about("Resources, also as resource/subresource, or *."),
    list_of("resourceNames", 4, Type::kString).about("Names of objects; empty: all."),
};
constexpr Message kResourceRule{"io.k8s.api.authorization.v1.ResourceRule", kResourceRuleFields,
                                "ResourceRule is a right to resources."};

constexpr Field kNonResourceRuleFields[] = {
    list_of("verbs", 1, Type::kString).required().about("HTTP verbs or *."),
    list_of("nonResourceURLs", 2, Type::kString).about("Paths, with * at the end for all below."),
};
constexpr Message kNonResourceRule{"io.k8s.api.authorization.v1.NonResourceRule",
                                   kNonResourceRuleFields,
                                   "NonResourceRule is a right to other paths."};

constexpr Field kRulesStatusFields[] = {
    list("resourceRules", 1, kResourceRule).required().about("Rights to resources."),
    list("nonResourceRules", 2, kNonResourceRule).required().about("Rights to other paths."),
    boolean("incomplete", 3).required().about("Whether there may be more rights."),
    text("evaluationError", 4).about("What went wrong while listing."),
};
constexpr Message kRulesStatus{"io.k8s.api.authorization.v1.SubjectRulesReviewStatus",
                               kRulesStatusFields, "SubjectRulesReviewStatus lists rights."};

constexpr Field kRulesReviewFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kRulesSpec).required().about("Where."),
    object("status", 3, kRulesStatus).about("The rights, filled in by the server."),
};

}  // namespace

constinit const Message kTokenRequest{"io.k8s.api.authentication.v1.TokenRequest",
                                      kTokenRequestFields,
                                      "TokenRequest asks for a token of a service account."};
constinit const Message kTokenReview{"io.k8s.api.authentication.v1.TokenReview", kTokenReviewFields,
                                     "TokenReview asks whose token it is."};
constinit const Message kSelfSubjectReview{"io.k8s.api.authentication.v1.SelfSubjectReview",
                                           kSelfSubjectReviewFields,
                                           "SelfSubjectReview asks who is asking."};
constinit const Message kSubjectAccessReview{
    "io.k8s.api.authorization.v1.SubjectAccessReview", kSubjectAccessReviewFields,
    "SubjectAccessReview asks whether a user may do something."};
constinit const Message kLocalSubjectAccessReview{
    "io.k8s.api.authorization.v1.LocalSubjectAccessReview", kSubjectAccessReviewFields,
    "LocalSubjectAccessReview asks whether a user may do something in a namespace."};
constinit const Message kSelfSubjectAccessReview{
    "io.k8s.api.authorization.v1.SelfSubjectAccessReview", kSelfAccessReviewFields,
    "SelfSubjectAccessReview asks whether the asker may do something."};
constinit const Message kSelfSubjectRulesReview{
    "io.k8s.api.authorization.v1.SelfSubjectRulesReview", kRulesReviewFields,
    "SelfSubjectRulesReview asks what the asker may do."};

}  // namespace coracle::api
