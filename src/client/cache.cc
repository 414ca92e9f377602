// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/cache.h"

#include <algorithm>

namespace coracle::client {

const Cache::Objects* Cache::of(const api::Kind& kind) const {
  const auto found = kinds_.find(api::group_resource(kind));
  return found == kinds_.end() ? nullptr : &found->second;
}

api::ObjectRef Cache::get(const api::Kind& kind, std::string_view ns, std::string_view name) const {
  const Objects* objects = of(kind);
  if (objects == nullptr) return {};
  const auto found = objects->find({std::string(ns), std::string(name)});
  return found == objects->end() ? api::ObjectRef() : found->second;
}

void Cache::list(const api::Kind& kind, std::string_view ns, api::Visitor& visitor) const {
  const Objects* objects = of(kind);
  if (objects == nullptr) return;
  for (auto at = objects->lower_bound({std::string(ns), {}}); at != objects->end(); ++at) {
    if (!ns.empty() && at->first.first != ns) return;
    const api::ObjectRef held = at->second;
    if (!visitor.visit(held)) return;
  }
}

void Cache::list_owned_by(std::string_view uid, api::Visitor& visitor) const {
  for (const auto& [kind, objects] : kinds_) {
    for (const auto& [name, object] : objects) {
      if (object->text().find(uid) == std::string_view::npos) continue;
      json::Tree tree;
      bool owned = false;
      for (const json::Node owner : object->parse(tree)["metadata"]["ownerReferences"])
        owned = owned || owner["uid"].string() == uid;
      if (owned && !visitor.visit(object)) return;
    }
  }
}

std::optional<api::Change> Cache::put(const api::ObjectRef& object) {
  version_ = std::max(version_, object->version());
  api::ObjectRef& slot = kinds_[api::group_resource(object->kind())]
                               [{std::string(object->ns()), std::string(object->name())}];
  if (slot && slot->version() >= object->version()) return std::nullopt;
  const auto type = slot ? api::ChangeType::kModified : api::ChangeType::kAdded;
  api::Change change{type, object->version(), slot, object};
  slot = object;
  return change;
}

std::optional<api::Change> Cache::remove(const api::Key& key, uint64_t version) {
  version_ = std::max(version_, version);
  const auto kind = kinds_.find(api::group_resource(*key.kind));
  if (kind == kinds_.end()) return std::nullopt;
  const auto found = kind->second.find({key.ns, key.name});
  if (found == kind->second.end()) return std::nullopt;
  if (version > 0 && found->second->version() > version) return std::nullopt;
  api::Change change{api::ChangeType::kDeleted, std::max(version, found->second->version()),
                     found->second, found->second};
  kind->second.erase(found);
  return change;
}

}  // namespace coracle::client
