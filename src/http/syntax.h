// SPDX-License-Identifier: GPL-2.0-or-later
// The small grammar that both versions of HTTP share (RFC 9110 section 5, RFC 3986).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace coracle::http {

bool is_token(std::string_view text);        // method and field names; never empty
bool is_field_value(std::string_view text);  // no control characters but HTAB
bool is_same_ignoring_case(std::string_view a, std::string_view b);
std::string lower(std::string_view text);
bool lists(std::string_view header_value,
           std::string_view element);  // "a, b" lists b; case ignored

enum class MethodKind : uint8_t { kServed, kUnknown, kMalformed };
MethodKind method_kind(std::string_view method);

// Origin-form to Request::path and Request::query. One spelling for each resource: an encoded
// slash, "." and ".." segments, "//", ';', control characters and what is not UTF-8 are errors, so
// that what is authorized is what is routed.
struct Target {
  std::string path;
  std::string query;
};
Result<Target> parse_target(std::string_view target);

std::string_view status_phrase(int status);
std::string http_date(Wall at);  // Mon, 02 Jan 2006 15:04:05 GMT
bool has_body(int status);       // 1xx, 204 and 304 have none

}  // namespace coracle::http
