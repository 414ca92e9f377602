// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kinds/data.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr size_t kKeyBytesMax = 253;
constexpr std::string_view kFrozen = "field is immutable when `immutable` is set";

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

size_t decoded_bytes(std::string_view text) {
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  return text.size() / 4 * 3 - std::min(padding, text.size() / 4 * 3);
}

// An empty map and none are the same.
bool same_values(json::Node a, json::Node b) {
  return a.size() + b.size() == 0 || json::equal(a, b);
}

}  // namespace

void check_data_key(std::string_view key, std::string_view path, Errors& errors) {
  if (key.size() > kKeyBytesMax) errors.invalid(path, key, "must be no more than 253 characters");
  if (key.empty() || !std::all_of(key.begin(), key.end(), is_key_character)) {
    errors.invalid(path, key,
                   "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
                   "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                   "'[-._a-zA-Z0-9]+')");
  }
  if (key == ".") errors.invalid(path, key, "must not be '.'");
  if (key == "..") errors.invalid(path, key, "must not be '..'");
  if (key.starts_with("..") && key != "..") errors.invalid(path, key, "must not start with '..'");
}

size_t data_bytes(json::Node map) {
  size_t bytes = 0;
  for (json::Node value : map)
    bytes += value.string().size();
  return bytes;
}

size_t base64_data_bytes(json::Node map) {
  size_t bytes = 0;
  for (json::Node value : map)
    bytes += decoded_bytes(value.string());
  return bytes;
}

void check_frozen(json::Node object,
                  json::Node old,
                  std::initializer_list<std::string_view> names,
                  Errors& errors) {
  if (!old["immutable"].boolean()) return;
  if (!object["immutable"].boolean()) errors.forbidden("immutable", kFrozen);
  for (std::string_view name : names) {
    if (!same_values(object[name], old[name])) errors.forbidden(name, kFrozen);
  }
}

}  // namespace coracle::api
