// SPDX-License-Identifier: GPL-2.0-or-later
// Answers metrics.k8s.io: asks the agents of the nodes that matter and waits for all of them. A
// node that does not answer is left out, as metrics-server does.
#pragma once

#include "apiserver/exchange.h"

namespace coracle::apiserver {

Result<Next> answer_usage(Parts& parts, Exchange& exchange);

}  // namespace coracle::apiserver
