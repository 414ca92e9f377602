// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "port/sandbox.h"

namespace coracle::streams {

// What the error channel carries: from protocol v4 on a Status in JSON, before that the message of
// a failure (upstream cri-streaming remotecommand/exec.go and websocket.go).
std::string command_status(const port::CommandEnd& end,
                           const std::vector<std::string>& words,
                           bool as_json);

}  // namespace coracle::streams
