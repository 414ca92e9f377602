// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/ip.h"

#include "base/bytes.h"

namespace coracle {

std::string Ip4::text() const {
  return join({std::to_string(value >> 24), ".", std::to_string(value >> 16 & 255), ".",
               std::to_string(value >> 8 & 255), ".", std::to_string(value & 255)});
}

std::string Cidr4::text() const {
  return join({address.text(), "/", std::to_string(prefix)});
}

std::optional<Ip4> parse_ip4(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  uint32_t value = 0;
  for (const std::string_view part : parts) {
    const auto octet = parse_unsigned(part);
    if (!octet || *octet > 255 || (part.size() > 1 && part[0] == '0')) return std::nullopt;
    value = value << 8 | static_cast<uint32_t>(*octet);
  }
  return Ip4{value};
}

std::optional<Cidr4> parse_cidr4(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_ip4(text.substr(0, slash));
  const std::string_view bits = text.substr(slash + 1);
  const auto prefix = parse_unsigned(bits);
  if (!address || !prefix || *prefix > 32 || (bits.size() > 1 && bits[0] == '0'))
    return std::nullopt;
  return Cidr4{*address, static_cast<uint8_t>(*prefix)};
}

}  // namespace coracle
