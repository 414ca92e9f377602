// SPDX-License-Identifier: GPL-2.0-or-later
// autoscaling/v1 Scale: a view of any kind that declares where its replicas are.
#pragma once

#include "apiserver/exchange.h"

namespace coracle::apiserver {

Result<Next> read_scale(Parts& parts, Exchange& exchange);
Result<> decode_scale(Parts& parts, Request& request);
Reply show_scale(Parts& parts, const Request& request, api::ObjectRef object);

}  // namespace coracle::apiserver
