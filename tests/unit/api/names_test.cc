// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "api/processing.h"

namespace coracle::api {
namespace {

TEST(Names, FollowTheRulesOfTheRfcs) {
  for (const char* good : {"a", "a-b", "1", "123-abc", "a1"}) {
    EXPECT_EQ(dns1123_label_problem(good), "") << good;
    EXPECT_EQ(dns1123_subdomain_problem(good), "") << good;
  }
  for (const char* bad : {"", "-a", "a-", "A", "a_b", "a b", "\xc3\xa9"}) {
    EXPECT_NE(dns1123_label_problem(bad), "") << bad;
    EXPECT_NE(dns1123_subdomain_problem(bad), "") << bad;
  }
  EXPECT_EQ(dns1123_subdomain_problem("a.b-c.d"), "");
  EXPECT_NE(dns1123_label_problem("a.b"), "");
  EXPECT_NE(dns1123_subdomain_problem("a..b"), "");
  EXPECT_NE(dns1123_subdomain_problem("a."), "");
  EXPECT_EQ(dns1035_label_problem("a1-b"), "");
  EXPECT_NE(dns1035_label_problem("1a"), "");
  EXPECT_NE(dns1035_label_problem(""), "");
}

TEST(Names, AreBounded) {
  EXPECT_EQ(dns1123_label_problem(std::string(63, 'a')), "");
  EXPECT_EQ(dns1123_label_problem(std::string(64, 'a')), "must be no more than 63 bytes");
  EXPECT_EQ(dns1123_subdomain_problem(std::string(253, 'a')), "");
  EXPECT_EQ(dns1123_subdomain_problem(std::string(254, 'a')), "must be no more than 253 bytes");
}

TEST(Names, AreRefusedInUpstreamsWords) {
  EXPECT_EQ(dns1123_label_problem("A"),
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
            "and must start and "
            "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
            "validation is "
            "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')");
}

TEST(Labels, HaveKeysWithAnOptionalPrefix) {
  for (const char* good : {"a", "app.kubernetes.io/name", "A_b.c-d", "1/2"}) {
    EXPECT_EQ(label_key_problem(good), "") << good;
  }
  for (const char* bad : {"", "/", "a/", "/a", "a/b/c", "-a", "a b", "UP/a"})
    EXPECT_NE(label_key_problem(bad), "") << bad;
  EXPECT_NE(label_key_problem("a/" + std::string(64, 'b')), "");
  EXPECT_EQ(label_key_problem(std::string(253, 'a') + "/" + std::string(63, 'b')), "");
}

TEST(Labels, HaveShortValues) {
  for (const char* good : {"", "a", "A.b_c-d", "1"})
    EXPECT_EQ(label_value_problem(good), "") << good;
  for (const char* bad : {"-a", "a-", "a b", "a/b"})
    EXPECT_NE(label_value_problem(bad), "") << bad;
  EXPECT_NE(label_value_problem(std::string(64, 'a')), "");
}

}  // namespace
}  // namespace coracle::api
