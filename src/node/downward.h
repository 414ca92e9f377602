// SPDX-License-Identifier: GPL-2.0-or-later
// What a pod may learn of itself: fieldRef and resourceFieldRef, for environments and volumes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "json/tree.h"

namespace coracle::node {

struct Place {  // where a pod runs, for status.* fields and for limits that a container does not
                // set
  std::string node_name;
  std::string host_ip;
  std::string pod_ip;
  int64_t cpu_millis = 0;  // allocatable
  int64_t memory_bytes = 0;
};

Result<std::string> field_value(json::Node pod, std::string_view path, const Place& place);
// `selector` is a ResourceFieldSelector; `container` the one it is used in (volumes name theirs).
Result<std::string> resource_value(json::Node pod,
                                   json::Node selector,
                                   json::Node container,
                                   const Place& place);

}  // namespace coracle::node
