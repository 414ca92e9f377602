// SPDX-License-Identifier: GPL-2.0-or-later
#include "pki/member_name.h"

#include "base/bytes.h"

namespace coracle::pki {
namespace {

constexpr size_t kDigits = 16;

std::string digits(uint64_t value) {
  std::string bytes(sizeof value, '\0');
  for (size_t i = bytes.size(); i-- > 0; value >>= 8)
    bytes[i] = static_cast<char>(value & 0xff);
  return hex(bytes);
}

// Lower case only: one member has one name.
std::optional<uint64_t> number(std::string_view text) {
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != sizeof(uint64_t) || hex(*bytes) != text) return std::nullopt;
  uint64_t value = 0;
  for (const char c : *bytes)
    value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

}  // namespace

std::string member_common_name(uint64_t cluster, uint64_t member) {
  return join({digits(cluster), ".", digits(member)});
}

std::optional<MemberName> parse_member_common_name(std::string_view common_name) {
  if (common_name.size() != 2 * kDigits + 1 || common_name[kDigits] != '.') return std::nullopt;
  const auto cluster = number(common_name.substr(0, kDigits));
  const auto member = number(common_name.substr(kDigits + 1));
  if (!cluster || !member) return std::nullopt;
  return MemberName{*cluster, *member};
}

}  // namespace coracle::pki
