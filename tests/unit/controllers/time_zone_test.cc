// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/time_zone.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "controllers/index_set.h"

namespace coracle::controllers {
namespace {

Wall at(const char* text) {
  return parse_rfc3339(text).value();
}

class ZoneFiles : public ::testing::Test {
 protected:
  TimeZone read(const std::string& name) {
    std::ifstream in("/usr/share/zoneinfo/" + name, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    Result<TimeZone> zone = TimeZone::parse(text);
    known_ = zone.has_value();
    return known_ ? std::move(zone).value() : TimeZone();
  }
  bool known_ = false;
};

TEST_F(ZoneFiles, KnowSummerTimeNowAndInTheFarFuture) {
  const TimeZone berlin = read("Europe/Berlin");
  if (!known_) GTEST_SKIP() << "skipped: no time zones on this machine";
  EXPECT_EQ(berlin.offset_at(at("2026-01-15T12:00:00Z").seconds()), 3600);
  EXPECT_EQ(berlin.offset_at(at("2026-07-15T12:00:00Z").seconds()), 7200);
  EXPECT_EQ(berlin.offset_at(at("2080-01-15T12:00:00Z").seconds()), 3600);
  EXPECT_EQ(berlin.offset_at(at("2080-07-15T12:00:00Z").seconds()), 7200);
  EXPECT_EQ(berlin.offset_at(at("1850-01-01T00:00:00Z").seconds()), 3208);
  const TimeZone sydney = read("Australia/Sydney");
  EXPECT_EQ(sydney.offset_at(at("2080-01-15T12:00:00Z").seconds()), 39'600);
  EXPECT_EQ(sydney.offset_at(at("2080-07-15T12:00:00Z").seconds()), 36'000);
}

TEST_F(ZoneFiles, TurnLocalTimesThatAreSkippedOrTwiceIntoOne) {
  const TimeZone berlin = read("Europe/Berlin");
  if (!known_) GTEST_SKIP() << "skipped: no time zones on this machine";
  EXPECT_EQ(rfc3339(berlin.to_utc(at("2026-01-15T12:00:00Z"))), "2026-01-15T11:00:00Z");
  EXPECT_EQ(rfc3339(berlin.to_utc(at("2026-07-15T12:00:00Z"))), "2026-07-15T10:00:00Z");
  // 02:30 on 2026-03-29 does not exist; 02:30 on 2026-10-25 comes twice.
  EXPECT_EQ(rfc3339(berlin.to_utc(at("2026-03-29T02:30:00Z"))), "2026-03-29T01:30:00Z");
  EXPECT_EQ(rfc3339(berlin.to_utc(at("2026-10-25T02:30:00Z"))), "2026-10-25T00:30:00Z");
}

TEST(TimeZone, RefusesWhatIsNoZone) {
  EXPECT_FALSE(TimeZone::parse(""));
  EXPECT_FALSE(TimeZone::parse("TZif2"));
  EXPECT_FALSE(TimeZone::parse("TZif2" + std::string(60, '\xff')));
  std::string empty = "TZif2" + std::string(39, '\0');
  EXPECT_FALSE(TimeZone::parse(empty + empty));
}

TEST(IndexSet, KeepsRangesApartAndJoinsThem) {
  IndexSet set("1,3-5,9-7,4,x,20-30", 25);
  EXPECT_EQ(set.text(), "1,3-5,20-24");
  EXPECT_EQ(set.size(), 9);
  set.add(2);
  EXPECT_EQ(set.text(), "1-5,20-24");
  set.add(0);
  set.add(19);
  set.add(7);
  EXPECT_EQ(set.text(), "0-5,7,19-24");
  EXPECT_TRUE(set.contains(7));
  EXPECT_FALSE(set.contains(6));
}

}  // namespace
}  // namespace coracle::controllers
