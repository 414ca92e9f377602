// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace coracle::shim {

// coracle-shim enter DIRECTORY CRUN PID WORDS...: becomes crun in the namespaces of the shim PID,
// with the descriptors it was given. Returns an exit code if it cannot.
int enter(long count, const char* const* words);

}  // namespace coracle::shim
