// SPDX-License-Identifier: GPL-2.0-or-later
// components.schemas of an OpenAPI document: every message that the group version refers to.
#include <algorithm>

#include "api/bodies.h"
#include "api/custom_kinds.h"
#include "api/meta.h"
#include "api/openapi.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

// Definitions of the types that are not messages.
struct ScalarDefinition {
  Type type;
  std::string_view name;
  std::string_view schema;
};
constexpr ScalarDefinition kScalarDefinitions[] = {
    {Type::kTime, "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
     R"({"description":"Time as RFC 3339 writes it, to the second.",)"
     R"("type":"string","format":"date-time"})"},
    {Type::kMicroTime, "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
     R"({"description":"Time as RFC 3339 writes it, to the microsecond.",)"
     R"("type":"string","format":"date-time"})"},
    {Type::kQuantity, "io.k8s.apimachinery.pkg.api.resource.Quantity",
     R"({"description":"Number with a suffix: 100m, 2, 64Mi, 1.5G.",)"
     R"("oneOf":[{"type":"string"},{"type":"number"}]})"},
    {Type::kIntOrString, "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
     R"({"description":"Integer, or a string such as a name or a percentage.",)"
     R"("format":"int-or-string","oneOf":[{"type":"integer"},{"type":"string"}]})"},
    {Type::kRaw, "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
     R"({"description":"Set of fields, as a tree.","type":"object"})"},
    {Type::kExtension, "io.k8s.apimachinery.pkg.runtime.RawExtension",
     R"({"description":"Any JSON.","type":"object"})"},
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
    std::sort(messages_.begin(), messages_.end(), [](const Message* a, const Message* b) {
      return std::string_view(a->definition) < std::string_view(b->definition);
    });
    return std::move(messages_);
  }

 private:
  std::vector<const Message*> messages_;
};

class SchemasText {
 public:
  SchemasText(json::Writer& out, const std::vector<ServedResource>& resources)
      : writer_(out),
        resources_(resources) {}

  void write() {
    Reachable reachable;
    reachable.add(kDeleteOptions);
    reachable.add(kStatusBody);
    for (const ServedResource& resource : resources_) {
      if (resource.type.message != nullptr) reachable.add(*resource.type.message);
    }
    writer_.begin_object();
    for (const Message* message : std::move(reachable).sorted()) {
      writer_.key(message->definition);
      schema(*message);
    }
    for (const ServedResource& resource : resources_) {
      if (resource.verbs.find("list") != std::string_view::npos) list_schema(resource.type);
    }
    for (const ScalarDefinition& definition : kScalarDefinitions) {
      writer_.key(definition.name);
      writer_.raw(definition.schema);
    }
    writer_.end_object();
  }

 private:
  // The members of a definition's schema; those of every object take the place of its own.
  void custom_members(std::string_view text) {
    json::Tree tree;
    const Result<json::Node> schema = tree.parse(text);
    if (!schema) return;
    for (const json::Node child : *schema) {
      if (child.key() == "properties" || child.key() == "type" || child.key() == "description")
        continue;
      writer_.key(child.key());
      writer_.raw(json::write(child));
    }
    writer_.key("properties");
    writer_.begin_object();
    for (const Field& field : {kApiVersionField, kKindField, kMetadataField}) {
      writer_.key(field.name);
      property(field);
    }
    for (const json::Node child : (*schema)["properties"]) {
      const std::string_view name = child.key();
      if (name == "kind" || name == "apiVersion" || name == "metadata") continue;
      writer_.key(name);
      writer_.raw(json::write(child));
    }
    writer_.end_object();
  }

  bool custom_schema(const Message& message) {
    for (const ServedResource& resource : resources_) {
      if (resource.kind == nullptr || resource.type.message != &message) continue;
      const CustomKind* own = custom(*resource.kind);
      if (own == nullptr) return false;
      writer_.begin_object();
      writer_.member("type", "object");
      custom_members(own->schema_text);
      writer_.key("x-kubernetes-group-version-kind");
      writer_.begin_array();
      write_openapi_type(writer_, resource.type, {});
      writer_.end_array();
      writer_.end_object();
      return true;
    }
    return false;
  }

  void schema(const Message& message) {
    if (custom_schema(message)) return;
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
      write_openapi_type(writer_, resource.type, {});
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
    if (field.values().empty()) return;
    writer_.key("enum");
    strings(field.values(), '|');
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
    writer_.member("$ref", join({kOpenApiSchemas, definition}));
    if (beside) {
      writer_.end_object();
      writer_.end_array();
    }
  }

  void list_marks(const Field& field) {
    constexpr std::string_view kNames[] = {"atomic", "map", "set"};
    writer_.member("x-kubernetes-list-type", kNames[static_cast<size_t>(field.list_type)]);
    if (field.keys().empty()) return;
    writer_.key("x-kubernetes-list-map-keys");
    strings(field.keys(), ',');
  }

  void patch_marks(const Field& field) {
    if (!field.merge_key().empty())
      writer_.member("x-kubernetes-patch-merge-key", field.merge_key());
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
  void list_schema(const ServedType& type) {
    writer_.key(join({type.message->definition, "List"}));
    writer_.begin_object();
    writer_.member("description", join({type.kind, "List is a list of ", type.kind, " objects."}));
    writer_.member("type", "object");
    writer_.key("properties");
    writer_.begin_object();
    for (const Field& field : {kApiVersionField, list("items", 2, *type.message), kKindField,
                               object("metadata", 1, kListMeta)}) {
      writer_.key(field.name);
      property(field);
    }
    writer_.end_object();
    writer_.key("required");
    writer_.raw(R"(["items"])");
    writer_.key("x-kubernetes-group-version-kind");
    writer_.begin_array();
    write_openapi_type(writer_, {type.group, type.version, type.kind, nullptr}, "List");
    writer_.end_array();
    writer_.end_object();
  }

  json::Writer& writer_;
  const std::vector<ServedResource>& resources_;
};

}  // namespace

void write_openapi_type(json::Writer& out, const ServedType& served, std::string_view suffix) {
  out.begin_object();
  out.member("group", served.group);
  out.member("version", served.version);
  out.member("kind", join({served.kind, suffix}));
  out.end_object();
}

void write_openapi_schemas(json::Writer& out, const std::vector<ServedResource>& resources) {
  SchemasText(out, resources).write();
}

}  // namespace coracle::api
