// SPDX-License-Identifier: GPL-2.0-or-later
// A set of field paths, as metadata.managedFields holds them (FieldsV1): "f:spec" for a member,
// k:{"name":"web"} for an item of a list that has keys, v:"x" for one of a set. "." marks a path
// that is in the set although longer ones are too.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "json/tree.h"
#include "json/writer.h"

namespace coracle::api {

struct FieldSet {
  bool member = false;
  std::map<std::string, FieldSet, std::less<>> children;

  bool empty() const { return !member && children.empty(); }
  const FieldSet* find(std::string_view element) const;
  FieldSet& at(std::string_view element);
  void add(const FieldSet& other);       // union
  void subtract(const FieldSet& other);  // difference
  bool operator==(const FieldSet& other) const = default;

  static FieldSet read(json::Node fields);  // unknown elements are kept as they are
  void write(json::Writer& out) const;
};

// ".spec.containers[name=\"web\"].image", as upstream prints paths in conflicts.
std::string path_step(std::string_view element);

}  // namespace coracle::api
