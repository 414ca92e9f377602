// SPDX-License-Identifier: GPL-2.0-or-later
// Patches. All work in place on `target`; on error the target is spoilt and must be thrown away.
#pragma once

#include <string_view>

#include "base/result.h"
#include "json/tree.h"

namespace coracle::json {

// RFC 6902. A failed test or missing path: 422 Invalid; malformed: 400; too many operations: 413.
Result<> json_patch(Node target, Node operations);

// RFC 7396.
void merge_patch(Node target, Node patch);

// What strategic merge needs to know of the field `name` of an object type. `type` is opaque here
// (the schema of floor 3 fills it); null means "unknown: treat as free-form, lists are atomic".
struct FieldRule {
  const void* type = nullptr;  // type of the value, of the list's items, or of the map's values
  std::string_view merge_key = {};  // lists of objects: merged by this key; empty: replaced whole
  bool merge_primitives = false;    // lists of scalars: merged as a set
  bool retain_keys = false;         // patchStrategy retainKeys
  bool replace = false;             // patchStrategy replace: objects are not merged
};
struct MergeSchema {
  const void* type = nullptr;
  FieldRule (*rule)(const void* type, std::string_view name) = nullptr;
};

// Strategic merge patch as of apimachinery pkg/util/strategicpatch: $patch (replace, delete,
// merge), $retainKeys, $setElementOrder/<list>, $deleteFromPrimitiveList/<list>. Malformed
// directives: 400.
Result<> strategic_merge_patch(Node target, Node patch, MergeSchema schema);

}  // namespace coracle::json
