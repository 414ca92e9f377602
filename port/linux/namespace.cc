// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/namespace.h"

#include <cerrno>

#include <fcntl.h>
#include <sched.h>

#include "base/bytes.h"

namespace coracle::port_linux {

Result<NetworkVisit> NetworkVisit::enter(int64_t pid) {
  Fd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!home.valid()) return os_error(errno, "own network namespace");
  const std::string path = join({"/proc/", std::to_string(pid), "/ns/net"});
  Fd there(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!there.valid()) return os_error(errno, path);
  if (::setns(there.get(), CLONE_NEWNET) != 0) return os_error(errno, "enter network namespace");
  return NetworkVisit(std::move(home));
}

NetworkVisit::~NetworkVisit() {
  if (home_.valid()) ASSERT(::setns(home_.get(), CLONE_NEWNET) == 0);
}

}  // namespace coracle::port_linux
