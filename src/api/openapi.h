// SPDX-License-Identifier: GPL-2.0-or-later
// One OpenAPI v3 document for a group version: what kubectl needs for apply, create, edit, diff and
// explain.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/resources.h"
#include "json/writer.h"

namespace coracle::api {

inline constexpr std::string_view kOpenApiSchemas = "#/components/schemas/";

std::string openapi_document(GroupVersion gv);

// Its parts: the value of components.schemas, and an entry of x-kubernetes-group-version-kind.
void write_openapi_schemas(json::Writer& out, const std::vector<ServedResource>& resources);
void write_openapi_type(json::Writer& out, const ServedType& served, std::string_view suffix);

}  // namespace coracle::api
