// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/time.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/ip.h"

namespace coracle {
namespace {

TEST(Time, FormatsAndParsesAcrossLeapYearsAndTheEpoch) {
  for (const char* text : {"1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2026-11-20T21:01:37Z",
                           "1969-12-31T23:59:59Z", "2038-01-19T03:14:08Z"}) {
    const auto at = parse_rfc3339(text);
    ASSERT_TRUE(at) << text;
    EXPECT_EQ(rfc3339(*at), text);
  }
  EXPECT_EQ(parse_rfc3339("1970-01-01T01:00:00.5+01:00")->ns, 500'000'000);
}

TEST(Time, RefusesWhatIsNotRfc3339) {
  for (const char* text :
       {"", "2026-02-29T00:00:00Z", "2026-01-01 00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T24:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Time, PrintsAgesAsKubectlDoes) {
  EXPECT_EQ(human_duration(seconds(119)), "119s");
  EXPECT_EQ(human_duration(seconds(200)), "3m20s");
  EXPECT_EQ(human_duration(minutes(179)), "179m");
  EXPECT_EQ(human_duration(minutes(60 * 5)), "5h");
  EXPECT_EQ(human_duration(minutes(60 * 47)), "47h");
  EXPECT_EQ(human_duration(minutes(60 * 98)), "4d2h");
}

TEST(Bytes, Crc32cMatchesTheCastagnoliCheckValueAndChains) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c("56789", crc32c("1234")), crc32c("123456789"));
}

TEST(Bytes, Base64RoundTripsAndRefusesNonCanonicalText) {
  for (const char* text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    EXPECT_EQ(from_base64(base64(text)), text);
    EXPECT_EQ(from_base64url(base64url(text)), text);
  }
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_FALSE(from_base64("Zm9vYg"));
  EXPECT_FALSE(from_base64("Zm9vYh=="));
  EXPECT_FALSE(from_base64("Zm9 Yg=="));
}

TEST(Ip, ParsesOnlyPlainDottedQuads) {
  EXPECT_EQ(parse_ip4("10.42.0.5")->text(), "10.42.0.5");
  EXPECT_FALSE(parse_ip4("10.42.0.05"));
  EXPECT_FALSE(parse_ip4("10.42.0"));
  EXPECT_FALSE(parse_ip4("10.42.0.256"));
  EXPECT_TRUE(parse_cidr4("10.42.0.0/16")->contains(*parse_ip4("10.42.255.1")));
  EXPECT_FALSE(parse_cidr4("10.42.0.0/33"));
}

}  // namespace
}  // namespace coracle
