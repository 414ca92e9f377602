// SPDX-License-Identifier: GPL-2.0-or-later
// A client's upgraded connection to a pod: kubectl exec, attach, cp and port-forward. Whoever
// serves HTTP (the API server, a node's agent) opens a session for a request and passes on what
// happens to its Response.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "api/pod_streams.h"
#include "http/server.h"
#include "port/clock.h"

namespace coracle::streams {

class Session {
 public:
  virtual ~Session() = default;
  virtual void on_drained() = 0;  // http::Site::on_drained
};

class SessionOwner {
 public:
  // The Response is finished. The session may be destroyed; nothing follows.
  virtual void on_session_over() = 0;
  // Instead, of one that is relayed: nothing was sent, the Response awaits an answer.
  virtual void on_session_failed(const Error& /*why*/) { on_session_over(); }

 protected:
  ~SessionOwner() = default;
};

struct Place {
  port::Clock& clock;
  api::PodStreams& pods;
  api::ObjectRef pod;
  const http::Request& request;
  http::Response& response;
  SessionOwner& owner;
};

// An error is to be answered as such: nothing was sent yet. Destroying a session that is not over
// leaves its Response alone: its client has gone.
Result<std::unique_ptr<Session>> open_command(const Place& place, api::PodCommand command);
// `ports`: of the old channels, two for each; clients of SPDY name the port of each connection.
Result<std::unique_ptr<Session>> open_port_forward(const Place& place,
                                                   const std::vector<uint16_t>& ports);

}  // namespace coracle::streams
