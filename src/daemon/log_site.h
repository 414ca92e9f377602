// SPDX-License-Identifier: GPL-2.0-or-later
// What a node serves to API servers on port 10250, in the form of a kubelet:
//   GET /containerLogs/<namespace>/<pod>/<container>?follow=true&tailLines=...
//   GET /stats/summary, GET /metrics/resource: what the node and its pods use
//   /exec/, /attach/ and /portForward/ (streams/agent_sessions.h)
// Only the client certificate of an API server is let in.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/client.h"
#include "api/pod_logs.h"
#include "api/usage.h"
#include "http/server.h"
#include "streams/agent_sessions.h"

namespace coracle::daemon {

inline constexpr std::string_view kKubeletClient = "kube-apiserver-kubelet-client";

class LogSite final : public http::Site {
 public:
  LogSite(const api::State& state, port::Clock& clock);
  ~LogSite();
  LogSite(const LogSite&) = delete;
  LogSite& operator=(const LogSite&) = delete;

  void open(api::PodLogs& logs, api::PodStreams& streams, api::UsageSource& usage) {
    logs_ = &logs;
    streams_ = &streams;
    usage_ = &usage;
  }
  void on_request(http::Request&& request, http::Response& response) override;
  void on_drained(http::Response& response) override;
  void on_gone(http::Response& response) override;

 private:
  class Tail;
  Result<> begin(const http::Request& request, http::Response& response);
  void ended(http::Response& response);

  const api::State& state_;
  Result<> tell_usage(const http::Request& request, http::Response& response);
  Result<> begin_session(const http::Request& request, http::Response& response);

  api::PodLogs* logs_ = nullptr;
  api::PodStreams* streams_ = nullptr;
  api::UsageSource* usage_ = nullptr;
  streams::AgentSessions sessions_;
  std::map<http::Response*, std::unique_ptr<Tail>> tails_;
};

}  // namespace coracle::daemon
