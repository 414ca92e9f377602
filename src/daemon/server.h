// SPDX-License-Identifier: GPL-2.0-or-later
// A running server: builds the rooms in floor order, connects them, and takes them down in reverse.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apiserver/local_client.h"
#include "apiserver/server.h"
#include "base/result.h"
#include "daemon/backup_desk.h"
#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/identity.h"
#include "daemon/image_desk.h"
#include "daemon/join_site.h"
#include "daemon/layout.h"
#include "daemon/leader_side.h"
#include "daemon/log_site.h"
#include "daemon/member_admission.h"
#include "daemon/member_desk.h"
#include "daemon/node_side.h"
#include "daemon/peer_side.h"
#include "daemon/pod_log_router.h"
#include "daemon/state_confirmation.h"
#include "daemon/store_mending.h"
#include "daemon/time_floor.h"
#include "daemon/usage_router.h"
#include "http/server.h"
#include "port/linux/machine.h"
#include "store/store.h"

namespace coracle::daemon {

class Server final : port_linux::SignalEvents,
                     ControlSite,
                     api::Caller,
                     api::Feed,
                     store::MembershipWaiter,
                     port::TurnEnd,
                     port::Alarm {
 public:
  Server(port_linux::Machine& machine, Config config);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Result<> start();
  Result<> failure() const { return failure_; }  // why run() ended by itself
  bool moved() const { return moved_; }          // to another address: to be started anew

 private:
  Result<> load_identity();
  Result<> open_store(std::optional<store::Joining> joining, bool& is_new);
  Result<> start_api();
  Result<> serve_https();
  Result<> serve_logs();
  Result<> use_certificates();
  Result<> start_node();
  void catch_up();
  bool know_own_pods();
  void renew();
  Result<> write_kubeconfig();
  Result<> keep_token();
  void on_signal(int signal) override;
  void on_command(uint64_t token, const std::vector<std::string>& words) override;
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;
  void on_change(const api::Change& change) override;
  void on_turn_end() override;
  void on_alarm(port::Timer& timer) override;
  void on_membership(Result<> outcome) override;
  bool hand_over();
  void look_around();
  void stop();

  port_linux::Machine& machine_;
  Config config_;
  Layout layout_;
  IdentityOptions identity_options_;
  Identity identity_;
  Result<> failure_;
  bool node_started_ = false;
  bool moved_ = false;
  // In floor order: destroyed in reverse.
  std::unique_ptr<port::Lane> log_lane_;
  std::unique_ptr<port::Lane> state_lane_;
  std::unique_ptr<port::Lane> unpack_lane_;
  std::unique_ptr<TimeFloor> time_floor_;
  std::unique_ptr<port::Timer> renewal_;
  std::unique_ptr<port::Timer> look_;      // whether the address changed
  std::unique_ptr<port::Timer> farewell_;  // once it stops, if it led
  std::unique_ptr<PeerSide> peers_;        // the store's transport
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<apiserver::ApiServer> api_;
  std::unique_ptr<apiserver::LocalClient> proxy_client_;
  std::unique_ptr<apiserver::LocalClient> node_client_;
  std::unique_ptr<apiserver::LocalClient> join_client_;
  std::unique_ptr<StoreMending> mending_;
  std::unique_ptr<PodLogRouter> logs_;
  std::unique_ptr<UsageRouter> usages_;
  std::unique_ptr<LeaderSide> leader_;
  std::unique_ptr<NodeSide> node_;
  std::unique_ptr<StateConfirmation> confirmation_;
  std::unique_ptr<MemberAdmission> admission_;
  std::unique_ptr<JoinSite> join_site_;
  std::unique_ptr<LogSite> log_site_;
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<http::Server> log_server_;
  ControlServer control_;
  ImageDesk images_;
  BackupDesk backups_;
  std::unique_ptr<MemberDesk> members_;
};

}  // namespace coracle::daemon
