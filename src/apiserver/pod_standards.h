// SPDX-License-Identifier: GPL-2.0-or-later
// The checks of the Pod Security Standards (upstream pod-security-admission/policy), in upstream's
// order and words. Checks of older versions of the standards are not kept: all are the latest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/tree.h"

namespace coracle::apiserver {

enum class Standard : uint8_t { kPrivileged, kBaseline, kRestricted };

struct Violation {
  std::string_view reason;  // "host namespaces"
  std::string detail;       // "hostNetwork=true"
};
using Violations = std::vector<Violation>;

// `pod` has metadata and spec: a Pod or a template of one.
Violations violations_of(Standard standard, json::Node pod);

}  // namespace coracle::apiserver
