// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "port/linux/machine.h"

namespace coracle::daemon {

// What `crun --version` says ("1.8.1"), remembered in <data-dir>/runtime-version together with the
// program's size and time, so that a usual start spawns nothing. "unknown" if it cannot be told.
std::string runtime_version(port_linux::Machine& machine,
                            const std::string& crun,
                            const std::string& data_dir);

}  // namespace coracle::daemon
