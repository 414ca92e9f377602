// SPDX-License-Identifier: GPL-2.0-or-later
// The resources of a group version as discovery and OpenAPI list them, read from the kind table and
// the bodies.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/kind.h"

namespace coracle::api {

// Group, version and kind of what a path takes and returns.
struct ServedType {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  const Message* message = nullptr;
};

struct ServedResource {
  std::string name;           // "pods", "pods/log"
  std::string_view singular;  // empty for subresources
  bool namespaced = true;
  ServedType type;
  bool foreign = false;    // type is of another group version: discovery says which
  std::string_view verbs;  // comma-separated, sorted
  std::string_view short_names;
  std::string_view categories;
  const Kind* kind = nullptr;  // null for resources that are not stored

  bool is_subresource() const { return name.find('/') != std::string::npos; }
};

struct GroupVersion {
  std::string_view group;
  std::string_view version;
  friend bool operator==(const GroupVersion&, const GroupVersion&) = default;
};

// Sorted by group, the core group first; the versions of a group by how much they promise, as
// apimachinery pkg/version CompareKubeAwareVersionStrings: v2, v1, v1beta1, v1alpha1, others.
std::vector<GroupVersion> served_group_versions();
std::vector<ServedResource> served_resources(
    GroupVersion gv);  // sorted by name; empty if not served

}  // namespace coracle::api
