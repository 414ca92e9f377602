// SPDX-License-Identifier: GPL-2.0-or-later
// The rules of HorizontalPodAutoscaler, whichever version it was sent in.
#pragma once

#include "api/errors.h"
#include "api/schema.h"
#include "json/tree.h"

namespace coracle::api {

void validate_autoscaler(json::Node autoscaler, Errors& errors);
void validate_autoscaler_status(json::Node autoscaler, json::Node old, Errors& errors);

}  // namespace coracle::api
