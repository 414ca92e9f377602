// SPDX-License-Identifier: GPL-2.0-or-later
// The status of a pod as the API shall show it: a pure function of object, record and time. Follows
// upstream pkg/kubelet/kubelet_pods.go (getPhase, generateAPIPodStatus) and
// pkg/kubelet/status/generate.go.
#pragma once

#include <string>
#include <string_view>

#include "json/tree.h"
#include "node/record.h"

namespace coracle::node {

struct StatusContext {
  json::Node pod;  // as stored: transition times and conditions of others are taken from its status
  const PodRecord& record;
  Wall now;
  std::string_view host_ip;
};

std::string pod_phase(json::Node pod, const PodRecord& record);
// A status object of `tree`: the stored one with the agent's fields brought up to date.
json::Node make_status(json::Tree& tree, const StatusContext& context);
// JSON merge patch {"status": ...} that turns `stored` into `wanted`; empty if nothing differs.
std::string status_patch(json::Node stored, json::Node wanted);

// Name and message of the state a container shows: used for log errors too.
struct Waiting {
  std::string reason;
  std::string message;
};
Waiting waiting_of(json::Node pod, const PodRecord& record, const ContainerState& state);

}  // namespace coracle::node
