// SPDX-License-Identifier: GPL-2.0-or-later
// Writes DER (X.690) inside out: every function returns one complete element.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/time.h"

namespace coracle::pki::der {

enum Tag : uint8_t {
  kBoolean = 0x01,
  kInteger = 0x02,
  kBitString = 0x03,
  kOctetString = 0x04,
  kOid = 0x06,
  kUtf8String = 0x0c,
  kUtcTime = 0x17,
  kGeneralizedTime = 0x18,
  kSequence = 0x30,
  kSet = 0x31,
};
constexpr uint8_t context(uint8_t number) {
  return static_cast<uint8_t>(0x80 | number);
}
constexpr uint8_t constructed(uint8_t number) {
  return static_cast<uint8_t>(0xa0 | number);
}

std::string element(uint8_t tag, std::string_view content);
std::string sequence(std::initializer_list<std::string_view> elements);
std::string integer(std::string_view big_endian);  // unsigned; minimal form
std::string bit_string(std::string_view bytes);    // no unused bits
std::string time(Wall at);                         // UTCTime until 2049 (RFC 5280 4.1.2.5)

}  // namespace coracle::pki::der
