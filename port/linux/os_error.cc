// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/os_error.h"

#include <errno.h>
#include <unistd.h>
#include <uv.h>

#include "base/bytes.h"

namespace coracle::port_linux {

Error os_error(int errno_value, std::string_view what) {
  Code code = Code::kIo;
  if (errno_value == ENOENT) code = Code::kNotFound;
  if (errno_value == EEXIST) code = Code::kAlreadyExists;
  return fail(code, join({what, ": ", uv_strerror(-errno_value)}));
}

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace coracle::port_linux
