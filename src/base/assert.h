// SPDX-License-Identifier: GPL-2.0-or-later
// ASSERT: programmer errors. Always on; aborts; the supervisor restarts the daemon and Pods keep
// running.
#pragma once

namespace coracle {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}  // namespace coracle

#define ASSERT(expression)             \
  ((expression) ? static_cast<void>(0) \
                : ::coracle::assertion_failed(#expression, __FILE__, __LINE__))
