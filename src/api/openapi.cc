// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/openapi.h"

#include <algorithm>

#include "api/bodies.h"
#include "api/meta.h"
#include "base/bytes.h"
#include "json/writer.h"

namespace coracle::api {
namespace {

constexpr std::string_view kSchemas = "#/components/schemas/";

// Definitions of the types that are not messages.
struct ScalarDefinition {
  Type type;
  std::string_view name;
  std::string_view schema;
};
constexpr ScalarDefinition kScalarDefinitions[] = {
    {Type::kTime, "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
     R"({"description":"Time as RFC 3339 writes it, to the second.","type":"string","format":"date-time"})"},
    {Type::kMicroTime, "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
     R"({"description":"Time as RFC 3339 writes it, to the microsecond.","type":"string","format":"date-time"})"},
    {Type::kQuantity, "io.k8s.apimachinery.pkg.api.resource.Quantity",
     R"({"description":"Number with a suffix: 100m, 2, 64Mi, 1.5G.","oneOf":[{"type":"string"},{"type":"number"}]})"},
    {Type::kIntOrString, "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
     R"({"description":"Integer, or a string such as a name or a percentage.",)"
     R"("format":"int-or-string","oneOf":[{"type":"integer"},{"type":"string"}]})"},
    {Type::kRaw, "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
     R"({"description":"Set of fields, as a tree.","type":"object"})"},
};

const ScalarDefinition* scalar_definition(Type type) {
  for (const ScalarDefinition& definition : kScalarDefinitions) {
    if (definition.type == type) return &definition;
  }
  return nullptr;
}

bool is_shown_required(const Field& field) {
  return field.is_required || field.is_listed;
}

// Messages that a document refers to, each once.
class Reachable {
 public:
  void add(const Message& message) {
    if (std::find(messages_.begin(), messages_.end(), &message) != messages_.end()) return;
    messages_.push_back(&message);
    for (const Field& field : message.fields) {
      if (field.type == Type::kObject) add(*field.message);
    }
  }
  std::vector<const Message*> sorted() && {
    std::sort(messages_.begin(), messages_.end(),
              [](const Message* a, const Message* b) { return a->definition < b->definition; });
    return std::move(messages_);
  }

 private:
  std::vector<const Message*> messages_;
};

class OpenApiText {
 public:
  explicit OpenApiText(GroupVersion gv)
      : gv_(gv),
        resources_(served_resources(gv)),
        writer_(text_) {}

  std::string document() && {
    writer_.begin_object();
    writer_.member("openapi", "3.0.0");
    writer_.key("info");
    writer_.raw(R"({"title":"Kubernetes","version":"v1.36.2"})");
    writer_.key("paths");
    paths();
    writer_.key("components");
    writer_.begin_object();
    writer_.key("schemas");
    schemas();
    writer_.end_object();
    writer_.end_object();
    return std::move(text_);
  }

 private:
  // --- Schemas

  void schemas() {
    Reachable reachable;
    reachable.add(kDeleteOptions);
    reachable.add(kStatusBody);
    for (const ServedResource& resource : resources_)
      reachable.add(*resource.type.message);
    writer_.begin_object();
    for (const Message* message : std::move(reachable).sorted()) {
      writer_.key(message->definition);
      schema(*message);
    }
    for (const ServedResource& resource : resources_) {
      if (resource.kind != nullptr && !resource.is_subresource()) list_schema(*resource.kind);
    }
    for (const ScalarDefinition& definition : kScalarDefinitions) {
      writer_.key(definition.name);
      writer_.raw(definition.schema);
    }
    writer_.end_object();
  }

  void schema(const Message& message) {
    writer_.begin_object();
    if (!message.description.empty()) writer_.member("description", message.description);
    writer_.member("type", "object");
    writer_.key("properties");
    writer_.begin_object();
    for (const Field& field : message.fields) {
      writer_.key(field.name);
      property(field);
    }
    writer_.end_object();
    required(message);
    for (const ServedResource& resource : resources_) {
      if (resource.type.message != &message) continue;
      writer_.key("x-kubernetes-group-version-kind");
      writer_.begin_array();
      type(resource.type, {});
      writer_.end_array();
      break;
    }
    writer_.end_object();
  }

  void required(const Message& message) {
    const bool any = std::any_of(message.fields.begin(), message.fields.end(), is_shown_required);
    if (!any) return;
    writer_.key("required");
    writer_.begin_array();
    for (const Field& field : message.fields) {
      if (is_shown_required(field)) writer_.value(field.name);
    }
    writer_.end_array();
  }

  void property(const Field& field) {
    writer_.begin_object();
    if (!field.description.empty()) writer_.member("description", field.description);
    if (!field.default_json.empty()) {
      writer_.key("default");
      writer_.raw(field.default_json);
    }
    switch (field.shape) {
      case Shape::kOne:
        one(field, true);
        break;
      case Shape::kList:
        writer_.member("type", "array");
        writer_.key("items");
        nested(field);
        list_marks(field);
        break;
      case Shape::kMap:
        writer_.member("type", "object");
        writer_.key("additionalProperties");
        nested(field);
        break;
    }
    patch_marks(field);
    writer_.end_object();
  }

  void nested(const Field& field) {
    writer_.begin_object();
    one(field, false);
    writer_.end_object();
  }

  // `beside`: there are other members beside a reference, which must then stand in allOf.
  void one(const Field& field, bool beside) {
    const ScalarDefinition* definition = scalar_definition(field.type);
    if (definition != nullptr) return reference(definition->name, beside);
    switch (field.type) {
      case Type::kObject:
        return reference(field.message->definition, beside);
      case Type::kInt32:
        return scalar("integer", "int32");
      case Type::kInt64:
        return scalar("integer", "int64");
      case Type::kDouble:
        return scalar("number", "double");
      case Type::kBytes:
        return scalar("string", "byte");
      case Type::kBoolean:
        return scalar("boolean", {});
      case Type::kStrings:
        writer_.member("type", "array");
        writer_.key("items");
        writer_.raw(R"({"type":"string"})");
        return;
      default:
        break;
    }
    scalar("string", {});
    if (field.values.empty()) return;
    writer_.key("enum");
    strings(field.values, '|');
  }

  void scalar(std::string_view type, std::string_view format) {
    writer_.member("type", type);
    if (!format.empty()) writer_.member("format", format);
  }

  void reference(std::string_view definition, bool beside) {
    if (beside) {
      writer_.key("allOf");
      writer_.begin_array();
      writer_.begin_object();
    }
    writer_.member("$ref", join({kSchemas, definition}));
    if (beside) {
      writer_.end_object();
      writer_.end_array();
    }
  }

  void list_marks(const Field& field) {
    constexpr std::string_view kNames[] = {"atomic", "map", "set"};
    writer_.member("x-kubernetes-list-type", kNames[static_cast<size_t>(field.list_type)]);
    if (field.keys.empty()) return;
    writer_.key("x-kubernetes-list-map-keys");
    strings(field.keys, ',');
  }

  void patch_marks(const Field& field) {
    if (!field.merge_key.empty()) writer_.member("x-kubernetes-patch-merge-key", field.merge_key);
    if (field.merges || field.retains_keys) {
      const std::string_view strategy = field.merges && field.retains_keys ? "merge,retainKeys"
                                        : field.merges                     ? "merge"
                                                                           : "retainKeys";
      writer_.member("x-kubernetes-patch-strategy", strategy);
    }
  }

  void strings(std::string_view joined, char separator) {
    writer_.begin_array();
    for (std::string_view each : split(joined, separator))
      writer_.value(each);
    writer_.end_array();
  }

  // PodList and its like: every one has the same four fields.
  void list_schema(const Kind& kind) {
    writer_.key(join({kind.message->definition, "List"}));
    writer_.begin_object();
    writer_.member("description", join({kind.name, "List is a list of ", kind.name, " objects."}));
    writer_.member("type", "object");
    writer_.key("properties");
    writer_.begin_object();
    for (const Field& field : {kApiVersionField, list("items", 2, *kind.message), kKindField,
                               object("metadata", 1, kListMeta)}) {
      writer_.key(field.name);
      property(field);
    }
    writer_.end_object();
    writer_.key("required");
    writer_.raw(R"(["items"])");
    writer_.key("x-kubernetes-group-version-kind");
    writer_.begin_array();
    type({kind.group, kind.version, kind.name, nullptr}, "List");
    writer_.end_array();
    writer_.end_object();
  }

  void type(const ServedType& served, std::string_view suffix) {
    writer_.begin_object();
    writer_.member("group", served.group);
    writer_.member("version", served.version);
    writer_.member("kind", join({served.kind, suffix}));
    writer_.end_object();
  }

  // --- Paths

  void paths() {
    const std::string root = gv_.group.empty() ? join({"/api/", gv_.version})
                                               : join({"/apis/", gv_.group, "/", gv_.version});
    writer_.begin_object();
    for (const ServedResource& resource : resources_) {
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
              kSchemas, definition, lists ? "List" : "", "\"}}}}}"}));
    writer_.member("x-kubernetes-action", row.action);
    writer_.key("x-kubernetes-group-version-kind");
    type(resource.type, {});
    writer_.end_object();
  }

  void request_body(const Operation& row, const ServedResource& resource) {
    writer_.key("requestBody");
    if (row.method == "patch") {
      writer_.raw(R"({"content":{"application/json-patch+json":{"schema":{"type":"array"}},)"
                  R"("application/merge-patch+json":{"schema":{"type":"object"}},)"
                  R"("application/strategic-merge-patch+json":{"schema":{"type":"object"}}}})");
      return;
    }
    writer_.raw(join({R"({"content":{"application/json":{"schema":{"$ref":")", kSchemas,
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

  GroupVersion gv_;
  std::vector<ServedResource> resources_;
  std::string text_;
  json::Writer writer_;
};

}  // namespace

std::string openapi_document(GroupVersion gv) {
  return OpenApiText(gv).document();
}

}  // namespace coracle::api
