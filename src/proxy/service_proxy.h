// SPDX-License-Identifier: GPL-2.0-or-later
// The reactor that keeps the kernel's Service table as the API wants it: Change -> dirty Services
// -> at the end of the turn one Ruleset, one transaction. Owned by the daemon, one per node.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "api/client.h"
#include "port/clock.h"
#include "port/packet_filter.h"
#include "proxy/slice_index.h"

namespace coracle::proxy {

struct ProxyOptions {
  Cidr4 service_cidr;
  Cidr4 pod_cidr;
  std::string node_name;
  // What this node serves itself, whatever Services say of the same ports: the cluster DNS.
  std::vector<port::VirtualService> own;
};

class ServiceProxy final : api::Feed, port::TurnEnd, port::Alarm {
 public:
  ServiceProxy(api::Client& client,
               port::Clock& clock,
               port::PacketFilter& filter,
               ProxyOptions options);
  ~ServiceProxy();
  ServiceProxy(const ServiceProxy&) = delete;
  ServiceProxy& operator=(const ServiceProxy&) = delete;

  // Reads all Services once and programs them; follows changes from then on.
  void start();
  const SliceIndex& slices() const { return slices_; }

 private:
  void on_change(const api::Change& change) override;
  void on_turn_end() override;
  void on_alarm(port::Timer& timer) override;
  void mark(ServiceName service);
  void plan_dirty();
  void apply();

  api::Client& client_;
  port::Clock& clock_;
  port::PacketFilter& filter_;
  ProxyOptions options_;
  std::set<ServiceName> dirty_;
  std::map<ServiceName, std::vector<port::VirtualService>> planned_;
  SliceIndex slices_;
  std::unique_ptr<port::Timer> retry_;
  bool started_ = false;
};

}  // namespace coracle::proxy
