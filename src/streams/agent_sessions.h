// SPDX-License-Identifier: GPL-2.0-or-later
// The agent's end of relayed sessions:
//   /exec/<namespace>/<pod>/<container>?command=..., /attach/..., /portForward/<namespace>/<pod>
#pragma once

#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "streams/session.h"

namespace coracle::streams {

// What the query of exec and attach says. `container` is left to the caller.
api::PodCommand read_command(std::string_view query);
// 400 for what is no port.
Result<std::vector<uint16_t>> read_ports(std::string_view query);

class AgentSessions {
 public:
  explicit AgentSessions(port::Clock& clock);
  ~AgentSessions();
  AgentSessions(const AgentSessions&) = delete;
  AgentSessions& operator=(const AgentSessions&) = delete;

  static bool takes(std::string_view path);
  // `pod` is that of the path.
  Result<> begin(api::PodStreams& pods,
                 api::ObjectRef pod,
                 const http::Request& request,
                 http::Response& response);
  void on_drained(http::Response& response);
  void on_gone(http::Response& response);

 private:
  class Open;
  port::Clock& clock_;
  std::map<http::Response*, std::unique_ptr<Open>> open_;
};

}  // namespace coracle::streams
