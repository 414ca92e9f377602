// SPDX-License-Identifier: GPL-2.0-or-later
// The server of one node as the daemon builds it, on a simulated machine: every room from the store
// to the HTTPS port, without the node agent and the proxy.
#pragma once

#include <memory>

#include "apiserver/local_client.h"
#include "apiserver/server.h"
#include "base/result.h"
#include "controllers/runner.h"
#include "http/server.h"
#include "port/sim/world.h"
#include "scheduler/scheduler.h"
#include "store/store.h"
#include "tests/sim/history.h"

namespace coracle::sim {

inline constexpr std::string_view kNodeName = "gw1";
inline constexpr uint16_t kApiPort = 6443;

class House {
 public:
  House(port_sim::Machine& machine, History& history);
  ~House() { demolish(); }

  void use_options(store::StoreOptions options) { options_ = std::move(options); }
  Result<> open();
  Result<> close();  // an orderly stop
  void demolish();   // the process dies

  bool is_open() const { return rooms_ != nullptr; }
  uint64_t life() const { return life_; }
  store::Store& store() { return *rooms_->store; }
  apiserver::ApiServer& api() { return *rooms_->api; }
  apiserver::LocalClient& node_client() { return *rooms_->node_client; }
  bool controllers_idle() const { return rooms_->controllers->idle(); }

 private:
  // In floor order: destroyed in reverse.
  struct Rooms {
    std::unique_ptr<port::Lane> log_lane;
    std::unique_ptr<port::Lane> state_lane;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<apiserver::ApiServer> api;
    std::unique_ptr<apiserver::LocalClient> controller_client;
    std::unique_ptr<apiserver::LocalClient> scheduler_client;
    std::unique_ptr<apiserver::LocalClient> node_client;
    std::unique_ptr<controllers::Runner> controllers;
    std::unique_ptr<scheduler::Scheduler> scheduler;
    std::unique_ptr<http::Server> http;
    ~Rooms();
  };
  Result<> build(Rooms& rooms);

  port_sim::Machine& machine_;
  History& history_;
  store::StoreOptions options_;
  std::unique_ptr<Rooms> rooms_;
  uint64_t life_ = 0;
};

}  // namespace coracle::sim
