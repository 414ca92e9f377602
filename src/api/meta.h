// SPDX-License-Identifier: GPL-2.0-or-later
// Messages that several kinds share: metadata, label selectors, conditions, references to other
// objects. They are constant-initialized: constexpr Field tables of other files may refer to them.
#pragma once

#include "api/schema.h"

namespace coracle::api {

// apimachinery pkg/apis/meta/v1
extern const Message kObjectMeta, kListMeta, kOwnerReference, kManagedFieldsEntry, kLabelSelector,
    kLabelSelectorRequirement, kCondition;
// api core/v1
extern const Message kObjectReference, kLocalObjectReference, kTypedLocalObjectReference,
    kTypedObjectReference;

// What every top-level message starts with. Kind and apiVersion have no protobuf number: they
// travel in the envelope.
inline constexpr Field kKindField =
    text("kind", 0).about("Name of the kind that this object is an instance of.");
inline constexpr Field kApiVersionField =
    text("apiVersion", 0).about("Group and version of the schema that this object follows.");
inline constexpr Field kMetadataField =
    object("metadata", 1, kObjectMeta).about("Name, labels and other facts common to all objects.");

}  // namespace coracle::api
