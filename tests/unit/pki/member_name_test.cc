// SPDX-License-Identifier: GPL-2.0-or-later
#include "pki/member_name.h"

#include <gtest/gtest.h>

namespace coracle::pki {
namespace {

TEST(MemberName, OneMemberHasOneName) {
  const std::string name = member_common_name(0x0123456789abcdef, 3);
  EXPECT_EQ(name, "0123456789abcdef.0000000000000003");
  EXPECT_EQ(parse_member_common_name(name), (MemberName{0x0123456789abcdef, 3}));
  EXPECT_EQ(parse_member_common_name(member_common_name(UINT64_MAX, 0)),
            (MemberName{UINT64_MAX, 0}));
}

TEST(MemberName, NothingElseIsAMember) {
  for (const char* text :
       {"", "admin", "0123456789abcdef", "0123456789abcdef.3", "0123456789ABCDEF.0000000000000003",
        "0123456789abcdef-0000000000000003", "0123456789abcdef.000000000000000g",
        "0123456789abcdef.00000000000000030"}) {
    EXPECT_FALSE(parse_member_common_name(text)) << text;
  }
}

}  // namespace
}  // namespace coracle::pki
