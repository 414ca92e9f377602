// SPDX-License-Identifier: GPL-2.0-or-later
// What ConfigMap and Secret have in common: values by key, and the switch that freezes them.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "api/errors.h"
#include "json/tree.h"

namespace coracle::api {

void check_data_key(std::string_view key, std::string_view path, Errors& errors);
size_t data_bytes(json::Node map);         // of plain values
size_t base64_data_bytes(json::Node map);  // of values in base64, decoded
// Once `immutable` is true, neither it nor the named fields may change.
void check_frozen(json::Node object,
                  json::Node old,
                  std::initializer_list<std::string_view> names,
                  Errors& errors);

}  // namespace coracle::api
