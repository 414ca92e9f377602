// SPDX-License-Identifier: GPL-2.0-or-later
// HTTPS client over one keep-alive HTTP/1.1 connection: requests one after another, bodies streamed
// as they come (watches). Used by the command line and by remote agents.
#pragma once

#include <memory>
#include <string_view>

#include "http/message.h"
#include "http/tls.h"
#include "port/clock.h"
#include "port/net.h"

namespace coracle::http {

class ClientEvents {
 public:
  virtual void on_head(int status, const std::vector<Header>& headers) = 0;
  virtual void on_body(std::string_view bytes) = 0;
  virtual void on_end() = 0;                         // the answer is complete
  virtual void on_failed(std::string_view why) = 0;  // instead of on_end; also before on_head

 protected:
  ~ClientEvents() = default;
};

class Client final {
 public:
  Client(port::Clock& clock,
         port::Network& network,
         port::Endpoint server,
         std::shared_ptr<const TlsClientContext> tls);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  // Queued behind the ones in progress. `request.path` and `request.query` are sent as they are.
  void send(const Request& request, ClientEvents& events);
  void pause(bool paused);  // no on_body meanwhile, nor anything else; only while one is answered
  void close();             // drops the connection and all requests, without events

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace coracle::http
