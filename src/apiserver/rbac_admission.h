// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "apiserver/exchange.h"

namespace coracle::apiserver {

// Nobody gives away by a role or a binding what they do not have themselves
// (pkg/registry/rbac/*/policybased).
Result<> admit_role(Parts& parts, Request& request);
Result<> admit_binding(Parts& parts, Request& request);

}  // namespace coracle::apiserver
