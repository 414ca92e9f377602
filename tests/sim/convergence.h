// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold in a cluster that is left alone. Each rule looks at the whole state and tells the
// first thing that is not so, or "".
#pragma once

#include <string>

#include "api/client.h"
#include "tests/sim/kubelet.h"

namespace coracle::sim {

std::string what_is_missing(const api::State& state, const Kubelet& kubelet);

}  // namespace coracle::sim
