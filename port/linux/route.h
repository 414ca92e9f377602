// SPDX-License-Identifier: GPL-2.0-or-later
// The rtnetlink requests that links are made of. Each works in the namespace of its socket.
#pragma once

#include <string>
#include <vector>

#include "base/ip.h"
#include "port/linux/netlink.h"

namespace coracle::port_linux {

struct LinkRow {
  int index = 0;
  unsigned flags = 0;  // IFF_*
  std::string name;
};

struct AddressRow {
  int link = 0;
  Cidr4 address;
  unsigned char scope = 0;
};

struct RouteRow {
  Cidr4 destination;
  int link = 0;
  uint32_t metric = 0;
  unsigned char protocol = 0;  // who made it
};

// What marks the routes to pods of other nodes as ours (any number that no routing daemon uses).
inline constexpr unsigned char kGatewayRoute = 67;

struct Route {
  Cidr4 destination;
  int link = 0;  // 0: the one that leads to the gateway
  Ip4 gateway;   // 0: none, scope link
};

Result<std::vector<LinkRow>> list_links(Netlink& netlink);
Result<std::vector<AddressRow>> list_addresses(Netlink& netlink);
Result<std::vector<RouteRow>> list_routes(Netlink& netlink);        // of the main table
Result<int> link_index(Netlink& netlink, const std::string& name);  // kNotFound

Result<> add_bridge(Netlink& netlink, const std::string& name, Ip4 address);
// The other end is born as "eth0" in the namespace of `pid`.
Result<> add_veth(Netlink& netlink, const std::string& name, int64_t pid);
Result<> delete_link(Netlink& netlink, const std::string& name);
Result<> set_link_up(Netlink& netlink, int index);
Result<> set_master(Netlink& netlink, int index, int bridge);
Result<> set_hairpin(Netlink& netlink, int index);
Result<> add_address(Netlink& netlink, int index, Cidr4 address);  // existing is fine
Result<> put_route(Netlink& netlink, const Route& route);
Result<> delete_route(Netlink& netlink, Cidr4 destination);

}  // namespace coracle::port_linux
