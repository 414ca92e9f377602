// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace coracle::shim {

// `crun delete --force` for every container in DIRECTORY/c; the exit code of the shim.
int sweep();

}  // namespace coracle::shim
