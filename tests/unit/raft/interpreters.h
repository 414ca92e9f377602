// SPDX-License-Identifier: GPL-2.0-or-later
// What runs a script, by the folder the script is in.
#pragma once

#include <memory>

#include "tests/unit/raft/script.h"

namespace coracle::raft {

std::unique_ptr<Interpreter> quorum_interpreter();
std::unique_ptr<Interpreter> conf_change_interpreter();
std::unique_ptr<Interpreter> interaction_interpreter();

}  // namespace coracle::raft
