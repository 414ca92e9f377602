// SPDX-License-Identifier: GPL-2.0-or-later
// The RuntimeDefault seccomp profile: what a container without extra capabilities has no business
// with is refused with EPERM, everything else is allowed.
#pragma once

#include <string>

namespace coracle::node {

std::string default_seccomp();  // linux.seccomp of the OCI configuration

}  // namespace coracle::node
