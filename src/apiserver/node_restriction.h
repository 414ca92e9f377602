// SPDX-License-Identifier: GPL-2.0-or-later
// What a node's credentials may write: its own Node and Lease, and what belongs to its own Pods
// (plugin/pkg/admission/noderestriction).
#pragma once

#include "apiserver/exchange.h"
#include "apiserver/request.h"

namespace coracle::apiserver {

Result<> admit_node_write(Parts& parts, Request& request);
Result<> admit_node_delete(Parts& parts, Request& request);
// body: the TokenRequest.
Result<> admit_node_token(Parts& parts, const Request& request, json::Node body);

}  // namespace coracle::apiserver
