// SPDX-License-Identifier: GPL-2.0-or-later
// Container logs for the API server: from the node agent of this process, or over the network from
// the one of the pod's node.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/client.h"
#include "api/pod_logs.h"
#include "http/client.h"
#include "pki/certificate.h"
#include "port/random.h"
#include "streams/relay.h"

namespace coracle::daemon {

struct LogRouterOptions {
  std::string node_name;  // of this process
  std::string authority_pem;
  pki::KeyAndCertificate client;  // what agents know us by
};

class PodLogRouter final : public api::PodLogs, public streams::Agents, port::TurnEnd {
 public:
  PodLogRouter(const api::State& state,
               port::Clock& clock,
               port::Network& network,
               port::Random& random,
               LogRouterOptions options);
  ~PodLogRouter() { clock_.cancel_turn_end(*this); }
  PodLogRouter(const PodLogRouter&) = delete;
  PodLogRouter& operator=(const PodLogRouter&) = delete;

  void use_local(api::PodLogs* local) { local_ = local; }  // null: none yet
  void use_client(pki::KeyAndCertificate client) { options_.client = std::move(client); }

  Result<std::unique_ptr<api::LogStream>> open(const api::Object& pod,
                                               const api::LogOptions& options,
                                               api::LogSink& sink) override;

  Result<std::optional<streams::Agent>> agent_of(const std::string& node) override;
  port::Network& network() override { return network_; }

 private:
  class Remote;
  Result<streams::Agent> find(const std::string& node) const;
  void retire(std::unique_ptr<http::Client> client);
  void on_turn_end() override { retired_.clear(); }

  const api::State& state_;
  port::Clock& clock_;
  port::Network& network_;
  port::Random& random_;
  LogRouterOptions options_;
  api::PodLogs* local_ = nullptr;
  std::vector<std::unique_ptr<http::Client>> retired_;  // not freed from inside their own events
};

}  // namespace coracle::daemon
