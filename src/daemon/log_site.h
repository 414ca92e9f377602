// SPDX-License-Identifier: GPL-2.0-or-later
// What a node serves to API servers on port 10250, in the form of a kubelet:
//   GET /containerLogs/<namespace>/<pod>/<container>?follow=true&tailLines=...
// Only the client certificate of an API server is let in.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/client.h"
#include "api/pod_logs.h"
#include "http/server.h"

namespace coracle::daemon {

inline constexpr std::string_view kKubeletClient = "kube-apiserver-kubelet-client";

class LogSite final : public http::Site {
 public:
  explicit LogSite(const api::State& state);
  ~LogSite();
  LogSite(const LogSite&) = delete;
  LogSite& operator=(const LogSite&) = delete;

  void open(api::PodLogs& logs) { logs_ = &logs; }
  void on_request(http::Request&& request, http::Response& response) override;
  void on_drained(http::Response& response) override;
  void on_gone(http::Response& response) override;

 private:
  class Tail;
  Result<> begin(const http::Request& request, http::Response& response);
  void ended(http::Response& response);

  const api::State& state_;
  api::PodLogs* logs_ = nullptr;
  std::map<http::Response*, std::unique_ptr<Tail>> tails_;
};

}  // namespace coracle::daemon
