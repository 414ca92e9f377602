// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/link.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"

namespace coracle::client {

namespace {

constexpr Duration kSpread = milliseconds(300);  // of agents that lose a server at the same moment
constexpr Duration kPauseFirst = milliseconds(500);  // after all servers were tried in vain
constexpr Duration kPauseMax = seconds(15);

std::string text_of(const port::Endpoint& server) {
  return join({server.host, ":", std::to_string(server.port)});
}

bool same(const port::Endpoint& a, const port::Endpoint& b) {
  return a.host == b.host && a.port == b.port;
}

}  // namespace

Link::Link(port::Clock& clock, port::Network& network, port::Random& random, LinkEvents& events)
    : clock_(clock),
      network_(network),
      random_(random),
      events_(events),
      timer_(clock.timer(*this)) {}

// The server in use stays in use; a new one is found when the connection is lost.
void Link::use_servers(std::vector<port::Endpoint> servers) {
  if (servers.empty()) return;
  size_t at = random_.next() % servers.size();
  for (size_t i = 0; i < servers.size() && !servers_.empty(); ++i) {
    if (same(servers[i], servers_[at_])) at = i;
  }
  servers_ = std::move(servers);
  at_ = at;
}

void Link::start() {
  timer_->arm(clock_.now());
}

void Link::on_alarm(port::Timer&) {
  dial();
}

void Link::dial() {
  was_up_ = false;
  http::ChannelEvents& events = *this;
  channel_ = std::make_unique<http::Channel>(clock_, network_, servers_[at_], tls_, events);
  channel_->mark(mark_);
}

void Link::on_channel_open() {
  was_up_ = true;
  failures_ = 0;
  reported_ = false;
  LOG(kInfo, "client: connected", kv("server", text_of(servers_[at_])));
  events_.on_link_up(*channel_);
}

void Link::on_channel_closed(std::string_view why) {
  if (!reported_) {
    LOG(kWarn, "client: no connection to a server", kv("server", text_of(servers_[at_])),
        kv("why", why));
  }
  ++failures_;
  reported_ = failures_ >= servers_.size();  // each of them was named
  at_ = (at_ + 1) % servers_.size();
  timer_->arm(clock_.now() + pause());
  if (was_up_) events_.on_link_down();
  was_up_ = false;
}

// The next server is tried almost at once; a round in vain doubles the pause before the next.
Duration Link::pause() {
  const auto some_of = [this](Duration most) {
    return Duration{static_cast<int64_t>(random_.next() % static_cast<uint64_t>(most.ns))};
  };
  if (failures_ == 1) return was_up_ ? some_of(kSpread) : kSpread;
  if (failures_ % servers_.size() != 0) return milliseconds(10);
  const size_t rounds = std::min<size_t>(failures_ / servers_.size(), 6);
  const Duration most = std::min(kPauseFirst * (int64_t{1} << rounds), kPauseMax);
  return Duration{most.ns / 2} + some_of(Duration{most.ns / 2});
}

}  // namespace coracle::client
