// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions with pods of other nodes: the client's request goes on to the agent there, and once that
// has left HTTP, bytes go both ways as they are.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/tls.h"
#include "port/net.h"
#include "streams/session.h"

namespace coracle::streams {

struct Agent {
  port::Endpoint endpoint;
  std::shared_ptr<const http::TlsClientContext> tls;
};

class Agents {
 public:
  // Of the node; nullopt: it is this one. 503 if it cannot be reached.
  virtual Result<std::optional<Agent>> agent_of(const std::string& node) = 0;
  virtual port::Network& network() = 0;

 protected:
  ~Agents() = default;
};

struct RelayPlace {
  port::Clock& clock;
  port::Network& network;
  const http::Request& request;
  http::Response& response;
  SessionOwner& owner;
};

// `target`: path and query at the agent. What goes wrong comes by on_session_failed() until the
// agent has agreed.
std::unique_ptr<Session> open_relay(const RelayPlace& place,
                                    const Agent& agent,
                                    const std::string& target);

}  // namespace coracle::streams
