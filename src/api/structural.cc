// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/structural.h"

#include <cmath>
#include <set>

#include "api/place.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr std::string_view kPreserve = "x-kubernetes-preserve-unknown-fields";
constexpr std::string_view kEmbedded = "x-kubernetes-embedded-resource";
constexpr std::string_view kIntOrString = "x-kubernetes-int-or-string";
constexpr std::string_view kRules = "x-kubernetes-validations";
constexpr size_t kWarningsMax = 2048;

bool is_frame(std::string_view key) {
  return key == "kind" || key == "apiVersion" || key == "metadata";
}

// The schema of one member; a null Node if none is declared.
json::Node member_schema(json::Node schema, std::string_view name) {
  const json::Node declared = schema["properties"][name];
  if (declared) return declared;
  const json::Node more = schema["additionalProperties"];
  return more.is_object() ? more : json::Node();
}

bool takes_anything(json::Node schema) {
  return schema["additionalProperties"].is_boolean() && schema["additionalProperties"].boolean();
}

class Pruning {
 public:
  explicit Pruning(std::vector<std::string>& unknown) : unknown_(unknown) {}

  void value(json::Node schema, json::Node value, const Place* place, bool resource) {
    if (value.is_array()) {
      size_t index = 0;
      for (const json::Node child : value) {
        const Place here = Place::item(place, index++);
        if (schema["items"].is_object()) this->value(schema["items"], child, &here, false);
      }
    } else if (value.is_object()) {
      members(schema, value, place, resource || schema[kEmbedded].boolean());
    }
  }

 private:
  void members(json::Node schema, json::Node object, const Place* place, bool resource) {
    const bool keeps = schema[kPreserve].boolean() || takes_anything(schema);
    for (const json::Node child : object) {
      if (resource && is_frame(child.key())) continue;
      const Place here = Place::field(place, child.key());
      const json::Node below = member_schema(schema, child.key());
      if (below) {
        value(below, child, &here, false);
      } else if (!keeps) {
        if (unknown_.size() < 100)
          unknown_.push_back(join({"unknown field \"", here.json_path(), "\""}));
        object.remove_child(child);
      }
    }
  }

  std::vector<std::string>& unknown_;
};

void fill(json::Node schema, json::Node value) {
  if (value.is_array()) {
    for (const json::Node child : value)
      fill(schema["items"], child);
    return;
  }
  if (!value.is_object()) return;
  for (const json::Node property : schema["properties"]) {
    const json::Node given = value[property.key()];
    const json::Node otherwise = property["default"];
    // A null that may not be null counts as absent.
    const bool absent = !given || (given.is_null() && !property["nullable"].boolean());
    if (absent && otherwise && !otherwise.is_null()) value.set(property.key(), otherwise);
    if (const json::Node now = value[property.key()]; now) fill(property, now);
  }
  const json::Node more = schema["additionalProperties"];
  if (!more.is_object()) return;
  for (const json::Node child : value) {
    if (!schema["properties"][child.key()]) fill(more, child);
  }
}

std::string_view type_of(json::Node value) {
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  if (value.is_string()) return "string";
  if (value.is_boolean()) return "boolean";
  if (value.is_integer()) return "integer";
  if (value.is_number()) return "number";
  return "null";
}

class Validation {
 public:
  explicit Validation(Errors& errors) : errors_(errors) {}

  void value(json::Node schema, json::Node value, std::string_view path) {
    if (value.is_null() && schema["nullable"].boolean()) return;
    if (!check_type(schema, value, path)) return;
    check_enum(schema, value, path);
    if (value.is_number()) check_number(schema, value, path);
    if (value.is_string()) check_text(schema, value, path);
    if (value.is_array()) check_list(schema, value, path);
    if (value.is_object()) check_object(schema, value, path);
    check_junctors(schema, value, path);
  }

 private:
  bool check_type(json::Node schema, json::Node value, std::string_view path) {
    const std::string_view is = type_of(value);
    if (schema[kIntOrString].boolean()) {
      if (is == "integer" || is == "string") return true;
      errors_.invalid(path, is,
                      join({path, " in body must be of type integer,string: \"", is, "\""}));
      return false;
    }
    const std::string_view wanted = schema["type"].string();
    if (wanted.empty() || wanted == is || (wanted == "number" && is == "integer")) return true;
    errors_.invalid(path, is, join({path, " in body must be of type ", wanted, ": \"", is, "\""}));
    return false;
  }

  void check_enum(json::Node schema, json::Node value, std::string_view path) {
    const json::Node list = schema["enum"];
    if (!list.is_array()) return;
    std::string names;
    for (const json::Node each : list) {
      if (json::equal(each, value)) return;
      if (!names.empty()) names += "|";
      names += each.is_string() ? std::string(each.string()) : json::write(each);
    }
    errors_.not_supported(path, value, names);
  }

  void check_number(json::Node schema, json::Node value, std::string_view path) {
    const double number = value.number();
    const json::Node least = schema["minimum"];
    const json::Node most = schema["maximum"];
    const bool above = schema["exclusiveMinimum"].boolean();
    const bool below = schema["exclusiveMaximum"].boolean();
    if (least && (above ? number <= least.number() : number < least.number()))
      errors_.invalid(path, value,
                      join({path, " in body should be greater than ", above ? "" : "or equal to ",
                            json::write(least)}));
    if (most && (below ? number >= most.number() : number > most.number()))
      errors_.invalid(path, value,
                      join({path, " in body should be less than ", below ? "" : "or equal to ",
                            json::write(most)}));
    const double step = schema["multipleOf"].number();
    if (step > 0 && std::fabs(std::remainder(number, step)) > 1e-9)
      errors_.invalid(
          path, value,
          join({path, " in body should be a multiple of ", json::write(schema["multipleOf"])}));
  }

  static size_t characters(std::string_view text) {
    size_t count = 0;
    for (const char c : text)
      count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    return count;
  }

  void check_text(json::Node schema, json::Node value, std::string_view path) {
    const size_t size = characters(value.string());
    const json::Node least = schema["minLength"];
    const json::Node most = schema["maxLength"];
    if (least && size < static_cast<size_t>(least.integer()))
      errors_.invalid(
          path, value,
          join({path, " in body should be at least ", json::write(least), " chars long"}));
    if (most && size > static_cast<size_t>(most.integer()))
      errors_.too_long(path, static_cast<size_t>(most.integer()));
  }

  void check_list(json::Node schema, json::Node value, std::string_view path) {
    const json::Node least = schema["minItems"];
    const json::Node most = schema["maxItems"];
    if (least && value.size() < static_cast<size_t>(least.integer()))
      errors_.invalid(path, static_cast<int64_t>(value.size()),
                      join({path, " in body should have at least ", json::write(least), " items"}));
    if (most && value.size() > static_cast<size_t>(most.integer()))
      errors_.too_many(path, value.size(), static_cast<size_t>(most.integer()));
    check_distinct(schema, value, path);
    size_t index = 0;
    for (const json::Node child : value) {
      if (schema["items"].is_object()) this->value(schema["items"], child, item(path, index));
      ++index;
    }
  }

  void check_distinct(json::Node schema, json::Node value, std::string_view path) {
    const std::string_view type = schema["x-kubernetes-list-type"].string();
    if (type != "set" && type != "map") return;
    std::set<std::string> seen;
    size_t index = 0;
    for (const json::Node child : value) {
      std::string id;
      if (type == "set") id = json::write(child);
      for (const json::Node key : schema["x-kubernetes-list-map-keys"])
        id += join({json::write(child[key.string()]), "\n"});
      if (!seen.insert(id).second) errors_.duplicate(item(path, index), child);
      ++index;
    }
  }

  void check_object(json::Node schema, json::Node value, std::string_view path) {
    const auto below = [path](std::string_view name) {
      return path.empty() ? std::string(name) : field(path, name);
    };
    for (const json::Node name : schema["required"]) {
      if (!value[name.string()]) errors_.required(below(name.string()));
    }
    const json::Node least = schema["minProperties"];
    const json::Node most = schema["maxProperties"];
    if (least && value.size() < static_cast<size_t>(least.integer()))
      errors_.invalid(
          path, value,
          join({path, " in body should have at least ", json::write(least), " properties"}));
    if (most && value.size() > static_cast<size_t>(most.integer()))
      errors_.too_many(path, value.size(), static_cast<size_t>(most.integer()));
    for (const json::Node child : value) {
      // Kind, apiVersion and metadata of the object itself are known to be good.
      if (path.empty() && is_frame(child.key())) continue;
      const json::Node declared = member_schema(schema, child.key());
      if (declared) this->value(declared, child, below(child.key()));
    }
  }

  static bool passes(json::Node schema, json::Node value, std::string_view path) {
    Errors errors;
    Validation(errors).value(schema, value, path);
    return errors.empty();
  }

  void check_junctors(json::Node schema, json::Node value, std::string_view path) {
    for (const json::Node each : schema["allOf"])
      this->value(each, value, path);
    size_t fitting = 0;
    for (const json::Node each : schema["anyOf"])
      fitting += passes(each, value, path) ? 1 : 0;
    if (schema["anyOf"].size() > 0 && fitting == 0)
      errors_.invalid(path, value,
                      join({path,
                            " in body must validate at least one schema "
                            "(anyOf)"}));
    fitting = 0;
    for (const json::Node each : schema["oneOf"])
      fitting += passes(each, value, path) ? 1 : 0;
    if (schema["oneOf"].size() > 0 && fitting != 1)
      errors_.invalid(path, value,
                      join({path,
                            " in body must validate one and only one schema "
                            "(oneOf)"}));
    if (schema["not"].is_object() && passes(schema["not"], value, path))
      errors_.invalid(path, value, join({path, " in body must not validate the schema (not)"}));
  }

  Errors& errors_;
};

constexpr std::string_view kTypes[] = {"object", "array", "string", "boolean", "integer", "number"};

void check_schema(json::Node schema, std::string_view path, bool root, Errors& errors) {
  if (!schema.is_object()) return errors.invalid(path, schema, "must be a schema");
  const std::string_view type = schema["type"].string();
  const bool free = schema[kPreserve].boolean() || schema[kIntOrString].boolean();
  if (root && type != "object")
    errors.invalid(field(path, "type"), type, "must be object at the root");
  if (!root && type.empty() && !free)
    errors.required(field(path, "type"), "must not be empty for specified object fields");
  bool known = type.empty();
  for (std::string_view each : kTypes)
    known = known || each == type;
  if (!known)
    errors.not_supported(field(path, "type"), schema["type"],
                         "array|boolean|integer|number|object|string");
  for (std::string_view name :
       {"$ref", "definitions", "dependencies", "patternProperties", "additionalItems", "id"}) {
    if (schema[name]) errors.forbidden(field(path, name), join({name, " is not supported"}));
  }
  if (schema["uniqueItems"].boolean())
    errors.forbidden(field(path, "uniqueItems"),
                     "uniqueItems cannot be set to true since the runtime complexity becomes "
                     "quadratic");
  if (schema["properties"] && schema["additionalProperties"])
    errors.forbidden(field(path, "additionalProperties"),
                     "additionalProperties and properties are mutual exclusive");
  const std::string properties = field(path, "properties");
  for (const json::Node property : schema["properties"])
    check_schema(property, entry(properties, property.key()), false, errors);
  if (schema["additionalProperties"].is_object())
    check_schema(schema["additionalProperties"], field(path, "additionalProperties"), false,
                 errors);
  if (type == "array" && !schema["items"])
    errors.required(field(path, "items"), "must be specified");
  if (schema["items"]) check_schema(schema["items"], field(path, "items"), false, errors);
}

void find_unevaluated(json::Node schema, std::string_view path, std::string& out) {
  if (out.size() > kWarningsMax) return;
  if (schema["pattern"])
    out += join({field(path, "pattern"), ": patterns are kept but not checked by Coracle\n"});
  if (schema[kRules].size() > 0)
    out +=
        join({field(path, kRules), ": validation rules are kept but not evaluated by Coracle\n"});
  for (const json::Node property : schema["properties"])
    find_unevaluated(property, entry(field(path, "properties"), property.key()), out);
  for (std::string_view name : {"additionalProperties", "items"}) {
    if (schema[name].is_object()) find_unevaluated(schema[name], field(path, name), out);
  }
}

// "[?(@.type==\"Ready\")]"
json::Node filtered(json::Node list, std::string_view filter) {
  const size_t equals = filter.find("==");
  if (!filter.starts_with("?(@.") || equals == std::string_view::npos) return {};
  const std::string_view name = trim(filter.substr(4, equals - 4));
  std::string_view value = trim(filter.substr(equals + 2));
  if (value.ends_with(')')) value.remove_suffix(1);
  value = trim(value);
  if (value.size() >= 2) value = value.substr(1, value.size() - 2);
  for (const json::Node each : list) {
    if (each[name].string() == value) return each;
  }
  return {};
}

}  // namespace

void check_structural(json::Node schema, std::string_view path, Errors& errors) {
  check_schema(schema, path, true, errors);
}

void warn_of_schema(json::Node schema, std::string_view path, std::string& out) {
  find_unevaluated(schema, path, out);
}

void prune_custom(json::Node schema, json::Node object, std::vector<std::string>& unknown) {
  Pruning(unknown).value(schema, object, nullptr, true);
}

void default_custom(json::Node schema, json::Node object) {
  for (const json::Node property : schema["properties"]) {
    if (is_frame(property.key())) continue;
    if (!object[property.key()] && property["default"])
      object.set(property.key(), property["default"]);
    if (const json::Node now = object[property.key()]; now) fill(property, now);
  }
}

void validate_custom(json::Node schema, json::Node object, Errors& errors) {
  Validation(errors).value(schema, object, {});
}

json::Node at_json_path(json::Node object, std::string_view path) {
  if (path.starts_with("$")) path.remove_prefix(1);
  while (!path.empty() && object) {
    if (path.front() == '.') {
      path.remove_prefix(1);
      std::string name;
      size_t at = 0;
      for (; at < path.size() && path[at] != '.' && path[at] != '['; ++at) {
        if (path[at] == '\\' && at + 1 < path.size()) ++at;
        name += path[at];
      }
      object = object[name];
      path.remove_prefix(at);
    } else if (path.front() == '[') {
      const size_t end = path.find(']');
      if (end == std::string_view::npos) return {};
      const std::string_view inside = path.substr(1, end - 1);
      path.remove_prefix(end + 1);
      if (const std::optional<uint64_t> index = parse_unsigned(inside); index) {
        object = object.at(*index);
      } else if (inside.starts_with("?")) {
        object = filtered(object, inside);
      } else if (inside.size() >= 2) {
        object = object[inside.substr(1, inside.size() - 2)];
      }
    } else {
      return {};
    }
  }
  return object;
}

}  // namespace coracle::api
