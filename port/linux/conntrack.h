// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "port/linux/os_error.h"
#include "port/packet_filter.h"

namespace coracle::port_linux {

// Deletes the tracked UDP flows that a change of services left behind: those to a virtual port
// whose backend is not one of it any more, and those into the Service network to a port that no
// service has. TCP flows to vanished backends end by themselves. Flows that are right are never
// touched. Returns how many it deleted.
Result<size_t> flush_stale_udp(const port::Ruleset& ruleset);

}  // namespace coracle::port_linux
