// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server.h"

#include <algorithm>
#include <vector>

#include "base/log.h"
#include "http/connection.h"

namespace coracle::http {
namespace {

// While others wait, a handshake that does not get on gives up its slot.
constexpr Duration kHandshakePatience = seconds(3);

}  // namespace

class Server::State final : public port::Acceptor,
                            public ConnectionOwner,
                            public port::TurnEnd,
                            public port::Alarm {
 public:
  State(port::Clock& clock, Site& site)
      : bodies_(clock),
        around_{clock, site, bodies_, *this},
        patience_(clock.timer(*this)) {}
  ~State() { around_.clock.cancel_turn_end(*this); }

  void on_accept(std::unique_ptr<port::Stream> stream) override;
  void on_hello() override { around_.clock.at_turn_end(*this); }
  void on_handshake_over() override { around_.clock.at_turn_end(*this); }
  void on_retired() override { around_.clock.at_turn_end(*this); }
  void on_turn_end() override;
  void on_alarm(port::Timer& timer) override;
  void stop_accepting();

  std::shared_ptr<const TlsServerContext> tls;
  std::vector<std::unique_ptr<port::Listener>> listeners;
  size_t connections() const;

 private:
  void start_waiting();
  bool make_room_for(const std::string& address);
  bool drop_unknown(const std::string* address);
  void drop_strangers_above(size_t most);
  size_t count(bool (Connection::*is)() const) const;

  BodyBudget bodies_;
  Connection::Surroundings around_;
  std::unique_ptr<port::Timer> patience_;
  std::vector<std::unique_ptr<Connection>> connections_;  // in order of arrival
};

void Server::State::on_accept(std::unique_ptr<port::Stream> stream) {
  if (tls == nullptr || !make_room_for(stream->peer().host)) return;  // closes it
  connections_.push_back(std::make_unique<Connection>(around_, std::move(stream)));
}

size_t Server::State::connections() const {
  return connections_.size() - count(&Connection::is_retired);
}

// Where there is no room, who is not known yet gives way to who comes now, the oldest first: a
// client that knows what it wants is done sooner than one that holds on.
bool Server::State::make_room_for(const std::string& address) {
  const auto same = std::count_if(connections_.begin(), connections_.end(), [&](const auto& each) {
    return !each->is_retired() && each->peer_address() == address;
  });
  if (static_cast<size_t>(same) >= limits::kConnectionsPerAddressMax) return drop_unknown(&address);
  return connections() < limits::kConnectionsMax || drop_unknown(nullptr);
}

bool Server::State::drop_unknown(const std::string* address) {
  for (const auto& each : connections_) {
    if (each->is_retired() || each->is_known()) continue;
    if (address != nullptr && each->peer_address() != *address) continue;
    each->drop();
    return true;
  }
  return false;
}

void Server::State::drop_strangers_above(size_t most) {
  size_t strangers = count(&Connection::is_stranger);
  for (const auto& each : connections_) {
    if (strangers <= most) return;
    if (!each->is_stranger()) continue;
    each->drop();
    strangers--;
  }
}

size_t Server::State::count(bool (Connection::*is)() const) const {
  const auto found = std::count_if(connections_.begin(), connections_.end(),
                                   [is](const auto& each) { return (*each.*is)(); });
  return static_cast<size_t>(found);
}

// Gives free handshake slots to those who wait, first come first served.
void Server::State::start_waiting() {
  size_t busy = count(&Connection::is_shaking_hands);
  bool someone_waits = false;
  for (const auto& each : connections_) {
    if (!each->is_waiting()) continue;
    if (busy >= limits::kHandshakesMax) {
      someone_waits = true;
      break;
    }
    each->start(tls);
    busy++;
  }
  drop_strangers_above(limits::kStrangersMax);
  if (!someone_waits) return patience_->disarm();
  if (!patience_->armed()) patience_->arm(around_.clock.now() + kHandshakePatience);
}

void Server::State::on_turn_end() {
  std::erase_if(connections_, [](const auto& each) { return each->is_retired(); });
  start_waiting();
}

void Server::State::on_alarm(port::Timer&) {
  const Mono patience_began = around_.clock.now() + kHandshakePatience * -1;
  for (const auto& each : connections_) {
    if (each->is_shaking_hands() && each->started() <= patience_began) each->drop();
  }
  around_.clock.at_turn_end(*this);
}

void Server::State::stop_accepting() {
  listeners.clear();
  for (const auto& each : connections_)
    each->stop();
}

Server::Server(port::Clock& clock, port::Random&, Site& site)
    : state_(std::make_unique<State>(clock, site)) {}
Server::~Server() = default;

void Server::use_tls(std::shared_ptr<const TlsServerContext> tls) {
  state_->tls = std::move(tls);
}

Result<> Server::listen(port::Network& network, const port::Endpoint& at) {
  state_->listeners.push_back(TRY(network.listen(at, *state_).with("listen")));
  return {};
}

port::Endpoint Server::local() const {
  ASSERT(!state_->listeners.empty());
  return state_->listeners.front()->local();
}

void Server::stop_accepting() {
  state_->stop_accepting();
}
size_t Server::connections() const {
  return state_->connections();
}

}  // namespace coracle::http
