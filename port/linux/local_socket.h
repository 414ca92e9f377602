// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses of AF_UNIX sockets. sun_path holds 107 bytes; a longer path is reached through a
// descriptor of its directory, which must stay open during the call that uses the address.
#pragma once

#include <string>

#include "port/linux/os_error.h"

namespace coracle::port_linux {

struct LocalAddress {
  std::string path;
  Fd directory;
};

Result<LocalAddress> local_address(const std::string& path);

// A bound stream socket of mode 0600 that does not listen yet; replaces the file of a dead one.
Result<Fd> bind_local(const LocalAddress& at);

}  // namespace coracle::port_linux
