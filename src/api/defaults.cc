// SPDX-License-Identifier: GPL-2.0-or-later
// apply_defaults: declared defaults of absent fields, and canonical text for quantities and times.
#include "api/custom_kinds.h"
#include "api/field_cursor.h"
#include "api/processing.h"
#include "api/quantity.h"
#include "api/structural.h"
#include "base/bytes.h"
#include "base/time.h"

namespace coracle::api {
namespace {

// Go leaves it out when it writes JSON, so no stored text has it: clients of both kinds then agree.
bool is_plain_zero(const Field& field, json::Node value) {
  if (!field.zero_is_absent) return false;
  return value.is_number() ? value.number() == 0 : value.is_boolean() && !value.boolean();
}

bool is_absent(const Field& field, json::Node value) {
  if (!value || (value.is_string() && value.string().empty())) return true;
  return is_plain_zero(field, value);
}

class DefaultsWalk {
 public:
  void object(const Message& message, json::Node object) {
    FieldCursor fields(message);
    for (json::Node child : object) {
      const Field* field = fields.find(child.key());
      if (field == nullptr) continue;
      if (is_plain_zero(*field, child)) {
        if (field->default_json.empty()) object.remove_child(child);
      } else {
        value(*field, child);
      }
    }
    for (const Field& field : message.fields) {
      if (field.default_json.empty() || !is_absent(field, object[field.name])) continue;
      const json::Node made = set(object, field);
      if (field.type == Type::kObject) value(field, made);
    }
  }

 private:
  // The common defaults are words and numbers: no parser for those.
  json::Node set(json::Node object, const Field& field) {
    const std::string_view text = field.default_json;
    if (text == "true" || text == "false") return object.set(field.name, text == "true");
    if (const std::optional<int64_t> number = parse_signed(text))
      return object.set(field.name, *number);
    const bool plain = text.front() == '"' && text.find('\\') == std::string_view::npos;
    if (plain) return object.set(field.name, text.substr(1, text.size() - 2));
    const Result<json::Node> node = scratch_.parse(text);
    ASSERT(node);  // a constant of the kind table
    return object.set(field.name, *node);
  }

  void value(const Field& field, json::Node value) {
    if (field.type == Type::kString) return;
    if (field.shape == Shape::kOne) return one(field, value);
    for (json::Node child : value)
      one(field, child);
  }

  void one(const Field& field, json::Node value) {
    switch (field.type) {
      case Type::kObject:
        return object(*field.message, value);
      case Type::kQuantity:
        return quantity(field, value);
      case Type::kTime:
      case Type::kMicroTime:
        return time(field, value);
      default:
        return;
    }
  }

  // Malformed text is left for validation to refuse.
  void quantity(const Field& field, json::Node value) {
    std::string number;
    if (!value.is_string()) number = json::write(value);
    const std::string_view text = value.is_string() ? value.string() : std::string_view(number);
    // Maps of quantities are ResourceLists, of which core/v1 rounds every entry.
    const auto canonical =
        field.shape == Shape::kMap ? canonical_resource(text) : canonical_quantity(text);
    if (canonical && (!value.is_string() || *canonical != text)) replace(value, *canonical);
  }

  void time(const Field& field, json::Node value) {
    const std::string_view text = value.string();
    const bool micro = field.type == Type::kMicroTime;
    if (text.size() == (micro ? 27 : 20) && text.back() == 'Z') return;
    const std::optional<Wall> at = parse_rfc3339(text);
    if (at) replace(value, micro ? rfc3339_micro(*at) : rfc3339(*at));
  }

  void replace(json::Node value, std::string_view text) {
    value.replace_with(scratch_.make_object().set("text", text));
  }

  json::Tree scratch_;
};

}  // namespace

void apply_defaults(const Message& message, json::Node object) {
  DefaultsWalk().object(message, object);
}

void apply_defaults(const Kind& kind, json::Node object) {
  if (const CustomKind* own = custom(kind); own != nullptr) {
    json::Tree tree;
    if (const Result<json::Node> schema = tree.parse(own->schema_text); schema)
      default_custom(*schema, object);
  }
  apply_defaults(*kind.message, object);
  if (kind.fill_defaults != nullptr) kind.fill_defaults(object);
}

}  // namespace coracle::api
