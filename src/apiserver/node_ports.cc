// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/node_ports.h"

#include "api/errors.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr int kRandomTries = 64;
constexpr int64_t kNodePorts = kNodePortLast - kNodePortFirst + 1;

// pkg/registry/core/service/storage, needsNodePort.
bool needs_node_ports(json::Node spec) {
  if (spec["type"].string() == "NodePort") return true;
  return spec["type"].string() == "LoadBalancer" &&
         spec["allocateLoadBalancerNodePorts"].boolean(true);
}

Error refuse(json::Node service, std::string_view path, int64_t port, std::string_view why) {
  api::Errors errors;
  errors.invalid(path, port, why);
  return errors.to_error("Service", service["metadata"]["name"].string());
}

// The same port number over another protocol shares its node port, as upstream gives them out.
int64_t shared_node_port(json::Node ports, size_t index) {
  const json::Node port = ports.at(index);
  for (size_t i = 0; i < index; ++i) {
    const json::Node other = ports.at(i);
    if (other["port"].integer() == port["port"].integer() &&
        other["protocol"].string() != port["protocol"].string())
      return other["nodePort"].integer();
  }
  return 0;
}

}  // namespace

Result<bool> NodePorts::fill(json::Node service, const std::string& owner) {
  bool took = false;
  for (size_t i = 0; i < service["spec"]["ports"].size(); ++i) {
    Result<bool> filled = fill_port(service, i, owner);
    if (!filled) return filled;
    took |= *filled;
  }
  return took;
}

Result<bool> NodePorts::fill_port(json::Node service, size_t index, const std::string& owner) {
  const json::Node spec = service["spec"];
  const json::Node port = spec["ports"].at(index);
  const std::string path = api::field(api::item("spec.ports", index), "nodePort");
  const int64_t wanted = port["nodePort"].integer();
  if (wanted == 0 && !needs_node_ports(spec)) return false;
  if (wanted == 0) {
    const int64_t shared = shared_node_port(spec["ports"], index);
    port.set("nodePort", shared != 0 ? shared : TRY(take_free(service, path, owner)));
    return true;
  }
  if (wanted < kNodePortFirst || wanted > kNodePortLast)
    return refuse(service, path, wanted,
                  "provided port is not in the valid range. The range of valid ports is "
                  "30000-32767");
  const auto [place, is_new] = owners_.try_emplace(wanted, owner);
  if (!is_new && place->second != owner)
    return refuse(service, path, wanted, "provided port is already allocated");
  return is_new;
}

Result<int64_t> NodePorts::take_free(json::Node service,
                                     const std::string& path,
                                     const std::string& owner) {
  for (int tries = 0; tries < kRandomTries; ++tries) {
    const int64_t port =
        kNodePortFirst + static_cast<int64_t>(random_.next() % uint64_t{kNodePorts});
    if (owners_.try_emplace(port, owner).second) return port;
  }
  for (int64_t port = kNodePortFirst; port <= kNodePortLast; ++port) {
    if (owners_.try_emplace(port, owner).second) return port;
  }
  return refuse(service, path, 0, "failed to allocate a nodePort: range is full");
}

void NodePorts::settle(const std::string& owner, json::Node service) {
  std::erase_if(owners_, [&owner](const auto& each) { return each.second == owner; });
  for (const json::Node port : service["spec"]["ports"]) {
    if (const int64_t taken = port["nodePort"].integer(); taken != 0)
      owners_.try_emplace(taken, owner);
  }
}

}  // namespace coracle::apiserver
