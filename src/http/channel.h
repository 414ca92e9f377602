// SPDX-License-Identifier: GPL-2.0-or-later
// HTTPS client over one HTTP/2 connection: any number of requests at once, answers streamed as they
// come. Connects when it is made; a lost connection is told once and the Channel is of no more use.
// Used by remote agents, whose watches and writes all share one connection to a server.
#pragma once

#include <memory>
#include <string_view>

#include "http/client.h"

namespace coracle::http {

class ChannelEvents {
 public:
  virtual void on_channel_open() = 0;
  // Once; every request in progress has failed before. The Channel must not be destroyed from
  // inside this or any other event.
  virtual void on_channel_closed(std::string_view why) = 0;

 protected:
  ~ChannelEvents() = default;
};

class Channel final {
 public:
  Channel(port::Clock& clock,
          port::Network& network,
          port::Endpoint server,
          std::shared_ptr<const TlsClientContext> tls,  // offers h2
          ChannelEvents& events);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void mark(Header header) { mark_ = std::move(header); }  // every request gets it
  // Only while open. Events come later, never from inside.
  void send(Request request, ClientEvents& events);
  void forget(ClientEvents& events);  // its requests are cancelled and tell nothing more
  bool open() const;

 private:
  class State;
  Header mark_;
  std::unique_ptr<State> state_;
};

}  // namespace coracle::http
