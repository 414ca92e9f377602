// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/kinds/data.h"
#include "api/meta.h"
#include "base/bytes.h"
#include "base/limits.h"

namespace coracle::api {
namespace {

constexpr Field kSecretFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    map_of("data", 2, Type::kBytes).about("Values by key, in base64."),
    text("type", 3)
        .otherwise("\"Opaque\"")
        .about("What the data is for; some types demand certain keys."),
    map_of("stringData", 4, Type::kString)
        .about("Write-only convenience: plain values that are folded into data when written."),
    boolean("immutable", 5).about("If true, data can never change again."),
};
constexpr Message kSecretMessage{"io.k8s.api.core.v1.Secret", kSecretFields,
                                 "Secret holds a small amount of confidential data by key."};

void type_cell(json::Node object, Wall, json::Writer& out) {
  out.value(object["type"].string());
}

void data_cell(json::Node object, Wall, json::Writer& out) {
  out.value(static_cast<int64_t>(object["data"].size()));
}

constexpr Column kColumns[] = {
    {.name = "Type", .cell = type_cell, .description = "What the data is for."},
    {.name = "Data", .cell = data_cell, .type = "integer", .description = "Number of keys."},
    kAgeColumn,
};

constexpr SelectableField kSelectable[] = {
    {"type", [](json::Node object) { return std::string(object["type"].string()); }},
};

// stringData is write-only: it ends up in data, and wins over it.
void prepare(json::Node object, json::Node) {
  for (json::Node plain : object["stringData"])
    object.object("data").set(plain.key(), base64(plain.string()));
  object.remove("stringData");
}

// What a type demands of the data: any one of `keys`.
struct TypeRule {
  std::string_view type;
  std::string_view keys;  // '|'-separated
  bool is_json = false;
};
constexpr TypeRule kTypeRules[] = {
    {"kubernetes.io/dockercfg", ".dockercfg", true},
    {"kubernetes.io/dockerconfigjson", ".dockerconfigjson", true},
    {"kubernetes.io/basic-auth", "username|password"},
    {"kubernetes.io/ssh-auth", "ssh-privatekey"},
};

void check_json_value(json::Node data, std::string_view key, Errors& errors) {
  json::Tree scratch;
  const std::optional<std::string> text = from_base64(data[key].string());
  if (text && scratch.parse(*text)) return;
  errors.invalid(entry("data", key), "<secret contents redacted>", "must be JSON");
}

void check_type_rule(const TypeRule& rule, json::Node data, Errors& errors) {
  const std::vector<std::string_view> keys = split(rule.keys, '|');
  for (std::string_view key : keys) {
    if (data[key]) return rule.is_json ? check_json_value(data, key, errors) : void();
  }
  for (std::string_view key : keys)
    errors.required(entry("data", key));
}

void check_type(json::Node object, Errors& errors) {
  constexpr std::string_view kAccount = "kubernetes.io/service-account.name";
  const std::string_view type = object["type"].string();
  const json::Node data = object["data"];
  for (const TypeRule& rule : kTypeRules) {
    if (rule.type == type) check_type_rule(rule, data, errors);
  }
  if (type == "kubernetes.io/service-account-token" &&
      object["metadata"]["annotations"][kAccount].string().empty())
    errors.required(entry("metadata.annotations", kAccount));
  if (type != "kubernetes.io/tls") return;
  for (std::string_view key : {"tls.crt", "tls.key"}) {
    if (!data[key]) errors.required(entry("data", key));
  }
}

void validate(json::Node object, Errors& errors) {
  const json::Node data = object["data"];
  for (json::Node value : data)
    check_data_key(value.key(), entry("data", value.key()), errors);
  if (base64_data_bytes(data) > limits::kConfigMapBytesMax)
    errors.too_long("data", limits::kConfigMapBytesMax);
  check_type(object, errors);
}

void validate_update(json::Node object, json::Node old, Errors& errors) {
  check_immutable(object["type"], old["type"], "type", errors);
  check_frozen(object, old, {"data"}, errors);
}

}  // namespace

constinit const Kind kSecret{.group = "",
                             .version = "v1",
                             .name = "Secret",
                             .plural = "secrets",
                             .singular = "secret",
                             .message = &kSecretMessage,
                             .columns = kColumns,
                             .selectable = kSelectable,
                             .prepare = prepare,
                             .validate = validate,
                             .validate_update = validate_update};

}  // namespace coracle::api
