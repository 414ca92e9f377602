// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/assert.h"

namespace coracle::port_linux {

void KernelRandom::fill(char* out, size_t bytes) {
  while (bytes > 0) {
    const ssize_t got = getrandom(out, bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    ASSERT(got > 0);
    out += got;
    bytes -= static_cast<size_t>(got);
  }
}

}  // namespace coracle::port_linux
