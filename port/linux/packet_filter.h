// SPDX-License-Identifier: GPL-2.0-or-later
// The table "ip coracle". Every service is elements of a map, never a chain or a rule of its own:
// the rules are the same for none and for ten thousand services, and a change costs what it
// changes.
#pragma once

#include <optional>
#include <unordered_map>

#include "port/linux/table_frame.h"
#include "port/packet_filter.h"

namespace coracle::port_linux {

class NftPacketFilter : public port::PacketFilter {
 public:
  Result<> apply(const port::Ruleset& ruleset) override;
  Result<> remove() override;

 private:
  enum class Old : uint8_t { kRefill, kDelete };
  Result<> rebuild(const port::Ruleset& ruleset);
  Result<> rebuild(const port::Ruleset& ruleset, Old old);
  // What connections that were made before a change may still follow.
  struct Leftovers {
    bool flows = false;    // tracked UDP flows
    bool clients = false;  // remembered for affinity
  };
  Result<> change(const port::Ruleset& ruleset, Leftovers& leftovers);
  void flush(const port::Ruleset& ruleset, Leftovers leftovers);
  void replace_service(NftBatch& batch,
                       const port::Ruleset& ruleset,
                       const port::VirtualService* before,
                       const port::VirtualService* after);
  void count_address(NftBatch& batch, const port::Ruleset& ruleset, Ip4 address, int step);
  void forget();
  void count_backends(NftBatch& batch, const port::VirtualService& service, int step);
  bool table_stands();
  Result<> apply_all(const port::Ruleset& ruleset);
  bool knows(const char* expression);

  std::optional<Netlink> netlink_;
  std::optional<port::Ruleset> applied_;
  Shape shape_;  // what the table can hold
  bool lacks_fib_ = false;
  uint64_t table_handle_ = 0;  // tells our table from one that somebody else made meanwhile
  std::unordered_map<uint32_t, uint32_t> backend_addresses_;  // in how many places each is used
  std::unordered_map<uint32_t, uint32_t> cluster_addresses_;  // likewise, as virtual address
};

}  // namespace coracle::port_linux
