// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kOwnerReferenceFields[] = {
    text("kind", 1).required().about("Kind of the owner."),
    text("name", 3).required().about("Name of the owner."),
    text("uid", 4).required().about("UID of the owner."),
    text("apiVersion", 5).required().about("API version of the owner."),
    boolean("controller", 6).about("True for the one owner that manages this object."),
    boolean("blockOwnerDeletion", 7)
        .about("The owner, when deleted in the foreground, waits for this object to go first."),
};

constexpr Field kManagedFieldsEntryFields[] = {
    text("manager", 1).about("Name of the workflow that manages these fields."),
    text("operation", 2).about("Apply or Update."),
    text("apiVersion", 3).about("Version of the resource that fieldsV1 is written in."),
    time("time", 4).about("When the set of fields last changed."),
    text("fieldsType", 6).about("Format of the field set: FieldsV1."),
    raw("fieldsV1", 7).about("The fields that are managed."),
    text("subresource", 8).about("Subresource that the fields were written through, if any."),
};

constexpr Field kObjectMetaFields[] = {
    text("name", 1).about("Name, unique among the objects of this kind in the namespace."),
    text("generateName", 2)
        .about("Prefix of a unique name that the server makes if name is empty."),
    text("namespace", 3).about("Namespace that the object lives in; empty for cluster-wide kinds."),
    text("selfLink", 4).about("Not used any more."),
    text("uid", 5).about("Identity of this object in space and time, set by the server."),
    text("resourceVersion", 6).about("Opaque version of the object, changed by every write."),
    int64("generation", 7).or_zero().about("Counts the changes of the desired state."),
    time("creationTimestamp", 8).about("When the object was created, set by the server."),
    time("deletionTimestamp", 9)
        .about("When the object is to be gone; set once deletion was asked for."),
    int64("deletionGracePeriodSeconds", 10)
        .about("Seconds that the object may take to end in good order before it is removed."),
    map_of("labels", 11, Type::kString).about("Keys and values to select objects by."),
    map_of("annotations", 12, Type::kString).about("Keys and values that are not for selecting."),
    list("ownerReferences", 13, kOwnerReference)
        .keyed_by("uid")
        .about("Objects that this one depends on: when all are gone, it is collected."),
    list_of("finalizers", 14, Type::kString)
        .merging()
        .set()
        .about("Who must act before the object may be removed; each removes its own entry."),
    list("managedFields", 17, kManagedFieldsEntry).about("Which workflow manages which fields."),
};

constexpr Field kShardInfoFields[] = {
    text("selector", 1).required().about("Selector of the shard."),
};
constexpr Message kShardInfo{"io.k8s.apimachinery.pkg.apis.meta.v1.ShardInfo", kShardInfoFields,
                             "ShardInfo says which part of the objects a list was asked for."};

constexpr Field kListMetaFields[] = {
    text("selfLink", 1).about("Not used any more."),
    text("resourceVersion", 2).about("Version of the store that the list was read at."),
    text("continue", 3).about("Set if there are more items: token to read the next ones."),
    int64("remainingItemCount", 4).about("How many items follow this page, if known."),
    object("shardInfo", 5, kShardInfo).about("Never set: lists are not sharded."),
};

constexpr Field kRequirementFields[] = {
    text("key", 1).required().about("Label key that the requirement applies to."),
    text("operator", 2).required().about("In, NotIn, Exists or DoesNotExist."),
    list_of("values", 3, Type::kString).about("Values for In and NotIn; empty otherwise."),
};

constexpr Field kLabelSelectorFields[] = {
    map_of("matchLabels", 1, Type::kString).about("Labels that must all be equal."),
    list("matchExpressions", 2, kLabelSelectorRequirement)
        .about("Requirements that must all hold."),
};

constexpr Field kConditionFields[] = {
    text("type", 1).required().about("Type of the condition, in CamelCase."),
    text("status", 2).required().about("True, False or Unknown."),
    int64("observedGeneration", 3)
        .or_zero()
        .about("metadata.generation that the condition was set for."),
    time("lastTransitionTime", 4).required().about("When the status changed last."),
    text("reason", 5).required().about("Why it changed last, one word in CamelCase."),
    text("message", 6).required().about("Why it changed last, for people."),
};

constexpr Field kObjectReferenceFields[] = {
    text("kind", 1).about("Kind of the referent."),
    text("namespace", 2).about("Namespace of the referent."),
    text("name", 3).about("Name of the referent."),
    text("uid", 4).about("UID of the referent."),
    text("apiVersion", 5).about("API version of the referent."),
    text("resourceVersion", 6).about("Version that the reference was made to, if any."),
    text("fieldPath", 7).about("Part of the object that is meant, such as spec.containers{web}."),
};

constexpr Field kLocalObjectReferenceFields[] = {
    text("name", 1).about("Name of the referent, in the same namespace."),
};

constexpr Field kTypedLocalObjectReferenceFields[] = {
    text("apiGroup", 1).about("Group of the referent; empty means the core group."),
    text("kind", 2).required().about("Kind of the referent."),
    text("name", 3).required().about("Name of the referent."),
};

constexpr Field kTypedObjectReferenceFields[] = {
    text("apiGroup", 1).about("Group of the referent; empty means the core group."),
    text("kind", 2).required().about("Kind of the referent."),
    text("name", 3).required().about("Name of the referent."),
    text("namespace", 4).about("Namespace of the referent."),
};

}  // namespace

constinit const Message kOwnerReference{"io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference",
                                        kOwnerReferenceFields,
                                        "OwnerReference names an object that this one depends on."};
constinit const Message kManagedFieldsEntry{
    "io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry", kManagedFieldsEntryFields,
    "ManagedFieldsEntry tells which fields a workflow manages."};
constinit const Message kObjectMeta{"io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
                                    kObjectMetaFields,
                                    "ObjectMeta is what all stored objects have in common."};
constinit const Message kListMeta{"io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta", kListMetaFields,
                                  "ListMeta is what all lists have in common."};
constinit const Message kLabelSelectorRequirement{
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement", kRequirementFields,
    "LabelSelectorRequirement relates a label key and a set of values."};
constinit const Message kLabelSelector{
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector", kLabelSelectorFields,
    "LabelSelector selects objects by label. An empty one matches all, an absent one none."};
constinit const Message kCondition{"io.k8s.apimachinery.pkg.apis.meta.v1.Condition",
                                   kConditionFields,
                                   "Condition is one aspect of the current state of an object."};
constinit const Message kObjectReference{"io.k8s.api.core.v1.ObjectReference",
                                         kObjectReferenceFields,
                                         "ObjectReference names any object, or a part of one."};
constinit const Message kLocalObjectReference{
    "io.k8s.api.core.v1.LocalObjectReference", kLocalObjectReferenceFields,
    "LocalObjectReference names an object of the same namespace."};
constinit const Message kTypedLocalObjectReference{
    "io.k8s.api.core.v1.TypedLocalObjectReference", kTypedLocalObjectReferenceFields,
    "TypedLocalObjectReference names an object of the same namespace and its kind."};
constinit const Message kTypedObjectReference{"io.k8s.api.core.v1.TypedObjectReference",
                                              kTypedObjectReferenceFields,
                                              "TypedObjectReference names an object and its kind."};

}  // namespace coracle::api
