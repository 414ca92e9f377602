// SPDX-License-Identifier: GPL-2.0-or-later
// Datagrams over UDP. Nothing is queued: what cannot be sent at once is lost, as the network may
// lose it anyway.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "port/net.h"

namespace coracle::port {

class DatagramEvents {
 public:
  virtual void on_datagram(std::string_view bytes, const Endpoint& from) = 0;  // during the call
  // A socket with a peer only: it does not listen, or there is no way to it.
  virtual void on_unreachable() {}

 protected:
  ~DatagramEvents() = default;
};

// Destroying it closes the socket and no event follows. A listener may do so from inside any event.
class Datagrams {
 public:
  virtual ~Datagrams() = default;
  virtual Result<> send(std::string_view bytes, const Endpoint& to) = 0;  // of one that is bound
  virtual Result<> send(std::string_view bytes) = 0;                      // to the peer
  virtual Endpoint local() const = 0;
};

class DatagramNetwork {
 public:
  virtual ~DatagramNetwork() = default;
  virtual Result<std::unique_ptr<Datagrams>> bind(const Endpoint& at, DatagramEvents& events) = 0;
  // From an address and port that the system chooses; hears of nobody but `peer`.
  virtual Result<std::unique_ptr<Datagrams>> reach(const Endpoint& peer,
                                                   DatagramEvents& events) = 0;
};

}  // namespace coracle::port
