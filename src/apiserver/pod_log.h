// SPDX-License-Identifier: GPL-2.0-or-later
// GET pods/x/log: a container's log as it is read by the node agent.
#pragma once

#include "apiserver/exchange.h"

namespace coracle::apiserver {

Result<Next> read_pod_log(Parts& parts, Exchange& exchange);

}  // namespace coracle::apiserver
