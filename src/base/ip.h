// SPDX-License-Identifier: GPL-2.0-or-later
// IPv4 addresses and prefixes as plain integers in host byte order. (IPv6 is not served yet.)
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coracle {

struct Ip4 {
  uint32_t value = 0;
  friend constexpr auto operator<=>(Ip4, Ip4) = default;
  std::string text() const;
};

struct Cidr4 {
  Ip4 address;  // as written; network() masks it
  uint8_t prefix = 32;
  friend constexpr auto operator<=>(Cidr4, Cidr4) = default;
  uint32_t mask() const { return prefix == 0 ? 0 : ~uint32_t{0} << (32 - prefix); }
  Ip4 network() const { return {address.value & mask()}; }
  bool contains(Ip4 ip) const { return (ip.value & mask()) == (address.value & mask()); }
  std::string text() const;
};

std::optional<Ip4> parse_ip4(std::string_view text);  // dotted quad, no leading zeros
std::optional<Cidr4> parse_cidr4(std::string_view text);

}  // namespace coracle
