// SPDX-License-Identifier: GPL-2.0-or-later
// resource.Quantity: decimal fixed point, compared by value, canonical text as apimachinery
// pkg/api/resource.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coracle::api {

// Exact to 1e-9 within +-2^63; finer values are rounded away from zero and larger ones capped.
// (Upstream caps only binary suffixes; no resource of a gateway is that large.)
std::optional<std::string> canonical_quantity(
    std::string_view text);  // "1000m" -> "1", "1024Mi" -> "1Gi"; nullopt: malformed
// The same, rounded up to thousandths first, as core/v1 SetDefaults_ResourceList does to every list
// of resources.
std::optional<std::string> canonical_resource(std::string_view text);
std::optional<int64_t> quantity_value(
    std::string_view text);  // rounded up to whole units (bytes, pods)
std::optional<int64_t> quantity_millis(std::string_view text);   // rounded up to thousandths (cpu)
std::string bytes_quantity(int64_t bytes);                       // "16Gi", "1Mi", "1Ki", "123"
std::string millis_quantity(int64_t millis);                     // "250m", "2"
int compare_quantities(std::string_view a, std::string_view b);  // both well-formed

}  // namespace coracle::api
