// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the servers of this cluster again when none is where it was: all addresses may change at
// once. A short datagram goes to everybody on the links of this machine; servers answer with their
// ports. Nothing of it is believed: it only says whom to call, and TLS shows who answers.
#pragma once

#include <memory>
#include <string>

#include "port/datagrams.h"
#include "port/links.h"

namespace coracle::daemon {

class BeaconListener {
 public:
  virtual void on_found(uint64_t member, const port::Endpoint& server) = 0;

 protected:
  ~BeaconListener() = default;
};

struct BeaconOptions {
  std::string authority_pem;  // of the cluster's API: who has another one is not meant
  uint64_t member = 0;        // of the store; 0: an agent, which is told of API ports
  uint16_t peer_port = 0;
  uint16_t api_port = 0;
};

class Beacon final : port::DatagramEvents {
 public:
  static Result<std::unique_ptr<Beacon>> open(const BeaconOptions& options,
                                              port::DatagramNetwork& network,
                                              port::Links& links,
                                              BeaconListener& listener);
  void call();  // answers come as on_found

 private:
  Beacon(const BeaconOptions& options, port::Links& links, BeaconListener& listener);
  void on_datagram(std::string_view bytes, const port::Endpoint& from) override;
  std::string text(char what) const;

  const BeaconOptions options_;
  uint64_t cluster_ = 0;
  port::Links& links_;
  BeaconListener& listener_;
  std::unique_ptr<port::Datagrams> socket_;
};

}  // namespace coracle::daemon
