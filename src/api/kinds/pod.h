// SPDX-License-Identifier: GPL-2.0-or-later
// The parts of the kind Pod that have files of their own.
#pragma once

#include <cstddef>
#include <string>

#include "api/kind.h"

namespace coracle::api {

inline constexpr size_t kPodColumnCount = 8;
extern const Column kPodColumns[kPodColumnCount];  // pod_columns.cc
std::string pod_ips_text(json::Node pod);          // "10.42.0.7"

void validate_pod(json::Node pod, Errors& errors);                         // pod_update.cc
void validate_pod_update(json::Node pod, json::Node old, Errors& errors);  // pod_update.cc

}  // namespace coracle::api
