// SPDX-License-Identifier: GPL-2.0-or-later
// ApiServer: the Kubernetes API as a Site. HTTP requests and in-process calls go through one
// pipeline (pipeline.cc is the place to start reading).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/pod_logs.h"
#include "api/pod_streams.h"
#include "api/usage.h"
#include "base/result.h"
#include "http/server.h"
#include "port/clock.h"
#include "port/random.h"
#include "store/store.h"

namespace coracle::streams {
class Agents;
}

namespace coracle::apiserver {

struct ServedVersion {
  std::string major = "1";
  std::string minor = "36";
  std::string git = "v1.36.2+coracle." CORACLE_VERSION;
  std::string commit = "unknown";
  std::string build_date = "1970-01-01T00:00:00Z";
  std::string compiler = "gcc";
  std::string platform = "linux/unknown";
};

struct ServerOptions {
  std::string token_key_pem;  // signs and verifies service-account tokens
  std::string ca_pem;         // what kube-root-ca.crt tells Pods
  std::string cluster_name = "coracle";
  std::string service_cidr = "10.43.0.0/16";
  std::string pod_cidr = "10.42.0.0/16";
  std::string cluster_dns = "10.43.0.10";  // of Service kube-system/kube-dns; empty: there is none
  std::string server_address;  // "192.0.2.1:6443": in discovery and behind default/kubernetes
  ServedVersion version = {};
};

struct Parts;

class ApiServer final : public http::Site {
 public:
  // `logs` may be null: there is no node agent here. It may come later by use_pod_logs().
  ApiServer(port::Clock& clock,
            port::Random& random,
            store::Store& store,
            api::PodLogs* logs,
            ServerOptions options);
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  void use_pod_logs(api::PodLogs* logs);
  // Those of this node, and the way to those of the others.
  void use_pod_streams(api::PodStreams* streams);
  void use_agents(streams::Agents* agents);
  void use_usages(api::Usages* usages);
  // Takes Service addresses into account and makes the objects every cluster has. Ready follows
  // once they are stored.
  void start();
  bool ready() const;
  // Ends watches and logs cleanly, so that clients reconnect elsewhere.
  void stop();

  void on_request(http::Request&& request, http::Response& response) override;
  void on_drained(http::Response& response) override;
  void on_gone(http::Response& response) override;
  std::string refusal(int status, std::string_view why) override;

  struct Figures {
    size_t reads = 0;
    size_t writes = 0;
    size_t watches = 0;
  };
  Figures figures() const;

 private:
  friend class LocalClient;
  class State;
  Parts& parts();
  std::unique_ptr<State> state_;
};

}  // namespace coracle::apiserver
