// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/quantity.h"

#include <gtest/gtest.h>

namespace coracle::api {
namespace {

// Pairs from apimachinery pkg/api/resource/quantity_test.go and its documentation.
TEST(Quantity, HasOneCanonicalText) {
  constexpr struct {
    const char* text;
    const char* canonical;
  } kCases[] = {
      {"0", "0"},
      {"0n", "0"},
      {"0Ki", "0"},
      {"-0", "0"},
      {"+5", "5"},
      {"1000m", "1"},
      {"100m", "100m"},
      {"0.1", "100m"},
      {"1.5", "1500m"},
      {"1500m", "1500m"},
      {"1024Mi", "1Gi"},
      {"1.5Gi", "1536Mi"},
      {"0.5Ki", "512"},
      {"1Ki", "1Ki"},
      {"1023", "1023"},
      {"1000Ki", "1000Ki"},
      {"1024Ki", "1Mi"},
      {"1000k", "1M"},
      {"1k", "1k"},
      {"10000", "10k"},
      {"12e6", "12e6"},
      {"1E", "1E"},
      {"1e3", "1e3"},
      {"1E3", "1e3"},
      {"12000e-3", "12"},
      {".001", "1m"},
      {"5.", "5"},
      {"1n", "1n"},
      {"0.1n", "1n"},
      {"-1.5", "-1500m"},
      {"1u", "1u"},
      {"1234567u", "1234567u"},
      {"0.000001Ki", "1024u"},
      {"100Ei", "9223372036854775807"},
      {"8Ei", "9223372036854775807"},
      {"7Ei", "7Ei"},
      {"1e-1000", "1e-9"},
      {"00012", "12"},
      {"1.0000000001", "1000000001n"},
  };
  for (const auto& each : kCases)
    EXPECT_EQ(canonical_quantity(each.text).value_or("-"), each.canonical) << each.text;
}

TEST(Quantity, RefusesWhatIsNone) {
  for (const char* text : {"",      ".",
                           "-",     "+",
                           "a",     "1a",
                           "1Kii",  "Ki",
                           "1 Ki",  " 1",
                           "1 ",    "1.2.3",
                           "--1",   "1e",
                           "1e1.5", "0x1",
                           "1Mib",  "1KI",
                           "1K",    "e5",
                           "1e+",   "1e99999999999999999999"}) {
    EXPECT_FALSE(canonical_quantity(text)) << text;
  }
  EXPECT_FALSE(canonical_quantity(std::string(5000, '9')));
}

TEST(Quantity, RoundsResourcesUpToThousandths) {
  EXPECT_EQ(canonical_resource("100.5m"), "101m");
  EXPECT_EQ(canonical_resource("1n"), "1m");
  EXPECT_EQ(canonical_resource("0.9999"), "1");
  EXPECT_EQ(canonical_resource("64Mi"), "64Mi");
}

TEST(Quantity, GivesWholeUnitsAndThousandthsRoundedUp) {
  EXPECT_EQ(quantity_value("1.1"), 2);
  EXPECT_EQ(quantity_value("64Mi"), 64 << 20);
  EXPECT_EQ(quantity_value("-1.5"), -2);
  EXPECT_EQ(quantity_value("1m"), 1);
  EXPECT_EQ(quantity_millis("1"), 1000);
  EXPECT_EQ(quantity_millis("1u"), 1);
  EXPECT_EQ(quantity_millis("2500m"), 2500);
  EXPECT_EQ(quantity_millis("100Ei"), INT64_MAX);
  EXPECT_FALSE(quantity_value("x"));
}

TEST(Quantity, WritesNumbers) {
  EXPECT_EQ(bytes_quantity(16LL << 30), "16Gi");
  EXPECT_EQ(bytes_quantity(1024), "1Ki");
  EXPECT_EQ(bytes_quantity(1025), "1025");
  EXPECT_EQ(bytes_quantity(123), "123");
  EXPECT_EQ(bytes_quantity(0), "0");
  EXPECT_EQ(millis_quantity(250), "250m");
  EXPECT_EQ(millis_quantity(2000), "2");
  EXPECT_EQ(millis_quantity(-1500), "-1500m");
}

TEST(Quantity, ComparesByValue) {
  EXPECT_EQ(compare_quantities("1", "1000m"), 0);
  EXPECT_EQ(compare_quantities("1Gi", "1G"), 1);
  EXPECT_EQ(compare_quantities("1n", "2n"), -1);
  EXPECT_EQ(compare_quantities("-2", "-1"), -1);
  EXPECT_EQ(compare_quantities("-1", "1"), -1);
  EXPECT_EQ(compare_quantities("0", "-0"), 0);
}

}  // namespace
}  // namespace coracle::api
