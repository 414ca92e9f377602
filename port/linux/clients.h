// SPDX-License-Identifier: GPL-2.0-or-later
// The clients that rules have remembered for services with affinity.
#pragma once

#include <set>
#include <string>

#include "port/linux/netlink.h"
#include "port/packet_filter.h"

namespace coracle::port_linux {

// Deletes those whose backend is not one of their service any more. Returns how many.
Result<size_t> forget_stale_clients(Netlink& netlink, const port::Ruleset& ruleset);

// Names of the affinity chains that the table has.
Result<std::set<std::string>> list_affinity_chains(Netlink& netlink);

}  // namespace coracle::port_linux
