// SPDX-License-Identifier: GPL-2.0-or-later
// What every node runs, be it a server or an agent: bridge and routes, the Service proxy, the node
// agent. Pods go on when it is destroyed.
#pragma once

#include <memory>
#include <string>

#include "api/client.h"
#include "base/result.h"
#include "daemon/config.h"
#include "daemon/layout.h"
#include "node/agent.h"
#include "node/peer_routes.h"
#include "port/linux/machine.h"
#include "proxy/dns_server.h"
#include "proxy/service_proxy.h"

namespace coracle::daemon {

struct NodeClients {
  api::Client& node;   // acts as system:node:<name>
  api::Client& proxy;  // reads Services
};

struct NodeRole {
  bool is_server = false;
  bool is_confirmed = true;  // the state is not only remembered; see node::AgentOptions
};

class NodeSide final {
 public:
  NodeSide(port_linux::Machine& machine, const Config& config, port::Lane& unpack_lane);

  // The bridge first: it carries the address that pods reach the API at.
  Result<> set_up_links(const Layout& layout);
  // Once the clients' state is complete and layout.node_cidr is this node's.
  Result<> start(const Layout& layout, NodeClients clients, NodeRole role);
  node::Agent* agent() { return agent_.get(); }

 private:
  void make_proxy(const Layout& layout, api::Client& client);
  Result<node::AgentOptions> options(const Layout& layout, NodeRole role) const;

  port_linux::Machine& machine_;
  const Config& config_;
  port::Lane& unpack_lane_;
  std::unique_ptr<proxy::ServiceProxy> proxy_;
  std::unique_ptr<proxy::DnsServer> dns_;
  std::unique_ptr<node::PeerRoutes> routes_;
  std::unique_ptr<node::Agent> agent_;
};

}  // namespace coracle::daemon
