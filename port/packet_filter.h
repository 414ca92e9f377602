// SPDX-License-Identifier: GPL-2.0-or-later
// What the Service proxy wants the kernel to do, as plain data. The port keeps one nftables table
// ("coracle"), compares with what it last applied and sends one atomic transaction (ARCHITECTURE
// D8).
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace coracle::port {

enum class Transport : uint8_t { kTcp = 6, kUdp = 17 };

struct VirtualPort {
  Ip4 address;  // 0.0.0.0: every address of the node but those of loopback (a NodePort)
  Transport transport = Transport::kTcp;
  uint16_t port = 0;
  friend auto operator<=>(const VirtualPort&, const VirtualPort&) = default;
};

struct Backend {
  Ip4 address;
  uint16_t port = 0;
  friend auto operator<=>(const Backend&, const Backend&) = default;
};

// No backends: connections are refused (TCP reset, ICMP port unreachable). So are those to a port
// that no service has of an address inside `service_cidr` that some service has.
struct VirtualService {
  VirtualPort at;
  std::vector<Backend> backends;  // sorted, unique
  // > 0: a client stays with the backend it got, until it has opened no connection for that long
  // or the backend is gone.
  uint32_t affinity_seconds = 0;
  bool masquerade = false;  // backends see the node's address: their answers must come back here
  friend bool operator==(const VirtualService&, const VirtualService&) = default;
};

struct Ruleset {
  Cidr4 service_cidr;
  Cidr4 pod_cidr;                        // traffic from it that leaves the node is masqueraded
  std::vector<VirtualService> services;  // sorted by `at`, unique
};

class PacketFilter {
 public:
  virtual ~PacketFilter() = default;
  // Makes the kernel hold exactly this: one transaction, all or nothing. The first call after start
  // adopts the table that an earlier daemon left, without a moment in which it is empty. Flushes
  // the conntrack entries of UDP flows to backends that are gone.
  virtual Result<> apply(const Ruleset& ruleset) = 0;
  virtual Result<> remove() = 0;  // deletes the table; absent is fine
};

}  // namespace coracle::port
