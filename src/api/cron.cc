// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/cron.h"

#include <array>
#include <chrono>
#include <vector>

#include "base/bytes.h"

namespace coracle::api {
namespace {

struct Range {
  unsigned least;
  unsigned most;
  std::string_view names;  // three letters each, from `least` on
};
constexpr Range kMinute{0, 59, ""};
constexpr Range kHour{0, 23, ""};
constexpr Range kDay{1, 31, ""};
constexpr Range kMonth{1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"};
constexpr Range kWeekday{0, 6, "sunmontuewedthufrisat"};

constexpr std::array<std::string_view, 2> kShorthands[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::optional<unsigned> number(std::string_view text, const Range& range) {
  const std::string word = lower(text);
  for (size_t at = 0; word.size() == 3 && at < range.names.size(); at += 3) {
    if (range.names.substr(at, 3) == word) return range.least + static_cast<unsigned>(at / 3);
  }
  const std::optional<uint64_t> value = parse_unsigned(text);
  if (!value || *value < range.least || *value > range.most) return std::nullopt;
  return static_cast<unsigned>(*value);
}

struct Bits {
  uint64_t set = 0;
  bool star = false;
};

std::optional<Bits> part(std::string_view text, const Range& range) {
  const size_t slash = text.find('/');
  const std::string_view span = text.substr(0, slash);
  const size_t dash = span.find('-');
  Bits bits;
  unsigned from = range.least;
  unsigned to = range.most;
  if (span == "*" || span == "?") {
    bits.star = true;
  } else {
    const std::optional<unsigned> low = number(span.substr(0, dash), range);
    if (!low) return std::nullopt;
    from = *low;
    if (dash != std::string_view::npos) {
      const std::optional<unsigned> high = number(span.substr(dash + 1), range);
      if (!high) return std::nullopt;
      to = *high;
    } else if (slash == std::string_view::npos) {
      to = from;
    }
  }
  uint64_t step = 1;
  if (slash != std::string_view::npos) {
    const std::optional<uint64_t> given = parse_unsigned(text.substr(slash + 1));
    if (!given || *given == 0) return std::nullopt;
    step = *given;
    if (step > 1) bits.star = false;
  }
  if (from > to) return std::nullopt;
  for (uint64_t at = from; at <= to; at += step)
    bits.set |= uint64_t{1} << at;
  return bits;
}

std::optional<Bits> list(std::string_view text, const Range& range) {
  Bits all;
  for (std::string_view each : split(text, ',')) {
    const std::optional<Bits> bits = part(each, range);
    if (!bits) return std::nullopt;
    all.set |= bits->set;
    all.star = all.star || bits->star;
  }
  return all;
}

// Go durations of whole seconds: "1h30m", "90s".
std::optional<int64_t> period(std::string_view text) {
  int64_t total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9')
      ++digits;
    const std::optional<uint64_t> count = parse_unsigned(text.substr(0, digits));
    if (!count || *count > 1'000'000 || digits == text.size()) return std::nullopt;
    const char unit = text[digits];
    const int64_t seconds = unit == 'h' ? 3600 : unit == 'm' ? 60 : unit == 's' ? 1 : 0;
    if (seconds == 0) return std::nullopt;
    total += static_cast<int64_t>(*count) * seconds;
    text.remove_prefix(digits + 1);
  }
  return total > 0 ? std::optional<int64_t>(total) : std::nullopt;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> all;
  for (std::string_view each : split(text, ' ')) {
    if (!each.empty()) all.push_back(each);
  }
  return all;
}

bool day_fits(const CronSchedule& schedule, std::chrono::sys_days date) {
  const std::chrono::year_month_day civil(date);
  if ((schedule.months >> static_cast<unsigned>(civil.month()) & 1) == 0) return false;
  const bool day = (schedule.days >> static_cast<unsigned>(civil.day()) & 1) != 0;
  const bool weekday = (schedule.weekdays >> std::chrono::weekday(date).c_encoding() & 1) != 0;
  return schedule.any_day || schedule.any_weekday ? day && weekday : day || weekday;
}

// The first fitting minute of a day from `from` (minutes since midnight) on; -1 if none.
int64_t minute_of_day(const CronSchedule& schedule, int64_t from) {
  for (int64_t at = from; at < 24 * 60; ++at) {
    if ((schedule.hours >> (at / 60) & 1) == 0) {
      at = (at / 60 + 1) * 60 - 1;
    } else if ((schedule.minutes >> (at % 60) & 1) != 0) {
      return at;
    }
  }
  return -1;
}

}  // namespace

std::optional<CronSchedule> CronSchedule::parse(std::string_view text) {
  text = trim(text);
  CronSchedule schedule;
  if (text.starts_with("@every ")) {
    const std::optional<int64_t> every = period(trim(text.substr(7)));
    if (!every) return std::nullopt;
    schedule.every_seconds = *every;
    return schedule;
  }
  for (const auto& [name, meaning] : kShorthands) {
    if (text == name) text = meaning;
  }
  const std::vector<std::string_view> fields = words(text);
  if (fields.size() != 5) return std::nullopt;
  const std::optional<Bits> minute = list(fields[0], kMinute);
  const std::optional<Bits> hour = list(fields[1], kHour);
  const std::optional<Bits> day = list(fields[2], kDay);
  const std::optional<Bits> month = list(fields[3], kMonth);
  const std::optional<Bits> weekday = list(fields[4], kWeekday);
  if (!minute || !hour || !day || !month || !weekday) return std::nullopt;
  schedule.minutes = minute->set;
  schedule.hours = static_cast<uint32_t>(hour->set);
  schedule.days = static_cast<uint32_t>(day->set);
  schedule.months = static_cast<uint16_t>(month->set);
  schedule.weekdays = static_cast<uint8_t>(weekday->set);
  schedule.any_day = day->star;
  schedule.any_weekday = weekday->star;
  return schedule;
}

std::optional<Wall> CronSchedule::next(Wall at) const {
  const int64_t now = at.seconds();
  if (every_seconds > 0) return Wall{} + seconds(now + every_seconds);
  constexpr int64_t kDaySeconds = 24 * 60 * 60;
  constexpr int64_t kDaysMax = 5 * 366;
  int64_t date = now / kDaySeconds;
  int64_t minute = now % kDaySeconds / 60 + 1;
  for (int64_t left = kDaysMax; left > 0; --left, ++date, minute = 0) {
    if (!day_fits(*this, std::chrono::sys_days(std::chrono::days(date)))) continue;
    const int64_t found = minute_of_day(*this, minute);
    if (found >= 0) return Wall{} + seconds(date * kDaySeconds + found * 60);
  }
  return std::nullopt;
}

std::string cron_problem(std::string_view text) {
  if (text.find("TZ") != std::string_view::npos)
    return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
  if (CronSchedule::parse(text)) return {};
  const size_t fields = words(text).size();
  if (!text.starts_with("@") && fields != 5)
    return join({"expected exactly 5 fields, found ", std::to_string(fields), ": ", text});
  return join({"failed to parse schedule: ", text});
}

}  // namespace coracle::api
