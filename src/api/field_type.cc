// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/field_type.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"

namespace coracle::api {
namespace {

// x-kubernetes-map-type: atomic in upstream's document.
constexpr std::string_view kAtomicMessages[] = {
    "autoscaling.v1.CrossVersionObjectReference",
    "core.v1.ConfigMapKeySelector",
    "core.v1.EndpointAddress",
    "core.v1.EndpointPort",
    "core.v1.FileKeySelector",
    "core.v1.LocalObjectReference",
    "core.v1.NodeSelector",
    "core.v1.NodeSelectorTerm",
    "core.v1.ObjectFieldSelector",
    "core.v1.ObjectReference",
    "core.v1.ResourceFieldSelector",
    "core.v1.ScopeSelector",
    "core.v1.SecretKeySelector",
    "core.v1.SecretReference",
    "core.v1.TopologySelectorTerm",
    "core.v1.TypedLocalObjectReference",
    "discovery.v1.EndpointPort",
    "networking.v1.ServiceBackendPort",
    "rbac.v1.RoleRef",
    "rbac.v1.Subject",
    "meta.v1.LabelSelector",
    "meta.v1.OwnerReference",
};

bool is_atomic(const Message& message) {
  const std::string_view definition = message.definition;
  return std::any_of(std::begin(kAtomicMessages), std::end(kAtomicMessages),
                     [&](std::string_view each) { return definition.ends_with(each); });
}

bool is_atomic_map(const Message* parent, const Field& field) {
  if (parent == nullptr) return false;
  const std::string_view of = parent->definition;
  if (field.name == "nodeSelector")
    return of.ends_with(".PodSpec") || of.ends_with("node.v1.Scheduling");
  return field.name == "selector" &&
         (of.ends_with(".ReplicationControllerSpec") || of.ends_with(".ServiceSpec"));
}

bool is_granular(const Message* parent, const Field& field) {
  return parent != nullptr && field.name == "claimRef" &&
         std::string_view(parent->definition).ends_with(".PersistentVolumeSpec");
}

bool is_free(const Field& field) {
  return field.type == Type::kExtension || field.type == Type::kRaw;
}

}  // namespace

Nature FieldType::nature(json::Node value) const {
  const bool deduced = message == nullptr && (field == nullptr || (element && is_free(*field)) ||
                                              (field->shape == Shape::kOne && is_free(*field)));
  if (deduced) return value.is_object() && value.size() > 0 ? Nature::kMap : Nature::kWhole;
  if (field != nullptr && !element && field->shape == Shape::kList) {
    if (!value.is_array() || field->list_type == ListType::kAtomic) return Nature::kWhole;
    return field->list_type == ListType::kMap ? Nature::kKeyed : Nature::kSet;
  }
  if (field != nullptr && !element && field->shape == Shape::kMap) {
    return is_atomic_map(parent, *field) || !value.is_object() ? Nature::kWhole : Nature::kMap;
  }
  if (message == nullptr || !value.is_object()) return Nature::kWhole;
  if (is_atomic(*message) && (field == nullptr || !is_granular(parent, *field)))
    return Nature::kWhole;
  return Nature::kStruct;
}

FieldType FieldType::member(std::string_view name) const {
  const bool map = field != nullptr && !element && field->shape == Shape::kMap;
  if (map) return {field, message, parent, true};
  if (message == nullptr) return {};
  const Field* child = message->find(name);
  if (child == nullptr) return {};
  return {child, child->message, message, child->shape == Shape::kOne};
}

FieldType FieldType::item() const {
  return {field, message, parent, true};
}

Result<std::string> FieldType::element_of(json::Node value) const {
  if (field->list_type == ListType::kSet) return join({"v:", json::write(value)});
  std::vector<std::string_view> keys = split(field->keys(), ',');
  std::sort(keys.begin(), keys.end());
  std::string text = "k:{";
  for (std::string_view key : keys) {
    std::string part;
    if (const json::Node given = value[key]; given) {
      part = json::write(given);
    } else if (const Field* declared = message == nullptr ? nullptr : message->find(key);
               declared != nullptr && !declared->default_json.empty()) {
      part = std::string(std::string_view(declared->default_json));
    } else {
      continue;
    }
    if (text.size() > 3) text += ",";
    json::write_string(text, key);
    text += join({":", part});
  }
  if (text.size() == 3)
    return fail(Code::kInvalid,
                join({"associative list with keys has an element that omits key field \"",
                      keys.front(), "\" (and doesn't have default value)"}));
  return text + "}";
}

}  // namespace coracle::api
