// SPDX-License-Identifier: GPL-2.0-or-later
// What objects use of a ResourceQuota (upstream pkg/quota/v1/evaluator/core).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "api/kind.h"
#include "json/tree.h"

namespace coracle::api {

// By the names of ResourceQuota.spec.hard, in thousandths.
using QuotaUsage = std::map<std::string, int64_t, std::less<>>;

// Adds what one object uses, under every name that could be meant.
void add_quota_usage(const Kind& kind, json::Node object, QuotaUsage& usage);
// Whether any of the limits could be about this kind.
bool quota_counts(json::Node hard, const Kind& kind);
// Whether the quota's scopes include the object.
bool quota_covers(json::Node quota, const Kind& kind, json::Node object);
// As a quantity: "1500m" for cpu, "512Mi" for bytes, plain for counts.
std::string quota_quantity(std::string_view name, int64_t thousandths);

}  // namespace coracle::api
