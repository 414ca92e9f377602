// SPDX-License-Identifier: GPL-2.0-or-later
// What a command that joins a container runs as, and what a client may do to a container that it
// is attached to.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/tree.h"
#include "port/disk.h"
#include "port/sandbox.h"

namespace coracle::node {

// The OCI process of the container's bundle (user, environment, capabilities, directory) with other
// words, as JSON.
Result<std::string> joining_process(port::Disk& disk,
                                    const std::string& bundle,
                                    const std::vector<std::string>& words,
                                    bool terminal);

// Only `stdinOnce` lets a client end the container's input, and then the first to leave does.
std::unique_ptr<port::Command> attached(std::unique_ptr<port::Command> command, bool input_once);

}  // namespace coracle::node
