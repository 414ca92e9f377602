// SPDX-License-Identifier: GPL-2.0-or-later
// Checks of single values that the declarations of several kinds share. Texts are upstream's
// (apimachinery pkg/api/validation, kubernetes pkg/apis/core/validation).
#pragma once

#include <string_view>

#include "api/errors.h"
#include "json/tree.h"

namespace coracle::api {

// For Field::must.
void positive(json::Node value, std::string_view path, Errors& errors);
void not_negative(json::Node value, std::string_view path, Errors& errors);
void is_port(json::Node value, std::string_view path, Errors& errors);
void is_user_id(json::Node value, std::string_view path, Errors& errors);
void is_group_id(json::Node value, std::string_view path, Errors& errors);
void is_file_mode(json::Node value, std::string_view path, Errors& errors);
// Refuses what Coracle cannot do yet, so that it is never silently ignored. Values that mean
// nothing (false, "", [], {} for a list or map) pass.
void not_yet(json::Node value, std::string_view path, Errors& errors);

// Whether `value` says anything: present and not null, false, "", [] or an empty map.
bool says_something(json::Node value);
void refuse(std::string_view path, Errors& errors);  // the answer of not_yet

// For rules over several fields.
void check_label_name(json::Node value, std::string_view path, Errors& errors);      // DNS-1123
void check_subdomain_name(json::Node value, std::string_view path, Errors& errors);  // DNS-1123
void check_port_name(json::Node value, std::string_view path, Errors& errors);  // IANA_SVC_NAME
void check_number_or_port_name(json::Node value, std::string_view path, Errors& errors);
void check_labels(json::Node map, std::string_view path, Errors& errors);
void check_label_selector(json::Node selector, std::string_view path, Errors& errors);
void check_ip(json::Node value, std::string_view path, Errors& errors);
void check_qualified_name_text(std::string_view name, std::string_view path, Errors& errors);
void check_qualified_name(json::Node value, std::string_view path, Errors& errors);
// `field is immutable` unless both are absent or equal.
void check_immutable(json::Node now, json::Node old, std::string_view path, Errors& errors);

// A number or a percentage; what it says, of 25% 25.
int64_t check_share(json::Node share, std::string_view path, Errors& errors);
void check_share_limit(json::Node share, int64_t says, std::string_view path, Errors& errors);
// The members of `status` named by the '|'-separated list must not be negative.
void check_counts(json::Node status, std::string_view names, Errors& errors);
// Whether two objects are equal but for the members named by the '|'-separated list.
bool same_but(json::Node a, json::Node b, std::string_view names);
bool is_one_of(std::string_view word, std::string_view words);  // '|'-separated

}  // namespace coracle::api
