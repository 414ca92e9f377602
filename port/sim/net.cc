// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/sim/net.h"

#include <algorithm>

#include "base/assert.h"
#include "base/ip.h"
#include "port/sim/datagrams.h"

namespace coracle::port_sim {

Switch::Switch(Timeline& timeline, uint64_t seed) : timeline_(timeline), dice_(seed) {}

Switch::~Switch() {
  ASSERT(listeners_.empty() && bound_.empty());
}

void Switch::cut(uint32_t a, uint32_t b, bool is_cut) {
  cuts_[std::minmax(a, b)] = is_cut;
}

bool Switch::is_cut(uint32_t a, uint32_t b) const {
  const auto found = cuts_.find(std::minmax(a, b));
  return found != cuts_.end() && found->second;
}

uint32_t Switch::machine_at(const std::string& address, uint32_t from) const {
  if (address.starts_with("127.")) return from;
  const auto found = machines_.find(address);
  return found == machines_.end() ? 0 : found->second;
}

uint64_t Switch::connect(port::Endpoint from, port::Endpoint to, Socket target) {
  const uint64_t id = next_id_++;
  connections_[id] =
      std::make_unique<Connection>(*this, id, std::move(from), std::move(to), std::move(target));
  return id;
}

Connection* Switch::find(uint64_t id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

void Switch::drop_if_over(uint64_t id) {
  const Connection* connection = find(id);
  if (connection != nullptr && connection->over()) connections_.erase(id);
}

SimStream::SimStream(Switch& net, uint64_t connection, int side, port::StreamEvents* events)
    : net_(net),
      id_(connection),
      side_(side) {
  net_.find(id_)->attach(side_, this, events);
}

SimStream::~SimStream() {
  net_.find(id_)->detach(side_);
  net_.drop_if_over(id_);
}

Result<std::unique_ptr<port::Listener>> SimNetwork::listen_at(Socket socket,
                                                              port::Endpoint local,
                                                              port::Acceptor& acceptor) {
  if (net_.listeners().contains(socket)) {
    return fail(Code::kIo, "listen: address already in use");
  }
  return std::unique_ptr<port::Listener>(
      std::make_unique<SimListener>(net_, std::move(socket), std::move(local), acceptor));
}

Result<std::unique_ptr<port::Listener>> SimNetwork::listen(const port::Endpoint& at,
                                                           port::Acceptor& acceptor) {
  if (!parse_ip4(at.host)) return fail(Code::kBadRequest, "listen: not an address: " + at.host);
  port::Endpoint local = at;
  if (local.port == 0) local.port = net_.free_port();
  return listen_at({machine_, "tcp:" + std::to_string(local.port)}, local, acceptor);
}

std::unique_ptr<port::Stream> SimNetwork::connect(const port::Endpoint& to,
                                                  port::StreamEvents& events) {
  const Socket target{net_.machine_at(to.host, machine_), "tcp:" + std::to_string(to.port)};
  const uint64_t id = net_.connect({address_, net_.free_port()}, to, target);
  return std::make_unique<SimStream>(net_, id, Connection::kClient, &events);
}

Result<std::unique_ptr<port::Listener>> SimNetwork::listen_local(const std::string& path,
                                                                 port::Acceptor& acceptor) {
  return listen_at({machine_, "local:" + path}, {path, 0}, acceptor);
}

std::unique_ptr<port::Stream> SimNetwork::connect_local(const std::string& path,
                                                        port::StreamEvents& events) {
  const uint64_t id = net_.connect({address_, 0}, {path, 0}, {machine_, "local:" + path});
  return std::make_unique<SimStream>(net_, id, Connection::kClient, &events);
}

}  // namespace coracle::port_sim
