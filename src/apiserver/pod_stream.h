// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "apiserver/exchange.h"

namespace coracle::apiserver {

// GET and POST pods/x/exec, attach and portforward: leaves HTTP for a session of room streams.
Result<Next> stream_pod(Parts& parts, Exchange& exchange);

}  // namespace coracle::apiserver
