// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/time.h"

#include <cstdio>

#include "base/bytes.h"

namespace coracle {

namespace {

struct Civil {
  int64_t year;
  unsigned month;
  unsigned day;
};

int64_t floor_divide(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

// Days since 1970-01-01 in the proleptic Gregorian calendar; March-based years of 400-year eras.
int64_t days_of(Civil date) {
  const int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const int64_t era = floor_divide(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t month = (static_cast<int64_t>(date.month) + 9) % 12;
  const int64_t day_of_year = (153 * month + 2) / 5 + static_cast<int64_t>(date.day) - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

Civil civil_of(int64_t days) {
  const int64_t shifted = days + 719'468;
  const int64_t era = floor_divide(shifted, 146'097);
  const int64_t day_of_era = shifted - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<unsigned>(day_of_year - (153 * month + 2) / 5 + 1);
  const auto civil_month = static_cast<unsigned>(month < 10 ? month + 3 : month - 9);
  return {year_of_era + era * 400 + (civil_month <= 2 ? 1 : 0), civil_month, day};
}

std::string format(Wall at, int digits) {
  const int64_t second = floor_divide(at.ns, 1'000'000'000);
  const int64_t fraction = at.ns - second * 1'000'000'000;
  const int64_t day = floor_divide(second, 86'400);
  const int64_t of_day = second - day * 86'400;
  const Civil date = civil_of(day);
  char text[64];
  const int size = std::snprintf(text, sizeof text, "%04lld-%02u-%02uT%02d:%02d:%02d",
                                 static_cast<long long>(date.year), date.month, date.day,
                                 static_cast<int>(of_day / 3600),
                                 static_cast<int>(of_day / 60 % 60), static_cast<int>(of_day % 60));
  std::string out(text, static_cast<size_t>(size));
  if (digits > 0) {
    char nanos[16];
    static_cast<void>(
        std::snprintf(nanos, sizeof nanos, ".%09lld", static_cast<long long>(fraction)));
    out.append(nanos, static_cast<size_t>(digits) + 1);
  }
  out += 'Z';
  return out;
}

std::optional<int64_t> number(std::string_view text, size_t at, size_t digits) {
  if (text.size() < at + digits) return std::nullopt;
  const auto value = parse_unsigned(text.substr(at, digits));
  if (!value) return std::nullopt;
  return static_cast<int64_t>(*value);
}

unsigned days_in_month(int64_t year, int64_t month) {
  constexpr unsigned kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays[month - 1] + (month == 2 && leap ? 1u : 0u);
}

// ".123456789" -> nanoseconds; `at` moves behind it. No fraction: 0.
std::optional<int64_t> fraction_ns(std::string_view text, size_t& at) {
  if (at >= text.size() || text[at] != '.') return 0;
  int64_t ns = 0;
  int64_t unit = 100'000'000;
  const size_t from = ++at;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
    ns += (text[at] - '0') * unit;
  if (at == from) return std::nullopt;
  return ns;
}

// "Z" or "+hh:mm" up to the end of the text -> seconds east of UTC.
std::optional<int64_t> zone_seconds(std::string_view zone) {
  if (zone == "Z" || zone == "z") return 0;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
  const auto hours = number(zone, 1, 2);
  const auto mins = number(zone, 4, 2);
  if (!hours || !mins || *hours > 23 || *mins > 59) return std::nullopt;
  return (*hours * 3600 + *mins * 60) * (zone[0] == '-' ? -1 : 1);
}

}  // namespace

std::string rfc3339(Wall at) {
  return format(at, 0);
}
std::string rfc3339_micro(Wall at) {
  return format(at, 6);
}
std::string rfc3339_nano(Wall at) {
  return format(at, 9);
}

std::optional<Wall> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const auto year = number(text, 0, 4);
  const auto month = number(text, 5, 2);
  const auto day = number(text, 8, 2);
  const auto hour = number(text, 11, 2);
  const auto minute = number(text, 14, 2);
  const auto second = number(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (*month < 1 || *month > 12 || *day < 1 || *day > days_in_month(*year, *month))
    return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  size_t at = 19;
  const auto ns = fraction_ns(text, at);
  if (!ns) return std::nullopt;
  const auto east = zone_seconds(text.substr(at));
  if (!east) return std::nullopt;
  const int64_t days = days_of({*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day)});
  constexpr int64_t kDaysMax = 106'000;  // what 64-bit nanoseconds can hold
  if (days > kDaysMax || days < -kDaysMax) return std::nullopt;
  return Wall{(days * 86'400 + *hour * 3600 + *minute * 60 + *second - *east) * 1'000'000'000 +
              *ns};
}

std::string human_duration(Duration age) {
  const int64_t s = age.seconds();
  if (s < -1) return "<invalid>";
  if (s < 0) return "0s";
  const auto pair = [](int64_t big, const char* big_unit, int64_t small, const char* small_unit) {
    std::string out = std::to_string(big) + big_unit;
    if (small != 0) out += std::to_string(small) + small_unit;
    return out;
  };
  const int64_t m = s / 60;
  const int64_t h = m / 60;
  const int64_t d = h / 24;
  if (s < 120) return std::to_string(s) + "s";
  if (m < 10) return pair(m, "m", s % 60, "s");
  if (m < 180) return std::to_string(m) + "m";
  if (h < 8) return pair(h, "h", m % 60, "m");
  if (h < 48) return std::to_string(h) + "h";
  if (h < 192) return pair(d, "d", h % 24, "h");
  if (d < 365 * 2) return std::to_string(d) + "d";
  if (d < 365 * 8) return pair(d / 365, "y", d % 365, "d");
  return std::to_string(d / 365) + "y";
}

}  // namespace coracle
