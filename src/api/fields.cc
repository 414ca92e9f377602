// SPDX-License-Identifier: GPL-2.0-or-later
// check_fields: the types of all values against the schema, worded as Go's decoder does
// (sigs.k8s.io/json).
#include <cmath>

#include "api/custom_kinds.h"
#include "api/field_cursor.h"
#include "api/meta.h"
#include "api/place.h"
#include "api/processing.h"
#include "api/structural.h"
#include "base/bytes.h"
#include "base/time.h"

namespace coracle::api {
namespace {

constexpr size_t kUnknownMax = 100;  // names that are repeated to the client; all are removed

std::string_view last_part(std::string_view definition) {
  return definition.substr(definition.rfind('.') + 1);
}

// "io.k8s.api.core.v1.Container" -> "v1.Container"
std::string go_struct(const Message& message) {
  const std::string_view whole = message.definition;
  const size_t name = whole.rfind('.');
  const size_t package = name == std::string_view::npos ? name : whole.rfind('.', name - 1);
  return std::string(package == std::string_view::npos ? whole : whole.substr(package + 1));
}

std::string go_type(const Field& field) {
  switch (field.type) {
    case Type::kString:
      return "string";
    case Type::kInt32:
      return "int32";
    case Type::kInt64:
      return "int64";
    case Type::kBoolean:
      return "bool";
    case Type::kDouble:
      return "float64";
    case Type::kBytes:
      return "[]uint8";
    case Type::kTime:
      return "v1.Time";
    case Type::kMicroTime:
      return "v1.MicroTime";
    case Type::kQuantity:
      return "resource.Quantity";
    case Type::kIntOrString:
      return "intstr.IntOrString";
    case Type::kObject:
      return go_struct(*field.message);
    case Type::kRaw:
    case Type::kExtension:
      return "runtime.RawExtension";
    case Type::kStrings:
      return "[]string";
  }
  return {};
}

std::string go_value(json::Node value) {
  if (value.is_string()) return "string";
  if (value.is_boolean()) return "bool";
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  if (value.is_null()) return "null";
  return "number " + json::write(value);
}

bool is_base64(std::string_view text) {
  if (text.size() % 4 != 0) return false;
  size_t end = text.size();
  for (int i = 0; i < 2 && end > 0 && text[end - 1] == '='; i++)
    end--;
  for (const char c : text.substr(0, end)) {
    const bool fits = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                      c == '+' || c == '/';
    if (!fits) return false;
  }
  return true;
}

bool fits_integer(json::Node value, double most) {
  if (!value.is_integer()) return false;
  const double number = value.number();
  return number >= -most - 1 && number <= most;
}

bool all_strings(json::Node list) {
  for (json::Node child : list) {
    if (!child.is_string()) return false;
  }
  return list.is_array();
}

bool fits(const Field& field, json::Node value) {
  switch (field.type) {
    case Type::kString:
    case Type::kBytes:
    case Type::kTime:
    case Type::kMicroTime:
      return value.is_string();
    case Type::kInt32:
      return fits_integer(value, INT32_MAX);
    case Type::kInt64:
      return value.is_integer();
    case Type::kBoolean:
      return value.is_boolean();
    case Type::kDouble:
      return value.is_number();
    case Type::kQuantity:
      return value.is_string() || value.is_number();
    case Type::kIntOrString:
      return value.is_string() || fits_integer(value, INT32_MAX);
    case Type::kObject:
      return value.is_object();
    case Type::kRaw:
    case Type::kExtension:
      return true;
    case Type::kStrings:
      return all_strings(value);
  }
  return false;
}

class FieldWalk {
 public:
  Result<> object(const Message& message, json::Node object, const Place* place) {
    FieldCursor fields(message);
    for (json::Node child : object) {
      const Field* field = fields.find(child.key());
      if (field == nullptr) {
        TRY(unknown(object, child, place));
      } else if (child.is_null()) {
        object.remove_child(child);
      } else {
        const Place here = Place::field(place, field->name);
        TRY(value(message, *field, child, here));
        if (leaves_out(*field, child)) object.remove_child(child);
      }
    }
    return {};
  }

  std::vector<std::string> unknown_fields() && { return std::move(unknown_); }

 private:
  // Go's omitempty: whoever takes the last label away leaves no "labels": {}.
  static bool leaves_out(const Field& field, json::Node value) {
    return field.shape != Shape::kOne && value.size() == 0 && !field.is_required &&
           !field.is_listed;
  }

  Result<> unknown(json::Node object, json::Node child, const Place* place) {
    // kind and apiVersion are in every top-level body, declared or not.
    const bool type_meta =
        place == nullptr && (child.key() == "kind" || child.key() == "apiVersion");
    if (type_meta && child.is_string()) return {};
    if (type_meta && !child.is_null()) {
      return fail(Code::kBadRequest,
                  join({"json: cannot unmarshal ", go_value(child),
                        " into Go struct field TypeMeta.", child.key(), " of type string"}));
    }
    const Place here = Place::field(place, child.key());
    if (unknown_.size() < kUnknownMax)
      unknown_.push_back(join({"unknown field \"", here.json_path(), "\""}));
    object.remove_child(child);
    return {};
  }

  Result<> value(const Message& message, const Field& field, json::Node value, const Place& place) {
    if (field.shape == Shape::kOne) return one(message, field, value, place);
    const bool list = field.shape == Shape::kList;
    if (list ? !value.is_array() : !value.is_object()) {
      return mismatch(message, value, place, join({list ? "[]" : "map[string]", go_type(field)}));
    }
    size_t index = 0;
    for (json::Node child : value) {
      const Place here = list ? Place::item(&place, index++) : Place::key(&place, child.key());
      if (child.is_null()) {
        fill_zero(field, value, child);
      } else {
        TRY(one(message, field, child, here));
      }
    }
    return {};
  }

  Result<> one(const Message& message, const Field& field, json::Node value, const Place& place) {
    if (!fits(field, value)) return mismatch(message, value, place, go_type(field));
    if (field.type == Type::kObject) return object(*field.message, value, &place);
    if (field.type == Type::kBytes) return base64(value, place);
    if (field.type == Type::kTime || field.type == Type::kMicroTime) return time(value, place);
    return {};
  }

  static Result<> time(json::Node value, const Place& place) {
    if (parse_rfc3339(value.string())) return {};
    return fail(
        Code::kBadRequest,
        join({place.json_path(), ": cannot parse the time as \"2006-01-02T15:04:05Z07:00\""}));
  }

  // Go skips line breaks in base64, and YAML block scalars end in one.
  static Result<> base64(json::Node value, const Place& place) {
    if (is_base64(value.string())) return {};
    std::string text;
    for (const char c : value.string()) {
      if (c != '\n' && c != '\r') text += c;
    }
    if (!is_base64(text)) {
      return fail(Code::kBadRequest, join({place.json_path(), ": illegal base64 data"}));
    }
    json::Tree tree;
    json::Node holder = tree.make_object();
    value.replace_with(holder.set("text", text));
    return {};
  }

  // A null element becomes the zero value of its type, as in Go.
  static void fill_zero(const Field& field, json::Node parent, json::Node child) {
    json::Tree tree;
    json::Node holder = tree.make_object();
    json::Node zero;
    switch (field.type) {
      case Type::kObject:
        zero = holder.object("zero");
        break;
      case Type::kInt32:
      case Type::kInt64:
      case Type::kDouble:
      case Type::kIntOrString:
        zero = holder.set("zero", 0);
        break;
      case Type::kBoolean:
        zero = holder.set("zero", false);
        break;
      case Type::kQuantity:
        zero = holder.set("zero", "0");
        break;
      case Type::kString:
      case Type::kBytes:
        zero = holder.set("zero", "");
        break;
      case Type::kStrings:
        zero = holder.array("zero");
        break;
      case Type::kTime:
      case Type::kMicroTime:
        parent.remove_child(child);
        return;
      case Type::kRaw:
      case Type::kExtension:
        return;
    }
    child.replace_with(zero);
  }

  static Error mismatch(const Message& message,
                        json::Node value,
                        const Place& place,
                        std::string_view type) {
    return fail(Code::kBadRequest,
                join({"json: cannot unmarshal ", go_value(value), " into Go struct field ",
                      last_part(message.definition), ".", place.go_path(), " of type ", type}));
  }

  std::vector<std::string> unknown_;
};

}  // namespace

Result<std::vector<std::string>> check_fields(const Message& message, json::Node object) {
  if (!object.is_object()) {
    return fail(Code::kBadRequest, join({"json: cannot unmarshal ", go_value(object),
                                         " into Go value of type ", go_struct(message)}));
  }
  FieldWalk walk;
  TRY(walk.object(message, object, nullptr));
  return std::move(walk).unknown_fields();
}

Result<std::vector<std::string>> check_fields(const Kind& kind, json::Node object) {
  const CustomKind* own = custom(kind);
  if (own == nullptr) return check_fields(*kind.message, object);
  if (!object.is_object()) return check_fields(*kind.message, object);
  // The metadata is typed as that of every kind.
  std::vector<std::string> unknown;
  if (const json::Node metadata = object["metadata"]; metadata) {
    if (!metadata.is_object()) return fail(Code::kBadRequest, "metadata must be an object");
    unknown = TRY(check_fields(kObjectMeta, metadata));
    for (std::string& each : unknown)
      each.insert(each.find('"') + 1, "metadata.");
  }
  json::Tree tree;
  if (const Result<json::Node> schema = tree.parse(own->schema_text); schema)
    prune_custom(*schema, object, unknown);
  return unknown;
}

}  // namespace coracle::api
