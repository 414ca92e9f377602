// SPDX-License-Identifier: GPL-2.0-or-later
// Structural schemas of CustomResourceDefinitions: what they prune, fill in and refuse, as
// apiextensions-apiserver does. Not evaluated: x-kubernetes-validations (CEL), pattern, format; a
// definition that has them is warned about when it is written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/errors.h"
#include "json/tree.h"

namespace coracle::api {

// Rules for the schema of a definition; `path` is that of openAPIV3Schema.
void check_structural(json::Node schema, std::string_view path, Errors& errors);
// What of it is not evaluated here, as sentences for Warning headers.
void warn_of_schema(json::Node schema, std::string_view path, std::string& out);

// Removes what the schema does not declare; the paths are told, worded as strict decoding does.
void prune_custom(json::Node schema, json::Node object, std::vector<std::string>& unknown);
void default_custom(json::Node schema, json::Node object);
void validate_custom(json::Node schema, json::Node object, Errors& errors);

// The value that a JSONPath of a printer column means: .spec.x, .status.conditions[?(@.type=="A")]
// .status, .spec.list[0]; a null Node if there is none.
json::Node at_json_path(json::Node object, std::string_view path);

}  // namespace coracle::api
