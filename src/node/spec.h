// SPDX-License-Identifier: GPL-2.0-or-later
// Reading a Pod: short names for what the agent asks of a pod's tree again and again. Nodes are
// borrowed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/tree.h"

namespace coracle::node {

struct ContainerSpec {
  json::Node node;
  bool init = false;
  bool sidecar = false;  // an init container with restartPolicy Always
  std::string_view name() const { return node["name"].string(); }
};

enum class RestartPolicy : uint8_t { kAlways, kOnFailure, kNever };
enum class Qos : uint8_t { kGuaranteed, kBurstable, kBestEffort };

std::vector<ContainerSpec> containers_of(json::Node pod);  // init containers first, in order
RestartPolicy restart_policy(json::Node pod);
Qos qos_of(json::Node pod);
std::string_view qos_name(Qos qos);
bool is_deleting(json::Node pod);
int64_t grace_seconds(json::Node pod);  // of the deletion if there is one, else of the spec
std::string pod_label(json::Node pod);  // name_namespace(uid), as upstream prints pods
// Empty if this agent can run the pod; else a sentence that names what it does not do.
std::string unsupported_feature(json::Node pod);

}  // namespace coracle::node
