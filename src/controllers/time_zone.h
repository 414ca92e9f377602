// SPDX-License-Identifier: GPL-2.0-or-later
// A time zone from the machine's IANA database: TZif files, RFC 8536 (usually below
// /usr/share/zoneinfo).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace coracle::controllers {

class TimeZone {
 public:
  TimeZone() = default;  // UTC
  static Result<TimeZone> parse(std::string_view tzif);

  int64_t offset_at(int64_t utc_seconds) const;  // seconds east of Greenwich
  Wall to_local(Wall utc) const { return utc + seconds(offset_at(utc.seconds())); }
  // Local times that a change to summer time skips become the time after it; of two that are the
  // same the first one is meant.
  Wall to_utc(Wall local) const;

 private:
  // The rule for times after the last transition: "CET-1CEST,M3.5.0,M10.5.0/3".
  struct Day {  // the week-th weekday of a month; week 5 is the last
    int64_t month = 0;
    int64_t week = 0;
    int64_t weekday = 0;
    int64_t second = 7200;
    int64_t in_year(int64_t year) const;  // local seconds since 1970
  };
  struct Rule {
    int64_t standard = 0;
    int64_t summer = 0;
    bool has_summer = false;
    Day begins;
    Day ends;
    int64_t offset_at(int64_t utc_seconds) const;
  };
  static std::optional<Rule> parse_rule(std::string_view text);
  static bool parse_day(std::string_view& text, Day& day);

  std::vector<std::pair<int64_t, int64_t>> transitions_;  // from when on, which offset
  int64_t first_ = 0;                                     // before the first transition
  std::optional<Rule> rule_;
};

}  // namespace coracle::controllers
