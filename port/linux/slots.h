// SPDX-License-Identifier: GPL-2.0-or-later
// How services become elements. A service with backends fills all slots 0..N-1 of one map, N the
// smallest size that holds its backends; a new connection picks a slot by chance. Which slot leads
// where depends only on the backends, and changes little with them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "port/packet_filter.h"

namespace coracle::port_linux {

struct SlotMap {
  const char* name;
  uint32_t slots;
};

inline constexpr std::array<SlotMap, 5> kSlotMaps{{
    {"slots_16", 16},
    {"slots_64", 64},
    {"slots_256", 256},
    {"slots_1024", 1024},
    {"slots_4096", 4096},
}};
inline constexpr size_t kBackendsMax = 4096;  // per service; more are not used

const SlotMap* slot_map(const port::VirtualService& service);  // null: no backends
// Backend of each slot, evenly spread.
std::vector<const port::Backend*> assign_slots(std::span<const port::Backend> backends,
                                               uint32_t slots);

// Bytes as the registers of a rule hold them: parts of four bytes, addresses and ports in network
// order.
std::array<char, 12> port_key(const port::VirtualPort& at);
std::array<char, 16> slot_key(const port::VirtualPort& at, uint32_t slot);
std::array<char, 8> backend_value(const port::Backend& backend);
std::array<char, 8> hairpin_key(Ip4 address);
std::array<char, 4> address_key(Ip4 address);

}  // namespace coracle::port_linux
