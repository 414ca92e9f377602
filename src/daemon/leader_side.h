// SPDX-License-Identifier: GPL-2.0-or-later
// What runs on one server of the cluster only, the leader: controllers, scheduler, and the list of
// API servers behind default/kubernetes. Leases in kube-system show who it is.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apiserver/local_client.h"
#include "controllers/runner.h"
#include "controllers/usage_metrics.h"
#include "port/linux/machine.h"
#include "scheduler/scheduler.h"
#include "store/store.h"

namespace coracle::daemon {

struct LeaderOptions {
  std::string node_name;
  std::string ca_pem;
  std::string cluster_cidr;
  std::vector<scheduler::Profile> profiles = {};
};

class LeaderSide final : store::StandingListener, port::TurnEnd, port::Alarm, api::Caller {
 public:
  LeaderSide(port_linux::Machine& machine,
             store::Store& store,
             apiserver::ApiServer& api,
             api::Usages& usages,
             LeaderOptions options);
  ~LeaderSide();
  LeaderSide(const LeaderSide&) = delete;
  LeaderSide& operator=(const LeaderSide&) = delete;

  void start();  // from now on it follows elections
  void stop();

 private:
  void on_standing() override { clock_.at_turn_end(*this); }
  void on_turn_end() override;
  void on_alarm(port::Timer&) override { clock_.at_turn_end(*this); }
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;
  void publish_servers();
  void publish_leader(std::string_view name);
  void write(const api::Kind& kind, std::string_view ns, std::string_view name, std::string body);

  port::Clock& clock_;
  store::Store& store_;
  const LeaderOptions options_;
  apiserver::LocalClient controller_client_;
  apiserver::LocalClient scheduler_client_;
  apiserver::LocalClient own_client_;
  controllers::UsageMetrics metrics_;
  controllers::Runner controllers_;
  scheduler::Scheduler scheduler_;
  std::unique_ptr<port::Timer> retry_;
  std::vector<std::string> published_;
  raft::Term announced_ = 0;  // in the Leases
  bool started_ = false;
  bool leading_ = false;
};

}  // namespace coracle::daemon
