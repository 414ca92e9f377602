// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/field_set.h"

#include "base/bytes.h"
#include "base/limits.h"

namespace coracle::api {
namespace {

constexpr std::string_view kSelf = ".";

FieldSet read_set(json::Node fields, size_t depth) {
  FieldSet set;
  for (const json::Node child : fields) {
    if (child.key() == kSelf) {
      set.member = true;
    } else if (depth < limits::kJsonDepthMax) {
      set.at(child.key()) = read_set(child, depth + 1);
    }
  }
  if (set.children.empty()) set.member = true;
  return set;
}

}  // namespace

const FieldSet* FieldSet::find(std::string_view element) const {
  const auto at = children.find(element);
  return at == children.end() ? nullptr : &at->second;
}

FieldSet& FieldSet::at(std::string_view element) {
  const auto found = children.find(element);
  if (found != children.end()) return found->second;
  return children.emplace(std::string(element), FieldSet()).first->second;
}

void FieldSet::add(const FieldSet& other) {
  member = member || other.member;
  for (const auto& [element, set] : other.children)
    at(element).add(set);
}

void FieldSet::subtract(const FieldSet& other) {
  if (other.member) member = false;
  for (const auto& [element, set] : other.children) {
    const auto found = children.find(element);
    if (found == children.end()) continue;
    found->second.subtract(set);
    if (found->second.empty()) children.erase(found);
  }
}

FieldSet FieldSet::read(json::Node fields) {
  FieldSet set = read_set(fields, 0);
  if (set.children.empty()) set.member = false;  // {} is the empty set
  return set;
}

void FieldSet::write(json::Writer& out) const {
  out.begin_object();
  if (member && !children.empty()) {
    out.key(kSelf);
    out.raw("{}");
  }
  for (const auto& [element, set] : children) {
    out.key(element);
    set.write(out);
  }
  out.end_object();
}

std::string path_step(std::string_view element) {
  if (element.starts_with("f:")) return join({".", element.substr(2)});
  if (element.starts_with("v:")) return join({"[=", element.substr(2), "]"});
  if (element.starts_with("i:")) return join({"[", element.substr(2), "]"});
  json::Tree tree;
  const Result<json::Node> keys = tree.parse(element.substr(element.starts_with("k:") ? 2 : 0));
  std::string text;
  if (keys) {
    for (const json::Node key : *keys)
      text += join({text.empty() ? "" : ",", key.key(), "=", json::write(key)});
  }
  return join({"[", text, "]"});
}

}  // namespace coracle::api
