// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/resources.h"

#include <algorithm>
#include <array>

#include "api/bodies.h"
#include "api/custom_kinds.h"
#include "api/metrics.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr std::string_view kAllVerbs = "create,delete,deletecollection,get,list,patch,update,watch";
constexpr std::string_view kNamespaceVerbs = "create,delete,get,list,patch,update,watch";

struct SubresourceRow {
  Subresource subresource;
  std::string_view verbs;
  // Of the body, if it is not the kind itself.
  std::string_view group = {};
  std::string_view version = {};
  std::string_view kind = {};
};

constexpr SubresourceRow kSubresources[] = {
    {Subresource::kStatus, "get,patch,update"},
    {Subresource::kScale, "get,patch,update", "autoscaling", "v1", "Scale"},
    {Subresource::kBinding, "create", "", "v1", "Binding"},
    {Subresource::kEviction, "create", "policy", "v1", "Eviction"},
    {Subresource::kToken, "create", "authentication.k8s.io", "v1", "TokenRequest"},
    {Subresource::kLog, "get"},
    {Subresource::kFinalize, "update"},
    {Subresource::kApproval, "get,patch,update"},
    {Subresource::kExec, "create,get", "", "v1", "PodExecOptions"},
    {Subresource::kAttach, "create,get", "", "v1", "PodAttachOptions"},
    {Subresource::kPortForward, "create,get", "", "v1", "PodPortForwardOptions"},
};

ServedType type_of(const Kind& kind) {
  return {kind.group, kind.version, kind.name, kind.message};
}

ServedType type_of(std::string_view group, std::string_view version, std::string_view kind) {
  for (const Body& body : all_bodies()) {
    if (body.group == group && body.version == version && body.kind == kind) {
      return {body.group, body.version, body.kind, body.message};
    }
  }
  return {group, version, kind};  // only its query says anything: no body
}

void add_kind(std::vector<ServedResource>& resources, const Kind& kind) {
  ServedResource main;
  main.name = kind.plural;
  main.singular = kind.singular;
  main.namespaced = kind.namespaced;
  main.type = type_of(kind);
  // Namespaces are deleted one by one: each has contents to finish first.
  main.verbs = kind.serves(Subresource::kFinalize) ? kNamespaceVerbs : kAllVerbs;
  main.short_names = kind.short_names;
  main.categories = kind.categories;
  main.kind = &kind;
  resources.push_back(main);
  for (const SubresourceRow& row : kSubresources) {
    if (!kind.serves(row.subresource)) continue;
    ServedResource sub;
    sub.name = join({kind.plural, "/", subresource_name(row.subresource)});
    sub.namespaced = kind.namespaced;
    sub.type = row.kind.empty() ? type_of(kind) : type_of(row.group, row.version, row.kind);
    sub.foreign = sub.type.group != kind.group || sub.type.version != kind.version;
    sub.verbs = row.verbs;
    sub.kind = &kind;
    resources.push_back(std::move(sub));
  }
}

uint64_t take_number(std::string_view& text) {
  uint64_t number = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9' && number < INT32_MAX) {
    number = number * 10 + static_cast<uint64_t>(text[0] - '0');
    text.remove_prefix(1);
  }
  return number;
}

// Stability, major, minor; all 0 for what does not look like a version.
std::array<uint64_t, 3> rank_of(std::string_view version) {
  if (!version.starts_with('v')) return {};
  version.remove_prefix(1);
  const uint64_t major = take_number(version);
  if (major == 0) return {};
  if (version.empty()) return {3, major, 0};
  const bool beta = version.starts_with("beta");
  if (!beta && !version.starts_with("alpha")) return {};
  version.remove_prefix(beta ? 4 : 5);
  const uint64_t minor = take_number(version);
  if (minor == 0 || !version.empty()) return {};
  return {beta ? 2U : 1U, major, minor};
}

bool comes_before(const GroupVersion& a, const GroupVersion& b) {
  if (a.group != b.group) return a.group < b.group;
  const std::array<uint64_t, 3> rank = rank_of(a.version);
  const std::array<uint64_t, 3> other = rank_of(b.version);
  return rank == other ? a.version < b.version : rank > other;
}

}  // namespace

std::vector<GroupVersion> served_group_versions() {
  std::vector<GroupVersion> all;
  for (const Kind* kind : all_kinds()) {
    if (!kind->is_custom) all.push_back({kind->group, kind->version});
  }
  for (const Kind* kind : twin_kinds())
    all.push_back({kind->group, kind->version});
  for (const CustomKind* kind : custom_kinds()) {
    if (kind->served) all.push_back({kind->group, kind->version});
  }
  all.push_back({kMetricsGroup, kMetricsVersion});
  for (const Body& body : all_bodies()) {
    if (!body.plural.empty()) all.push_back({body.group, body.version});
  }
  std::sort(all.begin(), all.end(), comes_before);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::vector<ServedResource> served_resources(GroupVersion gv) {
  std::vector<ServedResource> resources;
  for (const Kind* kind : all_kinds()) {
    const bool here = kind->group == gv.group && kind->version == gv.version;
    if (here && !kind->is_custom) add_kind(resources, *kind);
  }
  for (const Kind* kind : twin_kinds()) {
    if (kind->group == gv.group && kind->version == gv.version) add_kind(resources, *kind);
  }
  for (const CustomKind* kind : custom_kinds()) {
    if (kind->served && kind->group == gv.group && kind->version == gv.version)
      add_kind(resources, *kind);
  }
  for (const MetricsKind& each : metrics_kinds()) {
    if (gv.group != kMetricsGroup || gv.version != kMetricsVersion) continue;
    ServedResource measured;
    measured.name = each.plural;
    measured.namespaced = each.namespaced;
    measured.type = {kMetricsGroup, kMetricsVersion, each.kind, each.message};
    measured.verbs = "get,list";
    resources.push_back(std::move(measured));
  }
  for (const Body& body : all_bodies()) {
    if (body.plural.empty() || body.group != gv.group || body.version != gv.version) continue;
    ServedResource review;
    review.name = body.plural;
    review.singular = body.singular;
    review.namespaced = body.namespaced;
    review.type = {body.group, body.version, body.kind, body.message};
    review.verbs = "create";
    resources.push_back(std::move(review));
  }
  std::sort(resources.begin(), resources.end(),
            [](const ServedResource& a, const ServedResource& b) { return a.name < b.name; });
  return resources;
}

}  // namespace coracle::api
