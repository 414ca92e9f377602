// SPDX-License-Identifier: GPL-2.0-or-later
// The rules of HorizontalPodAutoscaler, whichever version it was sent in.
#pragma once

#include "api/errors.h"
#include "api/schema.h"
#include "json/tree.h"

namespace coracle::api {

inline constexpr Field kTargetReferenceFields[] = {
    text("kind", 1).listed().about("Kind of the object."),
    text("name", 2).listed().about("Name of the object."),
    text("apiVersion", 3).about("API version of the object."),
};

void validate_autoscaler(json::Node autoscaler, Errors& errors);
void validate_autoscaler_status(json::Node autoscaler, json::Node old, Errors& errors);

}  // namespace coracle::api
