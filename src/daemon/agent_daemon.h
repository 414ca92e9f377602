// SPDX-License-Identifier: GPL-2.0-or-later
// A running agent: a node whose servers are elsewhere. Joins once, knows its servers from then on,
// and starts its pods from what it remembers when none of them can be reached.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/remote_client.h"
#include "daemon/agent_identity.h"
#include "daemon/beacon.h"
#include "daemon/certificate_renewal.h"
#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/image_desk.h"
#include "daemon/layout.h"
#include "daemon/log_site.h"
#include "daemon/node_side.h"
#include "daemon/time_floor.h"
#include "http/server.h"
#include "port/linux/machine.h"

namespace coracle::daemon {

class AgentDaemon final : port_linux::SignalEvents,
                          ControlSite,
                          client::RemoteListener,
                          RenewalListener,
                          api::Feed,
                          BeaconListener,
                          api::Caller,
                          port::Alarm,
                          port::TurnEnd {
 public:
  AgentDaemon(port_linux::Machine& machine, Config config);
  ~AgentDaemon();
  AgentDaemon(const AgentDaemon&) = delete;
  AgentDaemon& operator=(const AgentDaemon&) = delete;

  // Returns once the way to the servers is open; the node starts when its state is known.
  Result<> start();
  Result<> failure() const { return failure_; }  // why run() ended by itself
  bool moved() const { return moved_; }          // to another address: to be started anew

 private:
  Result<> know_identity();
  Result<> save_identity();
  std::string instance();
  void look_around();
  void on_found(uint64_t member, const port::Endpoint& server) override;
  Result<> use_certificate();
  Result<> listen_for_logs();
  Result<> start_node(const Cidr4& pods);
  void try_to_start_node();
  void ask_for_node();

  void on_signal(int signal) override;
  void on_command(uint64_t token, const std::vector<std::string>& words) override;
  void on_complete() override { clock_end(); }
  void on_servers(const std::vector<port::Endpoint>& servers) override;
  void on_renewed(std::string_view answer) override;
  void on_change(const api::Change& change) override;
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;
  void on_alarm(port::Timer& timer) override;
  void on_turn_end() override { try_to_start_node(); }
  void clock_end() { machine_.clock().at_turn_end(*this); }

  port_linux::Machine& machine_;
  Config config_;
  AgentIdentity identity_;
  Layout layout_;
  Result<> failure_;
  bool remembered_ = false;
  bool patience_over_ = false;  // no server answered in time
  bool asked_ = false;
  bool started_ = false;
  bool moved_ = false;
  uint32_t looks_ = 0;  // in vain
  std::unique_ptr<port::Timer> look_;
  std::unique_ptr<Beacon> beacon_;
  std::unique_ptr<port::Lane> unpack_lane_;
  std::unique_ptr<TimeFloor> time_floor_;
  std::unique_ptr<port::Timer> patience_;
  std::unique_ptr<client::RemoteClient> client_;
  std::unique_ptr<CertificateRenewal> renewal_;
  std::unique_ptr<NodeSide> node_;
  std::unique_ptr<LogSite> log_site_;
  std::unique_ptr<http::Server> log_server_;
  ControlServer control_;
  ImageDesk images_;
};

}  // namespace coracle::daemon
