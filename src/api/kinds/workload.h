// SPDX-License-Identifier: GPL-2.0-or-later
// What Deployment and ReplicaSet have in common: replicas, a selector and a Pod template.
#pragma once

#include <string>

#include "api/errors.h"
#include "json/tree.h"

namespace coracle::api {

void validate_workload(json::Node object, Errors& errors);
void validate_workload_status(json::Node object, json::Node old, Errors& errors);
void warn_of_template(json::Node object, std::string& out);

}  // namespace coracle::api
