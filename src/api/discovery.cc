// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/discovery.h"

#include <map>

#include "api/openapi.h"
#include "api/resources.h"
#include "base/bytes.h"
#include "json/writer.h"

namespace coracle::api {
namespace {

// FNV-1a twice, from two starting points: documents of one binary never change, so this only has to
// tell builds apart.
std::string hash_of(std::string_view body) {
  std::string bytes;
  for (uint64_t hash : {uint64_t{0xcbf29ce484222325}, uint64_t{0x9ae16a3b2f90404f}}) {
    for (const char c : body)
      hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    put_u64(bytes, hash);
  }
  return hex(bytes);
}

ServedDocument document(std::string body) {
  ServedDocument made;
  made.hash = hash_of(body);
  made.body = std::move(body);
  made.body.shrink_to_fit();
  return made;
}

std::string joined(GroupVersion gv) {
  return gv.group.empty() ? std::string(gv.version) : join({gv.group, "/", gv.version});
}

void write_strings(json::Writer& out, std::string_view name, std::string_view joined) {
  if (joined.empty()) return;
  out.key(name);
  out.begin_array();
  for (std::string_view each : split(joined, ','))
    out.value(each);
  out.end_array();
}

// --- Legacy: APIVersions, APIGroupList, APIGroup, APIResourceList

void write_version(json::Writer& out, GroupVersion gv) {
  out.begin_object();
  out.member("groupVersion", joined(gv));
  out.member("version", gv.version);
  out.end_object();
}

void write_group_content(json::Writer& out,
                         std::string_view group,
                         const std::vector<GroupVersion>& all) {
  const GroupVersion* preferred = nullptr;
  out.member("name", group);
  out.key("versions");
  out.begin_array();
  for (const GroupVersion& gv : all) {
    if (gv.group != group) continue;
    write_version(out, gv);
    if (preferred == nullptr) preferred = &gv;
  }
  out.end_array();
  out.key("preferredVersion");
  write_version(out, *preferred);
}

std::string api_versions(std::string_view server_address) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.member("kind", "APIVersions");
  out.key("versions");
  out.raw(R"(["v1"])");
  out.key("serverAddressByClientCIDRs");
  out.begin_array();
  out.begin_object();
  out.member("clientCIDR", "0.0.0.0/0");
  out.member("serverAddress", server_address);
  out.end_object();
  out.end_array();
  out.end_object();
  return text;
}

std::string group_list() {
  const std::vector<GroupVersion> all = served_group_versions();
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.member("kind", "APIGroupList");
  out.member("apiVersion", "v1");
  out.key("groups");
  out.begin_array();
  std::string_view last;
  for (const GroupVersion& gv : all) {
    if (gv.group == last) continue;  // the core group is empty, as `last` is at first
    out.begin_object();
    write_group_content(out, gv.group, all);
    out.end_object();
    last = gv.group;
  }
  out.end_array();
  out.end_object();
  return text;
}

std::string one_group(std::string_view group) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.member("kind", "APIGroup");
  out.member("apiVersion", "v1");
  write_group_content(out, group, served_group_versions());
  out.end_object();
  return text;
}

void write_resource(json::Writer& out, const ServedResource& resource) {
  out.begin_object();
  out.member("name", resource.name);
  out.member("singularName", resource.singular);
  out.member("namespaced", resource.namespaced);
  if (resource.foreign) {
    out.member("group", resource.type.group);
    out.member("version", resource.type.version);
  }
  out.member("kind", resource.type.kind);
  write_strings(out, "verbs", resource.verbs);
  write_strings(out, "shortNames", resource.short_names);
  write_strings(out, "categories", resource.categories);
  out.end_object();
}

std::string resource_list(GroupVersion gv) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.member("kind", "APIResourceList");
  out.member("apiVersion", "v1");
  out.member("groupVersion", joined(gv));
  out.key("resources");
  out.begin_array();
  for (const ServedResource& resource : served_resources(gv))
    write_resource(out, resource);
  out.end_array();
  out.end_object();
  return text;
}

// --- Aggregated: apidiscovery.k8s.io/v2 APIGroupDiscoveryList

void write_response_kind(json::Writer& out, const ServedResource& resource) {
  out.key("responseKind");
  out.begin_object();
  out.member("group", resource.foreign ? resource.type.group : std::string_view());
  out.member("version", resource.foreign ? resource.type.version : std::string_view());
  out.member("kind", resource.type.kind);
  out.end_object();
}

void write_subresources(json::Writer& out,
                        const std::string& parent,
                        const std::vector<ServedResource>& all) {
  bool any = false;
  for (const ServedResource& resource : all) {
    if (!resource.name.starts_with(parent + "/")) continue;
    if (!any) {
      out.key("subresources");
      out.begin_array();
      any = true;
    }
    out.begin_object();
    out.member("subresource", std::string_view(resource.name).substr(parent.size() + 1));
    write_response_kind(out, resource);
    write_strings(out, "verbs", resource.verbs);
    out.end_object();
  }
  if (any) out.end_array();
}

void write_aggregated_version(json::Writer& out, GroupVersion gv) {
  const std::vector<ServedResource> all = served_resources(gv);
  out.begin_object();
  out.member("version", gv.version);
  out.key("resources");
  out.begin_array();
  for (const ServedResource& resource : all) {
    if (resource.is_subresource()) continue;
    out.begin_object();
    out.member("resource", resource.name);
    write_response_kind(out, resource);
    out.member("scope", resource.namespaced ? "Namespaced" : "Cluster");
    out.member("singularResource", resource.singular);
    write_strings(out, "verbs", resource.verbs);
    write_strings(out, "shortNames", resource.short_names);
    write_strings(out, "categories", resource.categories);
    write_subresources(out, resource.name, all);
    out.end_object();
  }
  out.end_array();
  out.member("freshness", "Current");
  out.end_object();
}

void write_aggregated_group(json::Writer& out,
                            std::string_view group,
                            const std::vector<GroupVersion>& all) {
  out.begin_object();
  out.key("metadata");
  out.begin_object();
  if (!group.empty()) out.member("name", group);
  out.end_object();
  out.key("versions");
  out.begin_array();
  for (const GroupVersion& gv : all) {
    if (gv.group == group) write_aggregated_version(out, gv);
  }
  out.end_array();
  out.end_object();
}

std::string aggregated_list(bool core) {
  const std::vector<GroupVersion> all = served_group_versions();
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.member("kind", "APIGroupDiscoveryList");
  out.member("apiVersion", "apidiscovery.k8s.io/v2");
  out.key("metadata");
  out.raw("{}");
  out.key("items");
  out.begin_array();
  for (size_t i = 0; i < all.size(); i++) {
    const bool first = i == 0 || all[i].group != all[i - 1].group;
    if (first && all[i].group.empty() == core) write_aggregated_group(out, all[i].group, all);
  }
  out.end_array();
  out.end_object();
  return text;
}

bool is_served(GroupVersion wanted) {
  for (const GroupVersion& gv : served_group_versions()) {
    if (gv == wanted) return true;
  }
  return false;
}

std::string openapi_path(GroupVersion gv) {
  return join({gv.group.empty() ? "api/" : "apis/", joined(gv)});
}

}  // namespace

class Documents::State {
 public:
  // By request path and form; the builders below make what is missing.
  std::map<std::string, ServedDocument, std::less<>> kept;
  std::string openapi_name;
  ServedDocument openapi;

  template <class Build>
  const ServedDocument& get(const std::string& name, Build&& build) {
    const auto found = kept.find(name);
    if (found != kept.end()) return found->second;
    return kept.emplace(name, document(build())).first->second;
  }
};

Documents::Documents() : state_(std::make_unique<State>()) {}
Documents::~Documents() = default;

const ServedDocument& Documents::legacy_api_versions(std::string_view server_address) {
  // Clients may reach the server by several names; each is a host that TLS has accepted, but do not
  // keep them all.
  constexpr std::string_view kName = "/api";
  std::string body = api_versions(server_address);
  const auto found = state_->kept.find(kName);
  if (found != state_->kept.end() && found->second.body == body) return found->second;
  return state_->kept.insert_or_assign(std::string(kName), document(std::move(body))).first->second;
}

const ServedDocument& Documents::legacy_groups() {
  return state_->get("/apis", [] { return group_list(); });
}

const ServedDocument* Documents::legacy_group(std::string_view group) {
  for (const GroupVersion& gv : served_group_versions()) {
    if (group.empty() || gv.group != group) continue;
    return &state_->get(join({"/apis/", group}), [&] { return one_group(group); });
  }
  return nullptr;
}

const ServedDocument* Documents::legacy_resources(std::string_view group, std::string_view v) {
  const GroupVersion gv{group, v};
  if (!is_served(gv)) return nullptr;
  return &state_->get(join({"/resources/", joined(gv)}), [&] { return resource_list(gv); });
}

const ServedDocument& Documents::aggregated(bool core) {
  return state_->get(core ? "aggregated /api" : "aggregated /apis",
                     [&] { return aggregated_list(core); });
}

const ServedDocument& Documents::openapi_v3_index() {
  return state_->get("/openapi/v3", [] {
    std::string text;
    json::Writer out(text);
    out.begin_object();
    out.key("paths");
    out.begin_object();
    for (const GroupVersion& gv : served_group_versions()) {
      const std::string path = openapi_path(gv);
      out.key(path);
      out.begin_object();
      out.member("serverRelativeURL",
                 join({"/openapi/v3/", path, "?hash=", hash_of(openapi_document(gv))}));
      out.end_object();
    }
    out.end_object();
    out.end_object();
    return text;
  });
}

const ServedDocument* Documents::openapi_v3(std::string_view group, std::string_view v) {
  const GroupVersion gv{group, v};
  if (!is_served(gv)) return nullptr;
  const std::string name = openapi_path(gv);
  if (state_->openapi_name != name) {
    state_->openapi = document(openapi_document(gv));
    state_->openapi_name = name;
  }
  return &state_->openapi;
}

void Documents::forget() {
  state_->kept.clear();
  forget_openapi();
}

void Documents::forget_openapi() {
  state_->openapi = ServedDocument();
  state_->openapi_name.clear();
}

}  // namespace coracle::api
