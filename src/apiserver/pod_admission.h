// SPDX-License-Identifier: GPL-2.0-or-later
// What every new Pod gets from its ServiceAccount, and the tolerations and priority that all Pods
// have.
#pragma once

#include "apiserver/exchange.h"
#include "apiserver/request.h"

namespace coracle::apiserver {

Result<> admit_service_account(Parts& parts, Request& request);
Result<> admit_tolerations(Parts& parts, Request& request);
Result<> admit_priority(Parts& parts, Request& request);
Result<> admit_runtime_class(Parts& parts, Request& request);

}  // namespace coracle::apiserver
