// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "port/linux/os_error.h"

namespace coracle::port_linux {

// While it lives, the calling thread is in the network namespace of process `pid`. Sockets and
// files of /proc/sys/net opened meanwhile belong to that namespace for ever.
class NetworkVisit {
 public:
  static Result<NetworkVisit> enter(int64_t pid);
  NetworkVisit(NetworkVisit&&) = default;
  ~NetworkVisit();  // aborts if there is no way back

 private:
  explicit NetworkVisit(Fd home) : home_(std::move(home)) {}
  Fd home_;
};

}  // namespace coracle::port_linux
