// SPDX-License-Identifier: GPL-2.0-or-later
// Datagrams between the machines of a world: each arrives on its own, after a delay of chance, or
// is lost where the link is cut.
#pragma once

#include <memory>
#include <string>

#include "port/datagrams.h"
#include "port/sim/net.h"

namespace coracle::port_sim {

class SimDatagrams final : public port::Datagrams {
 public:
  SimDatagrams(Switch& net, Socket socket, port::Endpoint local, port::DatagramEvents& events);
  ~SimDatagrams() override;
  void hear_only(port::Endpoint peer) { peer_ = std::move(peer); }
  Result<> send(std::string_view bytes, const port::Endpoint& to) override;
  Result<> send(std::string_view bytes) override { return send(bytes, peer_); }
  port::Endpoint local() const override { return local_; }

  void deliver(std::string_view bytes, const port::Endpoint& from);
  void refuse(const port::Endpoint& by);

 private:
  Switch& net_;
  Socket socket_;
  port::Endpoint local_;
  port::Endpoint peer_;  // empty host: hears everybody
  port::DatagramEvents& events_;
};

// One datagram under way, or the news that nobody took it.
class Flight final : public Event {
 public:
  Flight(Switch& net, Socket from, port::Endpoint sender, port::Endpoint to, std::string bytes);
  bool landed() const { return landed_; }

 private:
  void fire() override;

  Switch& net_;
  Socket from_;
  port::Endpoint sender_;
  port::Endpoint to_;
  std::string bytes_;
  bool refused_ = false;  // on its way back
  bool landed_ = false;
};

class SimDatagramNetwork final : public port::DatagramNetwork {
 public:
  SimDatagramNetwork(Switch& net, uint32_t machine, std::string address)
      : net_(net),
        machine_(machine),
        address_(std::move(address)) {}
  Result<std::unique_ptr<port::Datagrams>> bind(const port::Endpoint& at,
                                                port::DatagramEvents& events) override;
  Result<std::unique_ptr<port::Datagrams>> reach(const port::Endpoint& peer,
                                                 port::DatagramEvents& events) override;

 private:
  Switch& net_;
  uint32_t machine_;
  std::string address_;
};

}  // namespace coracle::port_sim
