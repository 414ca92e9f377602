// SPDX-License-Identifier: GPL-2.0-or-later
// Rules for Services (kubernetes pkg/apis/core/validation, ValidateService).
#pragma once

#include "api/errors.h"
#include "json/tree.h"

namespace coracle::api {

void validate_service(json::Node service, Errors& errors);
void validate_service_update(json::Node service, json::Node old, Errors& errors);

}  // namespace coracle::api
