// SPDX-License-Identifier: GPL-2.0-or-later
// Network links, addresses and routes of the node and of pod network namespaces (rtnetlink).
#pragma once

#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace coracle::port {

struct PodLink {
  int64_t namespace_pid = 0;  // a process inside the pod's network namespace
  std::string host_name;      // name of the host end, <= 15 characters
  std::string bridge;         // the host end is enslaved to it
  Cidr4 address;              // of eth0 inside, e.g. 10.42.0.5/24
  Ip4 gateway;                // default route inside
};

struct HostAddress {
  std::string link;
  Cidr4 address;
};

class Links {
 public:
  virtual ~Links() = default;
  // Creates the bridge, gives it the address, sets it up and turns IPv4 forwarding on. Idempotent.
  virtual Result<> ensure_bridge(const std::string& name, Cidr4 address) = 0;
  // veth pair, eth0 and lo up inside, address, default route; hairpin mode on the bridge port.
  // Idempotent.
  virtual Result<> connect_pod(const PodLink& pod) = 0;
  virtual Result<> remove_link(const std::string& name) = 0;  // absent is fine
  virtual Result<std::vector<std::string>> links_with_prefix(const std::string& prefix) = 0;
  // `destination` via device `link` (scope link). Idempotent; used for the Service CIDR, which
  // needs a route on nodes without a default route.
  virtual Result<> ensure_route(Cidr4 destination, const std::string& link) = 0;
  // `destination` by way of `gateway`, which must be a neighbour: the pods of another node.
  // Idempotent; a new gateway takes the place of the old one.
  virtual Result<> ensure_route_via(Cidr4 destination, Ip4 gateway) = 0;
  virtual Result<std::vector<Cidr4>> routes_via_gateways() = 0;  // those made by ensure_route_via
  virtual Result<> remove_route(Cidr4 destination) = 0;          // absent is fine
  // Global-scope IPv4 addresses of links that are up; the one of the default route first, loopback
  // last.
  virtual Result<std::vector<HostAddress>> addresses() = 0;
};

}  // namespace coracle::port
