// SPDX-License-Identifier: GPL-2.0-or-later
// Stands in for the node agent and its runtime: a container is an entry in a map. Registers its
// Node, renews its Lease, brings bound Pods to Ready and ends the deleted ones. Containers outlive
// the server, as real ones do.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "api/client.h"
#include "port/clock.h"
#include "port/sim/dice.h"
#include "tests/sim/findings.h"

namespace coracle::sim {

class Kubelet final : api::Feed, api::Caller, port::Alarm {
 public:
  Kubelet(port::Clock& clock, uint64_t seed, Findings& findings);
  ~Kubelet() { detach(); }

  void attach(api::Client& client);  // a server is there
  void detach();                     // before it goes

  // By pod uid: its address.
  const std::map<std::string, std::string>& containers() const { return containers_; }

 private:
  using PodName = std::pair<std::string, std::string>;

  void on_change(const api::Change& change) override;
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;
  void on_alarm(port::Timer& timer) override;
  void look_later(const PodName& pod);
  void set_timer();
  void look_at_pod(const PodName& pod);
  void end(const api::Object& pod);
  void look_at_volumes();
  void look_at_volume(const api::Object& volume);
  void look_at_node();
  void renew_lease();
  void report(const api::Object& pod, bool ready, const std::string& address);
  void submit(api::Call call, uint64_t token);

  port::Clock& clock_;
  port_sim::Dice dice_;
  Findings& findings_;
  std::unique_ptr<port::Timer> timer_;
  api::Client* client_ = nullptr;
  std::map<std::string, std::string> containers_;
  std::map<PodName, Mono> due_;
  std::map<uint64_t, PodName> asked_;
  uint64_t next_token_ = 16;  // below: the node's own
  uint32_t next_address_ = 0;
  Mono node_due_;
  Mono lease_due_;
  Mono volumes_due_;
};

}  // namespace coracle::sim
