// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/openapi.h"

#include "api/bodies.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

class PathsText {
 public:
  PathsText(json::Writer& out, GroupVersion gv, const std::vector<ServedResource>& resources)
      : writer_(out),
        gv_(gv),
        resources_(resources) {}

  void write() {
    const std::string root = gv_.group.empty() ? join({"/api/", gv_.version})
                                               : join({"/apis/", gv_.group, "/", gv_.version});
    writer_.begin_object();
    for (const ServedResource& resource : resources_) {
      if (resource.type.message == nullptr) continue;  // streams
      const std::string base = join({root, resource.namespaced ? "/namespaces/{namespace}/" : "/"});
      if (resource.is_subresource()) {
        std::string path = resource.name;
        path.insert(path.find('/'), "/{name}");
        operations(base + path, resource, Place::kNamed);
        continue;
      }
      if (resource.kind != nullptr && resource.namespaced) {
        operations(join({root, "/", resource.name}), resource, Place::kEverywhere);
      }
      operations(base + resource.name, resource, Place::kCollection);
      if (resource.kind != nullptr)
        operations(join({base, resource.name, "/{name}"}), resource, Place::kNamed);
    }
    writer_.end_object();
  }

 private:
  enum class Place : uint8_t { kEverywhere, kCollection, kNamed };
  struct Operation {
    std::string_view method;
    std::string_view verb;
    std::string_view action;
  };

  void operations(const std::string& path, const ServedResource& resource, Place place) {
    static constexpr Operation kEverywhere[] = {{"get", "list", "list"}};
    static constexpr Operation kCollection[] = {{"get", "list", "list"},
                                                {"post", "create", "post"},
                                                {"delete", "deletecollection", "deletecollection"}};
    static constexpr Operation kNamed[] = {{"get", "get", "get"},
                                           {"put", "update", "put"},
                                           {"patch", "patch", "patch"},
                                           {"delete", "delete", "delete"}};
    static constexpr Operation kConnect[] = {{"post", "create", "post"}};
    std::span<const Operation> rows = kCollection;
    if (place == Place::kEverywhere) rows = kEverywhere;
    if (place == Place::kNamed)
      rows = resource.verbs == "create" ? std::span<const Operation>(kConnect) : kNamed;
    writer_.key(path);
    writer_.begin_object();
    for (const Operation& row : rows) {
      if (serves(resource, row.verb)) operation(row, resource);
    }
    path_parameters(path);
    writer_.end_object();
  }

  static bool serves(const ServedResource& resource, std::string_view verb) {
    for (std::string_view each : split(resource.verbs, ',')) {
      if (each == verb) return true;
    }
    return false;
  }

  void operation(const Operation& row, const ServedResource& resource) {
    const bool writes = row.method == "post" || row.method == "put" || row.method == "patch";
    const bool lists = row.verb == "list";
    writer_.key(row.method);
    writer_.begin_object();
    if (writes) {
      writer_.key("parameters");
      writer_.begin_array();
      for (std::string_view name : {"dryRun", "fieldManager", "fieldValidation"})
        query_parameter(name);
      if (row.method == "patch") query_parameter("force", "boolean");
      writer_.end_array();
      request_body(row, resource);
    }
    const std::string_view definition =
        row.method == "delete" ? kStatusBody.definition : resource.type.message->definition;
    writer_.key("responses");
    writer_.raw(
        join({R"({"200":{"description":"OK","content":{"application/json":{"schema":{"$ref":")",
              kOpenApiSchemas, definition, lists ? "List" : "", "\"}}}}}"}));
    writer_.member("x-kubernetes-action", row.action);
    writer_.key("x-kubernetes-group-version-kind");
    write_openapi_type(writer_, resource.type, {});
    writer_.end_object();
  }

  void request_body(const Operation& row, const ServedResource& resource) {
    writer_.key("requestBody");
    if (row.method == "patch") {
      // kubectl reads from here that custom resources take no strategic merge patch.
      const bool own = resource.kind != nullptr && resource.kind->is_custom;
      writer_.raw(join(
          {R"({"content":{"application/json-patch+json":{"schema":{"type":"array"}},)"
           R"("application/merge-patch+json":{"schema":{"type":"object"}},)"
           R"("application/apply-patch+yaml":{"schema":{"type":"object"}})",
           own ? "" : R"(,"application/strategic-merge-patch+json":{"schema":{"type":"object"}})",
           "}}"}));
      return;
    }
    writer_.raw(join({R"({"content":{"application/json":{"schema":{"$ref":")", kOpenApiSchemas,
                      resource.type.message->definition, "\"}}}}"}));
  }

  void query_parameter(std::string_view name, std::string_view type = "string") {
    writer_.raw(join({R"({"name":")", name, R"(","in":"query","schema":{"type":")", type, "\"}}"}));
  }

  void path_parameters(std::string_view path) {
    writer_.key("parameters");
    writer_.begin_array();
    for (std::string_view name : {"namespace", "name"}) {
      if (path.find(join({"{", name, "}"})) == std::string_view::npos) continue;
      writer_.raw(join(
          {R"({"name":")", name, R"(","in":"path","required":true,"schema":{"type":"string"}})"}));
    }
    writer_.end_array();
  }

  json::Writer& writer_;
  GroupVersion gv_;
  const std::vector<ServedResource>& resources_;
};

}  // namespace

std::string openapi_document(GroupVersion gv) {
  const std::vector<ServedResource> resources = served_resources(gv);
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.member("openapi", "3.0.0");
  out.key("info");
  out.raw(R"({"title":"Kubernetes","version":"v1.36.2"})");
  out.key("paths");
  PathsText(out, gv, resources).write();
  out.key("components");
  out.begin_object();
  out.key("schemas");
  write_openapi_schemas(out, resources);
  out.end_object();
  out.end_object();
  return text;
}

}  // namespace coracle::api
