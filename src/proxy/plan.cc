// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/plan.h"

#include <algorithm>

namespace coracle::proxy {

namespace {

enum class Wanted : uint8_t { kReady, kServingWhileTerminating };

struct Choice {
  Wanted wanted = Wanted::kReady;
  std::string_view node;  // empty: all nodes
};

bool is_wanted(json::Node endpoint, const Choice& choice) {
  if (!choice.node.empty() && endpoint["nodeName"].string() != choice.node) return false;
  const json::Node conditions = endpoint["conditions"];
  // An absent condition is read as true, except terminating (discovery/v1 EndpointConditions).
  const bool ready = conditions["ready"].boolean(true);
  if (choice.wanted == Wanted::kReady) return ready;
  return conditions["terminating"].boolean() && conditions["serving"].boolean(ready);
}

// The slice's port that carries this Service port; -1 if the slice has none. Endpoint ports are
// matched by name.
int64_t slice_port(json::Node slice, std::string_view name, std::string_view protocol) {
  for (const json::Node port : slice["ports"]) {
    if (port["name"].string() == name && port["protocol"].string("TCP") == protocol)
      return port["port"].integer(-1);
  }
  return -1;
}

void collect(json::Node slice,
             int64_t port,
             const Choice& choice,
             std::vector<port::Backend>& backends) {
  for (const json::Node endpoint : slice["endpoints"]) {
    if (!is_wanted(endpoint, choice)) continue;
    // All addresses of an endpoint are the same pod; only the first is used (upstream does the
    // same).
    const auto address = parse_ip4(endpoint["addresses"].at(0).string());
    if (address) backends.push_back({*address, static_cast<uint16_t>(port)});
  }
}

std::vector<port::Backend> backends_of(json::Node service_port,
                                       const std::vector<json::Node>& slices,
                                       std::string_view node) {
  std::vector<port::Backend> backends;
  for (const Wanted wanted : {Wanted::kReady, Wanted::kServingWhileTerminating}) {
    for (const json::Node slice : slices) {
      if (slice["addressType"].string() != "IPv4") continue;
      const int64_t port =
          slice_port(slice, service_port["name"].string(), service_port["protocol"].string("TCP"));
      if (port > 0 && port <= 65535) collect(slice, port, {wanted, node}, backends);
    }
    if (!backends.empty()) break;
  }
  std::sort(backends.begin(), backends.end());
  backends.erase(std::unique(backends.begin(), backends.end()), backends.end());
  return backends;
}

uint32_t affinity_seconds(json::Node spec) {
  if (spec["sessionAffinity"].string() != "ClientIP") return 0;
  constexpr int64_t kDefault = 10'800;  // core/v1 defaults
  return static_cast<uint32_t>(
      spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"].integer(kDefault));
}

void add_outside(std::vector<Ip4>& addresses, std::string_view text) {
  const auto address = parse_ip4(text);
  if (address && address->value != 0) addresses.push_back(*address);
}

std::vector<Ip4> outside_addresses(json::Node service) {
  std::vector<Ip4> addresses;
  for (const json::Node ip : service["spec"]["externalIPs"])
    add_outside(addresses, ip.string());
  if (service["spec"]["type"].string() != "LoadBalancer") return addresses;
  for (const json::Node ingress : service["status"]["loadBalancer"]["ingress"]) {
    // A proxy that ends connections itself must be reached, not stood in for (KEP-1860).
    if (ingress["ipMode"].string("VIP") == "VIP") add_outside(addresses, ingress["ip"].string());
  }
  return addresses;
}

bool is_at_nodes(json::Node spec) {
  return spec["type"].string() == "NodePort" || spec["type"].string() == "LoadBalancer";
}

}  // namespace

std::vector<port::VirtualService> plan_service(json::Node service,
                                               const std::vector<json::Node>& slices,
                                               std::string_view node_name) {
  const json::Node spec = service["spec"];
  std::vector<port::VirtualService> planned;
  if (spec["type"].string() == "ExternalName") return planned;
  const auto address = parse_ip4(spec["clusterIP"].string());
  if (!address) return planned;  // headless
  const std::vector<Ip4> outside = outside_addresses(service);
  const bool inside_local = spec["internalTrafficPolicy"].string() == "Local";
  const bool outside_local = spec["externalTrafficPolicy"].string() == "Local";
  for (const json::Node port : spec["ports"]) {
    const std::string_view protocol = port["protocol"].string("TCP");
    const int64_t number = port["port"].integer();
    if ((protocol != "TCP" && protocol != "UDP") || number < 1 || number > 65535) continue;
    port::VirtualService inner;
    inner.at = {*address, protocol == "UDP" ? port::Transport::kUdp : port::Transport::kTcp,
                static_cast<uint16_t>(number)};
    inner.affinity_seconds = affinity_seconds(spec);
    port::VirtualService outer = inner;
    inner.backends = backends_of(port, slices, inside_local ? node_name : std::string_view());
    planned.push_back(std::move(inner));
    const int64_t node_port = is_at_nodes(spec) ? port["nodePort"].integer() : 0;
    if (outside.empty() && node_port == 0) continue;
    outer.backends = backends_of(port, slices, outside_local ? node_name : std::string_view());
    outer.masquerade = !outside_local;
    for (const Ip4 each : outside) {
      outer.at.address = each;
      planned.push_back(outer);
    }
    if (node_port < 1 || node_port > 65535) continue;
    outer.at.address = {};
    outer.at.port = static_cast<uint16_t>(node_port);
    planned.push_back(std::move(outer));
  }
  return planned;
}

}  // namespace coracle::proxy
