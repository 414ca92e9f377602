// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"

#include "api/custom_kinds.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr std::string_view kRegistry = "/registry/";

// Cuts the first '/'-separated segment off `rest`.
std::string_view take_segment(std::string_view& rest) {
  const size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  return segment;
}

const Kind* find_table(std::string_view group, std::string_view plural) {
  for (const Kind* kind : all_kinds()) {
    if (!kind->is_custom && kind->plural == plural && kind->group == group) return kind;
  }
  return nullptr;
}

}  // namespace

std::string_view subresource_name(Subresource subresource) {
  switch (subresource) {
    case Subresource::kNone:
      return "";
    case Subresource::kStatus:
      return "status";
    case Subresource::kScale:
      return "scale";
    case Subresource::kBinding:
      return "binding";
    case Subresource::kEviction:
      return "eviction";
    case Subresource::kToken:
      return "token";
    case Subresource::kLog:
      return "log";
    case Subresource::kFinalize:
      return "finalize";
    case Subresource::kApproval:
      return "approval";
    case Subresource::kExec:
      return "exec";
    case Subresource::kAttach:
      return "attach";
    case Subresource::kPortForward:
      return "portforward";
  }
  return "";
}

const Kind* find_kind(std::string_view group, std::string_view version, std::string_view plural) {
  for (const Kind* twin : twin_kinds()) {
    if (twin->plural == plural && twin->group == group && twin->version == version) return twin;
  }
  const Kind* kind = find_table(group, plural);
  if (kind != nullptr) return kind->version == version ? kind : nullptr;
  const CustomKind* own = version.empty() ? nullptr : find_custom_kind(group, plural, version);
  return own != nullptr && own->served ? own : nullptr;
}

const Kind* find_kind_by_name(std::string_view group,
                              std::string_view version,
                              std::string_view name) {
  for (const Kind* kind : all_kinds()) {
    if (kind->name == name && kind->group == group && kind->version == version) return kind;
  }
  for (const Kind* kind : twin_kinds()) {
    if (kind->name == name && kind->group == group && kind->version == version) return kind;
  }
  for (const CustomKind* kind : custom_kinds()) {
    if (kind->name == name && kind->group == group && kind->version == version) return kind;
  }
  return nullptr;
}

std::string group_version(const Kind& kind) {
  if (kind.group.empty()) return std::string(kind.version);
  return join({kind.group, "/", kind.version});
}

std::string group_resource(const Kind& kind) {
  if (kind.group.empty()) return std::string(kind.plural);
  return join({kind.plural, ".", kind.group});
}

std::string group_kind(const Kind& kind) {
  if (kind.group.empty()) return std::string(kind.name);
  return join({kind.name, ".", kind.group});
}

std::string storage_prefix(const Kind& kind) {
  if (kind.group.empty()) return join({kRegistry, kind.plural, "/"});
  return join({kRegistry, kind.group, "/", kind.plural, "/"});
}

std::string storage_key(const Kind& kind, std::string_view ns, std::string_view name) {
  const std::string_view group_slash = kind.group.empty() ? "" : "/";
  const std::string_view ns_slash = kind.namespaced ? "/" : "";
  if (!kind.namespaced) ns = {};
  return join({kRegistry, kind.group, group_slash, kind.plural, "/", ns, ns_slash, name});
}

StoredName parse_storage_key(std::string_view key) {
  if (!key.starts_with(kRegistry)) return {};
  key.remove_prefix(kRegistry.size());
  StoredName stored;
  const std::string_view first = take_segment(key);
  stored.kind = find_table({}, first);
  if (stored.kind == nullptr) {
    const std::string_view plural = take_segment(key);
    stored.kind = find_table(first, plural);
    // Groups of custom resources have a dot, which no name of a core resource has.
    const bool foreign = stored.kind == nullptr && first.find('.') != std::string_view::npos;
    const bool namespaced = key.find('/') != std::string_view::npos;
    if (foreign) stored.kind = intern_custom_kind(first, plural, {}, {}, namespaced);
  }
  if (stored.kind == nullptr) return {};
  if (stored.kind->namespaced) stored.ns = take_segment(key);
  stored.name = key;
  const bool whole = !stored.name.empty() && stored.name.find('/') == std::string_view::npos &&
                     stored.kind->namespaced == !stored.ns.empty();
  return whole ? stored : StoredName{};
}

}  // namespace coracle::api
