// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/slots.h"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>

namespace coracle::port_linux {
namespace {

// splitmix64: mixes backend and slot into a weight.
uint64_t weight(const port::Backend& backend, uint32_t slot) {
  uint64_t z = (uint64_t{backend.address.value} << 32) ^ (uint64_t{backend.port} << 16) ^ slot;
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

const SlotMap* slot_map(const port::VirtualService& service) {
  if (service.backends.empty()) return nullptr;
  const size_t wanted = std::min(service.backends.size(), kBackendsMax);
  for (const SlotMap& map : kSlotMaps) {
    if (wanted <= map.slots) return &map;
  }
  return nullptr;
}

// Rendezvous hashing with a cap: each slot goes to the backend of the highest weight that is not
// full. The first backends to be full are those past floor(slots / backends) once the surplus is
// given out.
std::vector<const port::Backend*> assign_slots(std::span<const port::Backend> backends,
                                               uint32_t slots) {
  const size_t count = std::min(backends.size(), kBackendsMax);
  const size_t share = slots / count;
  size_t surplus = slots % count;
  std::vector<size_t> taken(count, 0);
  std::vector<const port::Backend*> assigned(slots);
  for (uint32_t slot = 0; slot < slots; slot++) {
    size_t best = count;
    uint64_t best_weight = 0;
    for (size_t i = 0; i < count; i++) {
      const bool full = taken[i] > share || (taken[i] == share && surplus == 0);
      if (full) continue;
      const uint64_t own = weight(backends[i], slot);
      if (best != count && own <= best_weight) continue;
      best = i;
      best_weight = own;
    }
    if (taken[best]++ == share) surplus--;
    assigned[slot] = &backends[best];
  }
  return assigned;
}

std::array<char, 12> port_key(const port::VirtualPort& at) {
  std::array<char, 12> key{};
  const uint32_t address = htonl(at.address.value);
  const uint16_t port = htons(at.port);
  std::memcpy(key.data(), &address, sizeof address);
  key[4] = static_cast<char>(at.transport);
  std::memcpy(key.data() + 8, &port, sizeof port);
  return key;
}

std::array<char, 16> slot_key(const port::VirtualPort& at, uint32_t slot) {
  std::array<char, 16> key{};
  const std::array<char, 12> front = port_key(at);
  std::memcpy(key.data(), front.data(), front.size());
  std::memcpy(key.data() + front.size(), &slot, sizeof slot);  // numgen and hash: the host's order
  return key;
}

std::array<char, 8> backend_value(const port::Backend& backend) {
  std::array<char, 8> value{};
  const uint32_t address = htonl(backend.address.value);
  const uint16_t port = htons(backend.port);
  std::memcpy(value.data(), &address, sizeof address);
  std::memcpy(value.data() + 4, &port, sizeof port);
  return value;
}

std::array<char, 8> hairpin_key(Ip4 ip) {
  std::array<char, 8> key{};
  const uint32_t address = htonl(ip.value);
  std::memcpy(key.data(), &address, sizeof address);
  std::memcpy(key.data() + 4, &address, sizeof address);
  return key;
}

std::array<char, 4> address_key(Ip4 ip) {
  std::array<char, 4> key{};
  const uint32_t address = htonl(ip.value);
  std::memcpy(key.data(), &address, sizeof address);
  return key;
}

}  // namespace coracle::port_linux
