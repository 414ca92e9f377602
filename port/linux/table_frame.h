// SPDX-License-Identifier: GPL-2.0-or-later
// The chains, sets and rules of the table "ip coracle". They depend on the shape of the services,
// never on their number: which sizes of slot maps are in use, which affinity timeouts, and whether
// there are node ports.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "port/linux/nft_batch.h"
#include "port/linux/slots.h"

namespace coracle::port_linux {

inline constexpr const char* kRefusedSet = "refused";        // ports without backends
inline constexpr const char* kAddressSet = "cluster_ips";    // refuse every port that is not served
inline constexpr const char* kHairpinSet = "hairpin";        // (backend, the same backend)
inline constexpr const char* kMasqueradeSet = "masquerade";  // ports whose clients are hidden
inline constexpr const char* kAffineMap = "affine";          // port -> chain of its timeout
inline constexpr const char* kClientMap = "clients";         // client and port -> backend
inline constexpr uint32_t kClientsMax = 65'536;  // what is beyond is served without affinity

struct Shape {
  uint32_t maps = 1;            // bit i: kSlotMaps[i]
  std::set<uint32_t> timeouts;  // seconds
  bool node_ports = false;

  bool covers(const Shape& needed) const;
  bool has(const SlotMap& map) const { return (maps >> (&map - kSlotMaps.data()) & 1) != 0; }
};

Shape shape_of(const port::Ruleset& ruleset);
bool is_node_port(const port::VirtualPort& at);
// Where the clients of new connections to this port are remembered.
std::string affinity_chain(const port::VirtualPort& at, uint32_t seconds);
bool is_affinity_chain(std::string_view name);

// Empties what an earlier daemon left, except the clients it remembered. Its affinity chains, by
// name, go.
void empty_frame(NftBatch& batch, const Shape& shape, const std::set<std::string>& chains);
void add_frame(NftBatch& batch, const port::Ruleset& ruleset, const Shape& shape);

}  // namespace coracle::port_linux
