// SPDX-License-Identifier: GPL-2.0-or-later
// One question at a time to a running server, for the command line: reads a kubeconfig, waits for
// each answer.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "http/client.h"
#include "port/linux/machine.h"

namespace coracle::daemon {

class ApiSession final : http::ClientEvents, port::Alarm {
 public:
  // `kubeconfig_path`: the first cluster and user in it count; certificates must be inline.
  static Result<std::unique_ptr<ApiSession>> open(port_linux::Machine& machine,
                                                  const std::string& kubeconfig_path);

  // Without a kubeconfig: `tls` says whom to believe and who asks.
  static Result<std::unique_ptr<ApiSession>> open(port_linux::Machine& machine,
                                                  const port::Endpoint& server,
                                                  const http::TlsClientOptions& tls);

  // The body of a 2xx; the server's message otherwise. kUnavailable after 10 s.
  Result<std::string> get(const std::string& path,
                          const std::string& query = {},
                          const std::string& accept = "application/json");
  Result<std::string> ask(const http::Request& request);
  int status() const { return status_; }  // of the last answer

 private:
  explicit ApiSession(port_linux::Machine& machine) : machine_(machine) {}
  void on_head(int status, const std::vector<http::Header>& headers) override;
  void on_body(std::string_view bytes) override;
  void on_end() override;
  void on_failed(std::string_view why) override;
  void on_alarm(port::Timer& timer) override;

  port_linux::Machine& machine_;
  std::unique_ptr<http::Client> client_;
  std::string host_;
  int status_ = 0;
  std::string body_;
  std::string failure_;
};

}  // namespace coracle::daemon
