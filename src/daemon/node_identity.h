// SPDX-License-Identifier: GPL-2.0-or-later
// Which device is a node: its certificate carries an identity made when it joined, as a group, and
// its Node says which identity counts. A device that joins again under the same name takes the
// place of the one before, whose certificates are refused from then on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"

namespace coracle::daemon {

inline constexpr std::string_view kIdentityAnnotation = "coracle.io/identity";
inline constexpr std::string_view kIdentityGroup = "coracle:identity:";
inline constexpr std::string_view kNodeUser = "system:node:";

inline std::string_view node_of(std::string_view common_name) {
  return common_name.starts_with(kNodeUser) ? common_name.substr(kNodeUser.size())
                                            : std::string_view();
}

inline std::string_view identity_of(const std::vector<std::string>& organizations) {
  for (const std::string& each : organizations) {
    if (each.starts_with(kIdentityGroup))
      return std::string_view(each).substr(kIdentityGroup.size());
  }
  return {};
}

// A Node without the annotation knows no identity and refuses none.
inline bool is_replaced(const api::Object& node, std::string_view identity) {
  if (node.text().find(kIdentityAnnotation) == std::string_view::npos) return false;
  json::Tree tree;
  const json::Node annotation = node.parse(tree)["metadata"]["annotations"][kIdentityAnnotation];
  return annotation && annotation.string() != identity;
}

}  // namespace coracle::daemon
