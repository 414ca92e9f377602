// SPDX-License-Identifier: GPL-2.0-or-later
// validate_*: everything that the schema declares and the hooks of the kind, all errors at once.
#include <algorithm>

#include "api/custom_kinds.h"
#include "api/field_cursor.h"
#include "api/kinds/checks.h"
#include "api/metadata.h"
#include "api/place.h"
#include "api/processing.h"
#include "api/quantity.h"
#include "api/structural.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/time.h"

namespace coracle::api {
namespace {

constexpr std::string_view kQuantityWords =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
constexpr std::string_view kTimeWords =
    "must be a time as RFC 3339 writes it, such as 2006-01-02T15:04:05Z";

bool is_empty(json::Node value) {
  if (value.is_string()) return value.string().empty();
  return !value || (value.is_array() && !value.first());
}

class SchemaRules {
 public:
  explicit SchemaRules(Errors& errors) : errors_(errors) {}

  // Whole objects, except that in `status` only formats count: Go fills what its writers leave out
  // with zeros, and upstream does not look.
  void root(const Message& message, json::Node object) {
    for (json::Node child : object) {
      const Field* field = message.find(child.key());
      if (field == nullptr) continue;
      formats_only_ = field->name == "status" && field->type == Type::kObject;
      value(*field, child, Place::field(nullptr, field->name));
    }
    formats_only_ = false;
    required_fields(message, object, nullptr);
  }

  void one_field(const Message& message, json::Node object, std::string_view name) {
    const Field* field = message.find(name);
    if (field == nullptr || !object[name]) return;
    formats_only_ = name == "status";
    value(*field, object[name], Place::field(nullptr, field->name));
    formats_only_ = false;
  }

 private:
  void object(const Message& message, json::Node object, const Place& place) {
    FieldCursor fields(message);
    for (json::Node child : object) {
      const Field* field = fields.find(child.key());
      if (field != nullptr) value(*field, child, Place::field(&place, field->name));
    }
    required_fields(message, object, &place);
  }

  void required_fields(const Message& message, json::Node object, const Place* place) {
    if (formats_only_) return;
    for (const Field& field : message.fields) {
      if (field.is_required && is_empty(object[field.name])) {
        errors_.required(Place::field(place, field.name).path());
      }
    }
  }

  void value(const Field& field, json::Node value, const Place& place) {
    size_t index = 0;
    switch (field.shape) {
      case Shape::kOne:
        one(field, value, place);
        break;
      case Shape::kList:
        for (json::Node child : value)
          one(field, child, Place::item(&place, index++));
        if (field.unique && !formats_only_) distinct(field, value, place);
        break;
      case Shape::kMap:
        for (json::Node child : value)
          one(field, child, Place::key(&place, child.key()));
        break;
    }
    const bool checked =
        field.check != nullptr && !formats_only_ && !(value.is_string() && is_empty(value));
    if (checked) field.check(value, place.path(), errors_);
  }

  void one(const Field& field, json::Node value, const Place& place) {
    switch (field.type) {
      case Type::kObject:
        return object(*field.message, value, place);
      case Type::kString:
        return closed_set(field, value, place);
      case Type::kQuantity:
        if (!canonical_quantity(value.string()))
          errors_.invalid(place.path(), value, kQuantityWords);
        return;
      case Type::kTime:
      case Type::kMicroTime:
        if (!parse_rfc3339(value.string())) errors_.invalid(place.path(), value, kTimeWords);
        return;
      default:
        return;
    }
  }

  void closed_set(const Field& field, json::Node value, const Place& place) {
    if (field.values().empty() || formats_only_ || value.string().empty()) return;
    if (!is_one_of(value.string(), field.values()))
      errors_.not_supported(place.path(), value, field.values());
  }

  // Sorted, so that long lists are not compared pair by pair.
  void distinct(const Field& field, json::Node list, const Place& place) {
    if (!list.first() || !list.first().next()) return;
    struct Keyed {
      std::string key;
      size_t index;
      json::Node item;
    };
    std::vector<Keyed> items;
    const std::vector<std::string_view> names = split(field.keys(), ',');
    for (json::Node item : list) {
      std::string key = field.type == Type::kObject ? std::string() : json::write(item);
      for (std::string_view name : names)
        key += item[name] ? json::write(item[name]) + ',' : ",";
      items.push_back({std::move(key), items.size(), item});
    }
    std::stable_sort(items.begin(), items.end(),
                     [](const Keyed& a, const Keyed& b) { return a.key < b.key; });
    for (size_t i = 1; i < items.size(); i++) {
      if (items[i].key != items[i - 1].key) continue;
      const Place item = Place::item(&place, items[i].index);
      if (field.type == Type::kObject && names.size() == 1)
        errors_.duplicate(Place::field(&item, names[0]).path(), items[i].item[names[0]]);
      else
        errors_.duplicate(item.path(), items[i].item);
    }
  }

  Errors& errors_;
  bool formats_only_ = false;
};

size_t count_nodes(json::Node node) {
  size_t count = 1;
  for (json::Node child : node)
    count += count_nodes(child);
  return count;
}

// Stored text must always parse again, with room for what the server adds.
void check_size(json::Node object, Errors& errors) {
  constexpr size_t kMost = limits::kJsonNodesMax - 4096;
  const size_t count = count_nodes(object);
  if (count > kMost) errors.too_many("", count, kMost);
}

Result<> outcome(const Kind& kind, json::Node object, const Errors& errors) {
  if (errors.empty()) return {};
  return errors.to_error(group_kind(kind), object["metadata"]["name"].string());
}

}  // namespace

namespace {

void check_custom(const Kind& kind, json::Node object, Errors& errors) {
  const CustomKind* own = custom(kind);
  json::Tree tree;
  if (own == nullptr) return;
  if (const Result<json::Node> schema = tree.parse(own->schema_text); schema)
    validate_custom(*schema, object, errors);
}

}  // namespace

Result<> validate_create(const Kind& kind, json::Node object) {
  Errors errors;
  validate_metadata(kind, object["metadata"], errors);
  SchemaRules(errors).root(*kind.message, object);
  check_size(object, errors);
  check_custom(kind, object, errors);
  if (kind.validate != nullptr) kind.validate(object, errors);
  return outcome(kind, object, errors);
}

Result<> validate_update(const Kind& kind, json::Node object, json::Node old) {
  Errors errors;
  validate_metadata_update(object.object("metadata"), old["metadata"], errors);
  validate_metadata(kind, object["metadata"], errors);
  SchemaRules(errors).root(*kind.message, object);
  check_size(object, errors);
  check_custom(kind, object, errors);
  if (kind.validate != nullptr) kind.validate(object, errors);
  if (kind.validate_update != nullptr) kind.validate_update(object, old, errors);
  return outcome(kind, object, errors);
}

Result<> validate_status_update(const Kind& kind, json::Node object, json::Node old) {
  Errors errors;
  validate_metadata_update(object.object("metadata"), old["metadata"], errors);
  validate_metadata(kind, object["metadata"], errors);
  SchemaRules rules(errors);
  rules.one_field(*kind.message, object, "metadata");
  rules.one_field(*kind.message, object, "status");
  check_size(object, errors);
  check_custom(kind, object, errors);
  if (kind.validate_status != nullptr) kind.validate_status(object, old, errors);
  return outcome(kind, object, errors);
}

}  // namespace coracle::api
