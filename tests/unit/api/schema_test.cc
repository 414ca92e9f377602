// SPDX-License-Identifier: GPL-2.0-or-later
// Every message of every served kind against upstream's OpenAPI document, field by field.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "api/bodies.h"
#include "api/field_type.h"
#include "api/kind.h"
#include "base/bytes.h"
#include "tests/unit/api/oracle.h"

namespace coracle::api {
namespace {

// Differences that were looked at and are meant, each with its reason.
struct Reviewed {
  std::string_view where;  // "Pod.spec", "Pod (required)"; a trailing * stands for anything
  std::string_view reason;
};
constexpr Reviewed kReviewed[] = {
    {"PodDNSConfigOption.name (required)",
     "upstream's validation requires it, only its document does not say so"},
    {"CustomResourceValidation.openAPIV3Schema",
     "free JSON here: structural.cc judges it, and no table of its fields is needed"},
    {"CustomResourceSubresources.status", "an empty object; whatever is in it says nothing"},
};

bool is_reviewed(const std::string& where, std::set<std::string_view>& used) {
  for (const Reviewed& each : kReviewed) {
    const bool prefix = each.where.ends_with('*');
    const bool same = prefix ? where.starts_with(each.where.substr(0, each.where.size() - 1))
                             : where == each.where;
    if (!same) continue;
    used.insert(each.where);
    return true;
  }
  return false;
}

void reach(const Message& message, std::set<const Message*>& all) {
  if (!all.insert(&message).second) return;
  for (const Field& field : message.fields) {
    if (field.type == Type::kObject) reach(*field.message, all);
  }
}

std::string_view type_name(const Field& field) {
  switch (field.type) {
    case Type::kString:
      return "string";
    case Type::kInt32:
      return "integer/int32";
    case Type::kInt64:
      return "integer/int64";
    case Type::kBoolean:
      return "boolean";
    case Type::kDouble:
      return "number/double";
    case Type::kBytes:
      return "string/byte";
    case Type::kTime:
      return "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
    case Type::kMicroTime:
      return "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";
    case Type::kQuantity:
      return "io.k8s.apimachinery.pkg.api.resource.Quantity";
    case Type::kIntOrString:
      return "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
    case Type::kObject:
      return field.message->definition;
    case Type::kRaw:
      return "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1";
    case Type::kExtension:
      return "io.k8s.apimachinery.pkg.runtime.RawExtension";
    case Type::kStrings:
      return "list of string";
  }
  return {};
}

// "list of string, set, strategy merge"
std::string ours(const Field& field) {
  std::string out(type_name(field));
  if (field.shape == Shape::kMap) out = "map of " + out;
  if (field.shape == Shape::kList) {
    constexpr std::string_view kListTypes[] = {"atomic", "map", "set"};
    out = join({"list of ", out, ", ", kListTypes[static_cast<size_t>(field.list_type)]});
    if (!field.keys().empty()) out += join({" by ", field.keys()});
  }
  if (field.merges || field.retains_keys) {
    out += ", strategy ";
    out += field.merges && field.retains_keys ? "merge,retainKeys"
           : field.merges                     ? "merge"
                                              : "retainKeys";
  }
  if (field.replaces) out += ", strategy replace";
  if (!field.merge_key().empty()) out += join({", merge key ", field.merge_key()});
  return out;
}

std::string upstream_type(json::Node property) {
  constexpr std::string_view kPrefix = "#/definitions/";
  const std::string_view reference = property["$ref"].string();
  if (!reference.empty()) return std::string(reference.substr(kPrefix.size()));
  std::string out(property["type"].string());
  if (out == "array") return "list of " + upstream_type(property["items"]);
  if (out == "object" && property["additionalProperties"]) {
    return "map of " + upstream_type(property["additionalProperties"]);
  }
  if (property["format"]) out += join({"/", property["format"].string()});
  return out;
}

std::string upstream(json::Node property) {
  std::string out = upstream_type(property);
  if (property["type"].string() == "array") {
    out += join({", ", property["x-kubernetes-list-type"].string("atomic")});
    std::string keys;
    for (json::Node key : property["x-kubernetes-list-map-keys"]) {
      keys += join({keys.empty() ? "" : ",", key.string()});
    }
    if (!keys.empty()) out += " by " + keys;
  }
  const json::Node strategy = property["x-kubernetes-patch-strategy"];
  if (strategy) out += join({", strategy ", strategy.string()});
  const json::Node key = property["x-kubernetes-patch-merge-key"];
  if (key) out += join({", merge key ", key.string()});
  return out;
}

std::string_view short_name(std::string_view definition) {
  return definition.substr(definition.rfind('.') + 1);
}

class SchemaComparison {
 public:
  explicit SchemaComparison(json::Node definitions) : definitions_(definitions) {}

  void compare(const Message& message) {
    const json::Node definition = definitions_[message.definition];
    const std::string name(short_name(message.definition));
    if (!definition) return differ(name, "is declared here", "is unknown upstream");
    std::map<std::string, std::string> here;
    std::map<std::string, std::string> there;
    std::set<std::string> required_here;
    std::set<std::string> required_there;
    for (const Field& field : message.fields) {
      EXPECT_TRUE(here.emplace(std::string(field.name), ours(field)).second)
          << name << "." << std::string_view(field.name);
      if (field.is_required || field.is_listed) required_here.insert(std::string(field.name));
    }
    for (json::Node property : definition["properties"]) {
      there.emplace(std::string(property.key()), upstream(property));
    }
    for (json::Node field : definition["required"])
      required_there.insert(std::string(field.string()));
    for (const auto& [field, text] : here) {
      const auto other = there.find(field);
      if (other == there.end()) differ(name + "." + field, text, "absent");
      if (other != there.end() && other->second != text)
        differ(name + "." + field, text, other->second);
    }
    for (const auto& [field, text] : there) {
      if (!here.contains(field)) differ(name + "." + field, "absent", text);
    }
    for (const std::string& field : required_here) {
      if (!required_there.contains(field))
        differ(name + "." + field + " (required)", "required", "optional");
    }
    for (const std::string& field : required_there) {
      if (!required_here.contains(field))
        differ(name + "." + field + " (required)", "optional", "required");
    }
  }

  void finish() const {
    for (const Reviewed& each : kReviewed) {
      EXPECT_TRUE(used_.contains(each.where))
          << each.where << " is reviewed but does not differ any more";
    }
  }

 private:
  void differ(const std::string& where, std::string_view here, std::string_view there) {
    if (is_reviewed(where, used_)) return;
    ADD_FAILURE() << where << "\n  here:     " << here << "\n  upstream: " << there;
  }

  json::Node definitions_;
  std::set<std::string_view> used_;
};

TEST(Schema, IsUpstreamsForEveryServedKind) {
  const std::optional<std::string> text = read_oracle("swagger.json");
  if (!text) GTEST_SKIP() << "skipped: no oracle";
  json::Tree tree;
  const auto document = tree.parse(*text);
  ASSERT_TRUE(document) << document.error().message;
  std::set<const Message*> messages;
  for (const Kind* kind : all_kinds())
    reach(*kind->message, messages);
  for (const Kind* kind : twin_kinds())
    reach(*kind->message, messages);
  for (const Body& body : all_bodies())
    reach(*body.message, messages);
  EXPECT_GT(messages.size(), 100U);
  SchemaComparison comparison((*document)["definitions"]);
  for (const Message* message : messages)
    comparison.compare(*message);
  comparison.finish();
}

// What server-side apply owns as a whole.
TEST(Schema, KnowsUpstreamsAtomicObjects) {
  const std::optional<std::string> text = read_oracle("swagger.json");
  if (!text) GTEST_SKIP() << "skipped: no oracle";
  json::Tree tree;
  const auto document = tree.parse(*text);
  ASSERT_TRUE(document) << document.error().message;
  json::Tree some;
  const json::Node object = some.make_object();
  object.set("x", 1);
  std::set<const Message*> messages;
  for (const Kind* kind : all_kinds())
    reach(*kind->message, messages);
  for (const Kind* kind : twin_kinds())
    reach(*kind->message, messages);
  for (const Message* message : messages) {
    const json::Node definition = (*document)["definitions"][message->definition];
    const bool atomic = definition["x-kubernetes-map-type"].string() == "atomic";
    const FieldType type{nullptr, message, nullptr, true};
    EXPECT_EQ(type.nature(object) == Nature::kWhole, atomic)
        << std::string_view(message->definition);
  }
}

TEST(Schema, HasEveryDefinitionAndNumberOnce) {
  std::set<const Message*> messages;
  for (const Kind* kind : all_kinds())
    reach(*kind->message, messages);
  for (const Kind* kind : twin_kinds())
    reach(*kind->message, messages);
  for (const Body& body : all_bodies())
    reach(*body.message, messages);
  std::set<std::string_view> definitions;
  for (const Message* message : messages) {
    EXPECT_TRUE(definitions.insert(message->definition).second)
        << std::string_view(message->definition);
    std::set<std::pair<int, int>> numbers;
    for (const Field& field : message->fields) {
      const bool in_envelope = field.name == "kind" || field.name == "apiVersion";
      EXPECT_TRUE(field.number != 0 || in_envelope)
          << std::string_view(message->definition) << " " << std::string_view(field.name);
      if (field.number == 0) continue;
      EXPECT_TRUE(numbers.insert({field.embedded_in, field.number}).second)
          << std::string_view(message->definition) << " " << std::string_view(field.name);
    }
  }
}

}  // namespace
}  // namespace coracle::api
