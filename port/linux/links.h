// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "port/links.h"
#include "port/linux/netlink.h"

namespace coracle::port_linux {

class RouteLinks : public port::Links {
 public:
  Result<> ensure_bridge(const std::string& name, Cidr4 address) override;
  Result<> connect_pod(const port::PodLink& pod) override;
  Result<> remove_link(const std::string& name) override;
  Result<std::vector<std::string>> links_with_prefix(const std::string& prefix) override;
  Result<> ensure_route(Cidr4 destination, const std::string& link) override;
  Result<> ensure_route_via(Cidr4 destination, Ip4 gateway) override;
  Result<std::vector<Cidr4>> routes_via_gateways() override;
  Result<> remove_route(Cidr4 destination) override;
  Result<std::vector<port::HostAddress>> addresses() override;
};

}  // namespace coracle::port_linux
