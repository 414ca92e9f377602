// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/socket.h>

#include "base/result.h"
#include "port/net.h"

namespace coracle::port_linux {

Result<sockaddr_storage> socket_address(const port::Endpoint& at);
port::Endpoint endpoint_of(const sockaddr* address);

}  // namespace coracle::port_linux
