// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a Node suits a PodSpec, as the scheduler would judge it (component-helpers
// scheduling/corev1).
#pragma once

#include <string_view>

#include "json/tree.h"

namespace coracle::controllers {

// nodeSelector and required node affinity.
bool node_suits(json::Node pod_spec, json::Node node);
// All taints of the node with one of these effects ("NoSchedule|NoExecute") are tolerated.
bool tolerates_node(json::Node pod_spec, json::Node node, std::string_view effects);

}  // namespace coracle::controllers
