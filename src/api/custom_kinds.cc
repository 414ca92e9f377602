// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/custom_kinds.h"

#include <memory>

#include "api/meta.h"
#include "base/bytes.h"
#include "base/limits.h"

namespace coracle::api {
namespace {

constexpr Field kCustomFields[] = {kKindField, kApiVersionField, kMetadataField};
constexpr const char* kDescription = "A kind that a CustomResourceDefinition declares.";

// "example.com", "v1", "Foo" -> "com.example.v1.Foo"
std::string definition_of(const CustomKind& kind) {
  std::string text;
  for (std::string_view part : split(kind.group_text, '.'))
    text = text.empty() ? std::string(part) : join({part, ".", text});
  return join({text, ".", kind.version_text, ".", kind.name_text});
}

struct Registry {
  std::vector<std::unique_ptr<CustomKind>> owned;
  std::vector<CustomKind*> all;
};

Registry& registry() {
  static Registry registry;
  return registry;
}

void set_names(CustomKind& kind) {
  kind.group = kind.group_text;
  kind.version = kind.version_text;
  kind.name = kind.name_text;
  kind.plural = kind.plural_text;
  kind.definition_text = definition_of(kind);
  kind.own_message = {kind.definition_text.c_str(), kCustomFields, kDescription};
  kind.message = &kind.own_message;
}

}  // namespace

const CustomKind* custom(const Kind& kind) {
  return kind.is_custom ? static_cast<const CustomKind*>(&kind) : nullptr;
}

CustomKind* find_custom_kind(std::string_view group,
                             std::string_view plural,
                             std::string_view version) {
  for (CustomKind* kind : registry().all) {
    const bool fits = version.empty() || kind->version == version;
    if (fits && kind->plural == plural && kind->group == group) return kind;
  }
  return nullptr;
}

CustomKind* intern_custom_kind(std::string_view group,
                               std::string_view plural,
                               std::string_view version,
                               std::string_view name,
                               bool namespaced) {
  for (CustomKind* kind : registry().all) {
    if (kind->plural != plural || kind->group != group) continue;
    if (version.empty()) return kind;
    // What only a key told of takes on its first whole name.
    if (kind->version_text.empty()) {
      kind->version_text = version;
      kind->name_text = name;
      set_names(*kind);
    }
    if (kind->version == version) return kind;
  }
  if (registry().all.size() >= limits::kCustomKindsMax) return nullptr;
  auto made = std::make_unique<CustomKind>();
  made->group_text = group;
  made->version_text = version;
  made->name_text = name;
  made->plural_text = plural;
  made->is_custom = true;
  made->namespaced = namespaced;
  made->bumps_generation = true;
  set_names(*made);
  registry().all.push_back(made.get());
  registry().owned.push_back(std::move(made));
  return registry().all.back();
}

const std::vector<CustomKind*>& custom_kinds() {
  return registry().all;
}

}  // namespace coracle::api
