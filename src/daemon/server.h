// SPDX-License-Identifier: GPL-2.0-or-later
// A running server: builds the rooms in floor order, connects them, and takes them down in reverse.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apiserver/local_client.h"
#include "apiserver/server.h"
#include "base/result.h"
#include "controllers/runner.h"
#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/identity.h"
#include "daemon/image_desk.h"
#include "daemon/join_site.h"
#include "daemon/layout.h"
#include "daemon/leadership.h"
#include "daemon/log_site.h"
#include "daemon/node_side.h"
#include "daemon/pod_log_router.h"
#include "daemon/time_floor.h"
#include "http/server.h"
#include "port/linux/machine.h"
#include "scheduler/scheduler.h"
#include "store/store.h"

namespace coracle::daemon {

class Server final : port_linux::SignalEvents, ControlSite, api::Caller {
 public:
  Server(port_linux::Machine& machine, const Config& config);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Result<> start();

 private:
  Result<> open_store();
  Result<> start_api();
  Result<> serve_https();
  Result<> serve_logs();
  Result<> start_reactors();
  Result<> write_kubeconfig();
  Result<> keep_token();
  void on_signal(int signal) override;
  void on_command(uint64_t token, const std::vector<std::string>& words) override;
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;

  port_linux::Machine& machine_;
  const Config& config_;
  Layout layout_;
  Identity identity_;
  // In floor order: destroyed in reverse.
  std::unique_ptr<port::Lane> log_lane_;
  std::unique_ptr<port::Lane> state_lane_;
  std::unique_ptr<port::Lane> unpack_lane_;
  std::unique_ptr<TimeFloor> time_floor_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<apiserver::ApiServer> api_;
  std::unique_ptr<apiserver::LocalClient> controller_client_;
  std::unique_ptr<apiserver::LocalClient> scheduler_client_;
  std::unique_ptr<apiserver::LocalClient> proxy_client_;
  std::unique_ptr<apiserver::LocalClient> node_client_;
  std::unique_ptr<apiserver::LocalClient> join_client_;
  std::unique_ptr<controllers::Runner> controllers_;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  std::unique_ptr<Leadership> leadership_;
  std::unique_ptr<PodLogRouter> logs_;
  std::unique_ptr<NodeSide> node_;
  std::unique_ptr<JoinSite> join_site_;
  std::unique_ptr<LogSite> log_site_;
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<http::Server> log_server_;
  ControlServer control_;
  ImageDesk images_;
};

}  // namespace coracle::daemon
