// SPDX-License-Identifier: GPL-2.0-or-later
// The one connection of an agent to whichever server answers: knows all servers, goes to the next
// one when the connection is lost, and keeps a random pause so that many agents do not come at
// once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/channel.h"
#include "port/random.h"

namespace coracle::client {

class LinkEvents {
 public:
  virtual void on_link_up(http::Channel& channel) = 0;
  virtual void on_link_down() = 0;  // the channel of before is of no use any more

 protected:
  ~LinkEvents() = default;
};

class Link final : http::ChannelEvents, port::Alarm {
 public:
  Link(port::Clock& clock, port::Network& network, port::Random& random, LinkEvents& events);
  ~Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // For connections from now on; the one that stands is not broken.
  void use_tls(std::shared_ptr<const http::TlsClientContext> tls) { tls_ = std::move(tls); }
  void use_mark(http::Header mark) { mark_ = std::move(mark); }
  void use_servers(std::vector<port::Endpoint> servers);
  const std::vector<port::Endpoint>& servers() const { return servers_; }
  void start();
  bool up() const { return channel_ != nullptr && channel_->open(); }

 private:
  void on_channel_open() override;
  void on_channel_closed(std::string_view why) override;
  void on_alarm(port::Timer& timer) override;
  void dial();
  Duration pause();

  port::Clock& clock_;
  port::Network& network_;
  port::Random& random_;
  LinkEvents& events_;
  std::shared_ptr<const http::TlsClientContext> tls_;
  std::vector<port::Endpoint> servers_;
  http::Header mark_;
  size_t at_ = 0;          // the one in use or to be tried next
  size_t failures_ = 0;    // since a connection last stood
  bool was_up_ = false;    // this channel was open
  bool reported_ = false;  // a loss is logged once, not at every attempt
  std::unique_ptr<port::Timer> timer_;
  std::unique_ptr<http::Channel> channel_;
};

}  // namespace coracle::client
