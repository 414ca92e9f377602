// SPDX-License-Identifier: GPL-2.0-or-later
// metrics.k8s.io/v1beta1: what nodes and Pods use now. Never stored: made when somebody asks.
#pragma once

#include <span>
#include <string_view>

#include "api/schema.h"

namespace coracle::api {

inline constexpr std::string_view kMetricsGroup = "metrics.k8s.io";
inline constexpr std::string_view kMetricsVersion = "v1beta1";

struct MetricsKind {
  std::string_view kind;
  std::string_view plural;
  bool namespaced = false;
  const Message* message = nullptr;
};
std::span<const MetricsKind> metrics_kinds();

}  // namespace coracle::api
