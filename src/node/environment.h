// SPDX-License-Identifier: GPL-2.0-or-later
// The environment and the command of a container, as upstream pkg/kubelet/kubelet_pods.go makes
// them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/client.h"
#include "base/result.h"
#include "json/tree.h"
#include "node/downward.h"
#include "node/images.h"

namespace coracle::node {

using Variables = std::vector<std::pair<std::string, std::string>>;  // in order, names are unique

// The pod's part: Services, envFrom, env. The error is the message of CreateContainerConfigError.
Result<Variables> pod_variables(const api::State& state,
                                json::Node pod,
                                json::Node container,
                                const Place& place);

// Replaces $(NAME); $$ is one dollar; unknown names stay as they are.
std::string expand(std::string_view text, const Variables& variables);

// "NAME=value": the image's, then the pod's over it.
std::vector<std::string> process_environment(const Image& image, const Variables& variables);
// Entrypoint and arguments by Kubernetes' rules. Empty if neither names anything.
std::vector<std::string> process_arguments(const Image& image,
                                           json::Node container,
                                           const Variables& variables);

}  // namespace coracle::node
