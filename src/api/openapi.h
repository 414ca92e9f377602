// SPDX-License-Identifier: GPL-2.0-or-later
// One OpenAPI v3 document for a group version: what kubectl needs for apply, create, edit, diff and
// explain.
#pragma once

#include <string>

#include "api/resources.h"

namespace coracle::api {

std::string openapi_document(GroupVersion gv);

}  // namespace coracle::api
