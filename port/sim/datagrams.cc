// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/sim/datagrams.h"

#include <algorithm>

#include "base/ip.h"

namespace coracle::port_sim {
namespace {

constexpr size_t kDatagramBytesMax = 65'507;

Socket udp(uint32_t machine, uint16_t port) {
  return {machine, "udp:" + std::to_string(port)};
}

}  // namespace

void Switch::fly(std::unique_ptr<Flight> flight) {
  std::erase_if(flights_, [](const std::unique_ptr<Flight>& old) { return old->landed(); });
  flight->schedule(timeline_.now() + delay.pick(dice_));
  flights_.push_back(std::move(flight));
}

SimDatagrams::SimDatagrams(Switch& net,
                           Socket socket,
                           port::Endpoint local,
                           port::DatagramEvents& events)
    : net_(net),
      socket_(std::move(socket)),
      local_(std::move(local)),
      events_(events) {
  net_.bound()[socket_] = this;
}

SimDatagrams::~SimDatagrams() {
  net_.bound().erase(socket_);
}

Result<> SimDatagrams::send(std::string_view bytes, const port::Endpoint& to) {
  if (!parse_ip4(to.host)) return fail(Code::kBadRequest, "send: not an address: " + to.host);
  if (bytes.size() > kDatagramBytesMax) return fail(Code::kIo, "send: message too long");
  net_.fly(std::make_unique<Flight>(net_, socket_, local_, to, std::string(bytes)));
  return {};
}

void SimDatagrams::deliver(std::string_view bytes, const port::Endpoint& from) {
  const bool stranger = !peer_.host.empty() && (peer_.host != from.host || peer_.port != from.port);
  if (!stranger) events_.on_datagram(bytes, from);
}

void SimDatagrams::refuse(const port::Endpoint& by) {
  if (peer_.host == by.host && peer_.port == by.port) events_.on_unreachable();
}

Flight::Flight(
    Switch& net, Socket from, port::Endpoint sender, port::Endpoint to, std::string bytes)
    : Event(net.timeline()),
      net_(net),
      from_(std::move(from)),
      sender_(std::move(sender)),
      to_(std::move(to)),
      bytes_(std::move(bytes)) {}

void Flight::fire() {
  landed_ = true;
  const uint32_t machine = net_.machine_at(to_.host, from_.first);
  if (machine == 0 || net_.is_cut(from_.first, machine)) return;
  const Socket target = refused_ ? from_ : udp(machine, to_.port);
  const auto found = net_.bound().find(target);
  if (found != net_.bound().end())
    return refused_ ? found->second->refuse(to_) : found->second->deliver(bytes_, sender_);
  if (refused_) return;
  landed_ = false;
  refused_ = true;
  schedule(net_.timeline().now() + net_.delay.pick(net_.dice()));
}

Result<std::unique_ptr<port::Datagrams>> SimDatagramNetwork::bind(const port::Endpoint& at,
                                                                  port::DatagramEvents& events) {
  if (!parse_ip4(at.host)) return fail(Code::kBadRequest, "bind: not an address: " + at.host);
  port::Endpoint local = at;
  if (local.port == 0) local.port = net_.free_port();
  const Socket socket = udp(machine_, local.port);
  if (net_.bound().contains(socket)) return fail(Code::kIo, "bind: address already in use");
  return std::unique_ptr<port::Datagrams>(
      std::make_unique<SimDatagrams>(net_, socket, local, events));
}

Result<std::unique_ptr<port::Datagrams>> SimDatagramNetwork::reach(const port::Endpoint& peer,
                                                                   port::DatagramEvents& events) {
  if (!parse_ip4(peer.host)) return fail(Code::kBadRequest, "reach: not an address: " + peer.host);
  const bool own = peer.host.starts_with("127.");
  const port::Endpoint local{own ? peer.host : address_, net_.free_port()};
  auto datagrams = std::make_unique<SimDatagrams>(net_, udp(machine_, local.port), local, events);
  datagrams->hear_only(peer);
  return std::unique_ptr<port::Datagrams>(std::move(datagrams));
}

}  // namespace coracle::port_sim
