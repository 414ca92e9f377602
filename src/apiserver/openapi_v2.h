// SPDX-License-Identifier: GPL-2.0-or-later
// /openapi/v2 as far as kubectl up to 1.28 needs it: which kinds take the fieldValidation
// parameter. Only in protobuf (gnostic openapiv2.Document); schemas are in /openapi/v3.
#pragma once

#include <string>
#include <string_view>

#include "apiserver/request.h"

namespace coracle::apiserver {

// Asked for with an @ that no Content-Type may carry; this is how upstream spells its answer.
inline constexpr std::string_view kOpenapiV2Type =
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

bool accepts_openapi_v2(const Request& request);
std::string openapi_v2_document();

}  // namespace coracle::apiserver
