// SPDX-License-Identifier: GPL-2.0-or-later
// Kinds that CustomResourceDefinitions declare. The store meets their objects (by key and text)
// before anybody has read the definition, so a kind is made when it is first named and never goes
// away: Kind pointers stay good for the life of the process. What is *served* follows the
// definitions. This registry is the one mutable global of the room; it holds facts that every
// member of a cluster agrees on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/kind.h"

namespace coracle::api {

struct CustomColumn {
  std::string name;
  std::string type;  // string, integer, number, boolean, date
  std::string format;
  std::string description;
  std::string path;  // JSONPath, with the leading dot
  bool wide = false;
};

// One version of a custom resource.
struct CustomKind final : Kind {
  // What the string_views of Kind point to.
  std::string group_text;
  std::string version_text;
  std::string name_text;
  std::string plural_text;
  std::string singular_text;
  std::string short_names_text;
  std::string categories_text;
  std::string replicas_path;
  std::string status_replicas_path;
  std::string selector_path;

  std::string definition_text;  // of own_message: "com.example.v1.Foo"
  Message own_message;

  bool served = false;
  bool terminating = false;  // its definition is being deleted: nothing new is taken in
  std::string schema_text;   // openAPIV3Schema as JSON
  std::string deprecation;   // a warning for every request
  std::vector<CustomColumn> own_columns;
};

const CustomKind* custom(const Kind& kind);  // null for kinds of the table

// The kind of this name, made if it is new. An empty version and name stand for "any": what a
// storage key tells. Null when there are too many (limits::kCustomKindsMax).
CustomKind* intern_custom_kind(std::string_view group,
                               std::string_view plural,
                               std::string_view version,
                               std::string_view name,
                               bool namespaced);
// Finds among those that are known; an empty version finds any.
CustomKind* find_custom_kind(std::string_view group,
                             std::string_view plural,
                             std::string_view version);
// Every version that is known, served or not.
const std::vector<CustomKind*>& custom_kinds();

// Objects of two versions of one resource are the same objects.
inline bool same_resource(const Kind& a, const Kind& b) {
  return &a == &b || (a.is_custom && b.is_custom && a.plural == b.plural && a.group == b.group);
}

}  // namespace coracle::api
