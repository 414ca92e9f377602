// SPDX-License-Identifier: GPL-2.0-or-later
// GET pods/x/log: a container's log as it is read by the node agent.
#pragma once

#include "apiserver/exchange.h"

namespace coracle::apiserver {

Result<Next> read_pod_log(Parts& parts, Exchange& exchange);

// The only container of request.old if none is named; 400 if that is not clear.
Result<> choose_container(const Request& request, std::string& name);

}  // namespace coracle::apiserver
