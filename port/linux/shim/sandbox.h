// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace coracle::shim {

// Serves the daemon and the containers until told to end.
[[noreturn]] void serve();

// Tells the daemon, which connects right after it started us, why there will be no sandbox.
void report_failure(const char* why);

}  // namespace coracle::shim
