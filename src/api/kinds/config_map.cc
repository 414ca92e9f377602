// SPDX-License-Identifier: GPL-2.0-or-later
#include <set>

#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/data.h"
#include "api/meta.h"
#include "base/bytes.h"
#include "base/limits.h"

namespace coracle::api {
namespace {

constexpr Field kConfigMapFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    map_of("data", 2, Type::kString)
        .about("Values in UTF-8 by key; a key may appear here or in binaryData, not in both."),
    map_of("binaryData", 3, Type::kBytes).about("Values that are not UTF-8, by key, in base64."),
    boolean("immutable", 4).about("If true, data and binaryData can never change again."),
};
constexpr Message kConfigMapMessage{
    "io.k8s.api.core.v1.ConfigMap", kConfigMapFields,
    "ConfigMap holds configuration that Pods read as files or environment variables."};

void data_cell(json::Node object, Wall, json::Writer& out) {
  out.value(static_cast<int64_t>(object["data"].size() + object["binaryData"].size()));
}

constexpr Column kColumns[] = {
    {.name = "Data", .cell = data_cell, .type = "integer", .description = "Number of keys."},
    kAgeColumn,
};

void check_keys(json::Node object, std::string_view name, std::string_view other, Errors& errors) {
  std::set<std::string_view> others;
  for (json::Node value : object[other])
    others.insert(value.key());
  for (json::Node value : object[name]) {
    const std::string path = entry(name, value.key());
    check_data_key(value.key(), path, errors);
    if (others.contains(value.key()))
      errors.invalid(path, value.key(), join({"duplicate of key present in ", other}));
  }
}

void validate(json::Node object, Errors& errors) {
  check_keys(object, "data", "binaryData", errors);
  check_keys(object, "binaryData", "data", errors);
  const size_t bytes = data_bytes(object["data"]) + base64_data_bytes(object["binaryData"]);
  if (bytes > limits::kConfigMapBytesMax) errors.too_long("", limits::kConfigMapBytesMax);
}

void validate_update(json::Node object, json::Node old, Errors& errors) {
  check_frozen(object, old, {"data", "binaryData"}, errors);
}

}  // namespace

constinit const Kind kConfigMap{.group = "",
                                .version = "v1",
                                .name = "ConfigMap",
                                .plural = "configmaps",
                                .singular = "configmap",
                                .short_names = "cm",
                                .message = &kConfigMapMessage,
                                .columns = kColumns,
                                .validate = validate,
                                .validate_update = validate_update};

}  // namespace coracle::api
