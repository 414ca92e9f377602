// SPDX-License-Identifier: GPL-2.0-or-later
// Cron schedules as robfig/cron's standard parser reads them: five fields, names of months and
// days, steps, and @hourly and its like. `@every` has no fields and is kept as a period.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace coracle::api {

struct CronSchedule {
  uint64_t minutes = 0;
  uint32_t hours = 0;
  uint32_t days = 0;  // bit 1 is the first of the month
  uint16_t months = 0;
  uint8_t weekdays = 0;  // bit 0 is Sunday
  // A day fits if both fields do; if neither is a star, one is enough.
  bool any_day = false;
  bool any_weekday = false;
  int64_t every_seconds = 0;  // > 0: @every

  static std::optional<CronSchedule> parse(std::string_view text);
  // The first time after `at` (UTC, whole seconds); nullopt if there is none within five years.
  std::optional<Wall> next(Wall at) const;
};

// Empty, or what is wrong with a CronJob's schedule, in a sentence.
std::string cron_problem(std::string_view text);

}  // namespace coracle::api
