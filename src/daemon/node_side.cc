// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/node_side.h"

#include "base/bytes.h"
#include "daemon/runtime_version.h"

namespace coracle::daemon {

NodeSide::NodeSide(port_linux::Machine& machine, const Config& config, port::Lane& unpack_lane)
    : machine_(machine),
      config_(config),
      unpack_lane_(unpack_lane) {}

Result<> NodeSide::set_up_links(const Layout& layout) {
  port::Links& links = machine_.links();
  TRY(links.ensure_bridge(config_.bridge, Cidr4{layout.gateway, layout.node_cidr.prefix})
          .with("bridge"));
  // A node without a default route could not reach Service addresses (nor could its pods be
  // refused).
  return links.ensure_route(layout.service_cidr, config_.bridge).with("service route");
}

Result<> NodeSide::start(const Layout& layout, NodeClients clients, NodeRole role) {
  make_proxy(layout, clients.proxy);
  routes_ = std::make_unique<node::PeerRoutes>(clients.node, machine_.clock(), machine_.links(),
                                               layout.node_name);
  const node::AgentPorts ports{machine_.clock(),  machine_.disk(),      machine_.random(),
                               machine_.links(),  machine_.sandboxes(), unpack_lane_,
                               machine_.network()};
  agent_ = std::make_unique<node::Agent>(clients.node, ports, TRY(options(layout, role)));
  proxy_->start();
  dns_->start();
  routes_->start();
  return agent_->start().with("node agent");
}

// The cluster's DNS address leads to the server of this node.
void NodeSide::make_proxy(const Layout& layout, api::Client& client) {
  proxy::ProxyOptions options{layout.service_cidr, layout.cluster_cidr, layout.node_name, {}};
  for (const port::Transport transport : {port::Transport::kTcp, port::Transport::kUdp}) {
    options.own.push_back({{layout.cluster_dns, transport, proxy::kDnsPort},
                           {{layout.gateway, proxy::kDnsListenPort}}});
  }
  proxy_ = std::make_unique<proxy::ServiceProxy>(client, machine_.clock(), machine_.packet_filter(),
                                                 std::move(options));
  const proxy::DnsPorts ports{machine_.clock(), machine_.disk(), machine_.random(),
                              machine_.network(), machine_.datagrams()};
  const proxy::DnsZoneOptions zone{config_.cluster_domain, layout.cluster_dns, layout.service_cidr,
                                   layout.cluster_cidr};
  dns_ = std::make_unique<proxy::DnsServer>(client, proxy_->slices(), ports,
                                            proxy::DnsServerOptions{layout.gateway, zone});
}

Result<node::AgentOptions> NodeSide::options(const Layout& layout, NodeRole role) const {
  node::AgentOptions options;
  options.node_name = layout.node_name;
  options.data_directory = config_.data_dir;
  options.run_directory = config_.run_dir;
  options.pod_cidr = layout.node_cidr;
  options.bridge = config_.bridge;
  options.cgroup_parent = config_.cgroup_parent;
  options.pods_max = config_.max_pods;
  options.eviction = TRY(node::parse_thresholds(config_.eviction_hard).with("eviction-hard"));
  options.cluster_dns = layout.cluster_dns.text();
  options.cluster_domain = config_.cluster_domain;
  options.node_ip = layout.node_ip.text();
  options.runtime_version = runtime_version(machine_, config_.crun, config_.data_dir);
  options.is_confirmed = role.is_confirmed;
  if (role.is_server) options.labels.emplace_back("node-role.kubernetes.io/control-plane", "true");
  for (const std::string& label : config_.node_label) {
    const size_t equals = label.find('=');
    if (equals == std::string::npos)
      return fail(Code::kBadRequest, join({"node-label: \"", label, "\" is not key=value"}));
    options.labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
  }
  return options;
}

}  // namespace coracle::daemon
