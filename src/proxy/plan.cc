// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/plan.h"

#include <algorithm>

namespace coracle::proxy {

namespace {

enum class Wanted : uint8_t { kReady, kServingWhileTerminating };

bool is_wanted(json::Node endpoint, Wanted wanted) {
  const json::Node conditions = endpoint["conditions"];
  // An absent condition is read as true, except terminating (discovery/v1 EndpointConditions).
  const bool ready = conditions["ready"].boolean(true);
  if (wanted == Wanted::kReady) return ready;
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

void collect(json::Node slice, int64_t port, Wanted wanted, std::vector<port::Backend>& backends) {
  for (const json::Node endpoint : slice["endpoints"]) {
    if (!is_wanted(endpoint, wanted)) continue;
    // All addresses of an endpoint are the same pod; only the first is used (upstream does the
    // same).
    const auto address = parse_ip4(endpoint["addresses"].at(0).string());
    if (address) backends.push_back({*address, static_cast<uint16_t>(port)});
  }
}

std::vector<port::Backend> backends_of(json::Node service_port,
                                       const std::vector<json::Node>& slices) {
  std::vector<port::Backend> backends;
  for (const Wanted wanted : {Wanted::kReady, Wanted::kServingWhileTerminating}) {
    for (const json::Node slice : slices) {
      if (slice["addressType"].string() != "IPv4") continue;
      const int64_t port =
          slice_port(slice, service_port["name"].string(), service_port["protocol"].string("TCP"));
      if (port > 0 && port <= 65535) collect(slice, port, wanted, backends);
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

}  // namespace

std::vector<port::VirtualService> plan_service(json::Node service,
                                               const std::vector<json::Node>& slices) {
  const json::Node spec = service["spec"];
  std::vector<port::VirtualService> planned;
  if (spec["type"].string() == "ExternalName") return planned;
  const auto address = parse_ip4(spec["clusterIP"].string());
  if (!address) return planned;  // headless
  for (const json::Node port : spec["ports"]) {
    const std::string_view protocol = port["protocol"].string("TCP");
    const int64_t number = port["port"].integer();
    if ((protocol != "TCP" && protocol != "UDP") || number < 1 || number > 65535) continue;
    port::VirtualService virtual_service;
    virtual_service.at = {*address,
                          protocol == "UDP" ? port::Transport::kUdp : port::Transport::kTcp,
                          static_cast<uint16_t>(number)};
    virtual_service.backends = backends_of(port, slices);
    virtual_service.affinity_seconds = affinity_seconds(spec);
    planned.push_back(std::move(virtual_service));
  }
  return planned;
}

}  // namespace coracle::proxy
