// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/links.h"

#include <algorithm>

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "base/bytes.h"
#include "port/linux/disk.h"
#include "port/linux/namespace.h"
#include "port/linux/route.h"

namespace coracle::port_linux {
namespace {

Result<Netlink> open_route() {
  return Netlink::open(NETLINK_ROUTE);
}

Result<> set_sysctl(const std::string& name, std::string_view value) {
  RealDisk disk;
  const std::string path = "/proc/sys/net/ipv4/" + name;
  const Result<std::string> now = disk.read_file(path, 64);
  if (now && trim(*now) == value) return {};  // may be read-only and right
  return disk.write_file(path, value, 0644);
}

// The pod holds its address as a /32 and reaches everything, its neighbours on the bridge too,
// through the gateway. Were they reached directly, the answer of a Service's backend on the same
// bridge would go past this node's connection tracking and arrive from an address the client never
// called.
Result<> configure_inside(const port::PodLink& pod) {
  NetworkVisit visit = TRY(NetworkVisit::enter(pod.namespace_pid));
  Netlink inside = TRY(open_route());
  const int eth0 = TRY(link_index(inside, "eth0"));
  // For the same reason the pod must not learn shorter ways.
  TRY(set_sysctl("conf/all/accept_redirects", "0"));
  TRY(set_sysctl("conf/eth0/accept_redirects", "0"));
  const int lo = TRY(link_index(inside, "lo"));
  TRY(set_link_up(inside, lo));
  TRY(add_address(inside, eth0, {pod.address.address, 32}));
  TRY(set_link_up(inside, eth0));
  TRY(put_route(inside, {{pod.gateway, 32}, eth0, {}}));
  return put_route(inside, {{{}, 0}, eth0, pod.gateway});
}

bool has_eth0(const port::PodLink& pod) {
  Result<NetworkVisit> visit = NetworkVisit::enter(pod.namespace_pid);
  Result<Netlink> inside = visit ? open_route() : fail(Code::kIo, "");
  return inside && link_index(*inside, "eth0");
}

Result<> ensure_veth(Netlink& netlink, const port::PodLink& pod) {
  if (link_index(netlink, pod.host_name)) {
    if (has_eth0(pod)) return {};
    TRY(delete_link(netlink, pod.host_name));  // of an earlier pod that was given the same name
  }
  return add_veth(netlink, pod.host_name, pod.namespace_pid);
}

}  // namespace

Result<> RouteLinks::ensure_bridge(const std::string& name, Cidr4 address) {
  Netlink netlink = TRY(open_route());
  TRY(add_bridge(netlink, name, address.address));
  const int bridge = TRY(link_index(netlink, name));
  TRY(add_address(netlink, bridge, address));
  TRY(set_link_up(netlink, bridge));
  // Either of the two would be enough for the kernel to send them, and a redirect uses up the pod's
  // share of ICMP errors: a Service without endpoints could not refuse UDP. Other links keep
  // theirs.
  TRY(set_sysctl("conf/all/send_redirects", "0"));
  TRY(set_sysctl(join({"conf/", name, "/send_redirects"}), "0"));
  return set_sysctl("ip_forward", "1");
}

Result<> RouteLinks::connect_pod(const port::PodLink& pod) {
  if (pod.host_name.empty() || pod.host_name.size() >= IFNAMSIZ)
    return fail(Code::kBadRequest, join({"not a link name: ", pod.host_name}));
  Netlink netlink = TRY(open_route());
  const int bridge = TRY(link_index(netlink, pod.bridge));
  TRY(ensure_veth(netlink, pod));
  const int host_end = TRY(link_index(netlink, pod.host_name));
  TRY(set_master(netlink, host_end, bridge));
  TRY(set_hairpin(netlink, host_end));
  TRY(set_link_up(netlink, host_end));
  return configure_inside(pod).with("inside the pod");
}

Result<> RouteLinks::remove_link(const std::string& name) {
  Netlink netlink = TRY(open_route());
  return delete_link(netlink, name);
}

Result<std::vector<std::string>> RouteLinks::links_with_prefix(const std::string& prefix) {
  Netlink netlink = TRY(open_route());
  std::vector<std::string> names;
  for (const LinkRow& link : TRY(list_links(netlink))) {
    if (link.name.starts_with(prefix)) names.push_back(link.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<> RouteLinks::ensure_route(Cidr4 destination, const std::string& link) {
  Netlink netlink = TRY(open_route());
  const int index = TRY(link_index(netlink, link));
  return put_route(netlink, {destination, index, {}});
}

Result<> RouteLinks::ensure_route_via(Cidr4 destination, Ip4 gateway) {
  Netlink netlink = TRY(open_route());
  return put_route(netlink, {destination, 0, gateway});
}

Result<std::vector<Cidr4>> RouteLinks::routes_via_gateways() {
  Netlink netlink = TRY(open_route());
  std::vector<Cidr4> destinations;
  for (const RouteRow& route : TRY(list_routes(netlink))) {
    if (route.protocol == kGatewayRoute) destinations.push_back(route.destination);
  }
  return destinations;
}

Result<> RouteLinks::remove_route(Cidr4 destination) {
  Netlink netlink = TRY(open_route());
  const Cidr4 wanted{destination.network(), destination.prefix};
  const std::vector<RouteRow> routes = TRY(list_routes(netlink));
  const bool exists = std::any_of(routes.begin(), routes.end(), [&](const RouteRow& route) {
    return route.destination == wanted;
  });
  return exists ? delete_route(netlink, destination) : Result<>();
}

Result<std::vector<port::HostAddress>> RouteLinks::addresses() {
  Netlink netlink = TRY(open_route());
  const std::vector<LinkRow> links = TRY(list_links(netlink));
  const std::vector<RouteRow> routes = TRY(list_routes(netlink));
  const RouteRow* uplink = nullptr;
  for (const RouteRow& route : routes) {
    if (route.destination.prefix == 0 && (uplink == nullptr || route.metric < uplink->metric))
      uplink = &route;
  }
  struct Ranked {
    int rank;
    port::HostAddress address;
  };
  std::vector<Ranked> found;
  for (const AddressRow& row : TRY(list_addresses(netlink))) {
    const auto link = std::find_if(links.begin(), links.end(),
                                   [&](const LinkRow& l) { return l.index == row.link; });
    if (link == links.end() || (link->flags & IFF_UP) == 0) continue;
    const bool loopback = (link->flags & IFF_LOOPBACK) != 0;
    if (row.scope != RT_SCOPE_UNIVERSE && !loopback) continue;
    const bool first = uplink != nullptr && uplink->link == row.link;
    found.push_back({loopback ? 2 : (first ? 0 : 1), {link->name, row.address}});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });
  std::vector<port::HostAddress> addresses;
  addresses.reserve(found.size());
  for (Ranked& ranked : found)
    addresses.push_back(std::move(ranked.address));
  return addresses;
}

}  // namespace coracle::port_linux
