// SPDX-License-Identifier: GPL-2.0-or-later
// How the certificate of a member of the store names it: O=coracle:members,
// CN=<cluster>.<member>, both as 16 hexadecimal digits. Such certificates come from an authority of
// their own, which signs nothing else, for both sides of a connection (Usage::kServerAndClient).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coracle::pki {

inline constexpr std::string_view kMembersOrganization = "coracle:members";

struct MemberName {
  uint64_t cluster = 0;
  uint64_t member = 0;  // raft's id
  friend bool operator==(const MemberName&, const MemberName&) = default;
};

std::string member_common_name(uint64_t cluster, uint64_t member);
std::optional<MemberName> parse_member_common_name(std::string_view common_name);

}  // namespace coracle::pki
