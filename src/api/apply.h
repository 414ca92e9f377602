// SPDX-License-Identifier: GPL-2.0-or-later
// Server-side apply over the kind table, as structured-merge-diff defines it: which fields an
// object sets, what changed between two, and how an applied configuration is merged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/field_set.h"
#include "api/schema.h"
#include "base/result.h"
#include "json/tree.h"

namespace coracle::api {

// The fields that `object` sets, without those that nobody owns (names, uid, versions ...).
FieldSet fields_of(const Message* message, json::Node object);
// Of these, the ones that `old` does not have or has with another value.
FieldSet fields_changed(const Message* message, json::Node object, json::Node old);

// Lays `applied` over `live` in place. 422-like problems of the applied configuration itself, such
// as list items without their keys, are told as text.
Result<> merge_applied(const Message* message, json::Node live, json::Node applied);

// Takes away from `object` what is in `last` but not in `keep`.
void prune_fields(const Message* message,
                  json::Node object,
                  const FieldSet& last,
                  const FieldSet& keep);

// Paths that both sets hold and whose values differ between the two objects.
FieldSet fields_in_conflict(const Message* message,
                            const FieldSet& wanted,
                            const FieldSet& owned,
                            json::Node live,
                            json::Node merged);
void list_paths(const FieldSet& set, std::vector<std::string>& paths);

// metadata.managedFields of one object.
struct ManagedEntry {
  std::string manager;
  std::string operation;  // Apply or Update
  std::string api_version;
  std::string subresource;
  std::string time;
  FieldSet fields;
};
std::vector<ManagedEntry> read_managed(json::Node metadata);
void write_managed(json::Node metadata, std::vector<ManagedEntry> entries);

}  // namespace coracle::api
