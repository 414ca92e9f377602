// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/time_zone.h"

#include <algorithm>
#include <chrono>

#include "base/bytes.h"

namespace coracle::controllers {

namespace {

constexpr size_t kHeader = 44;
constexpr int64_t kDay = 86'400;

int64_t big_endian(std::string_view bytes) {
  uint64_t value = (static_cast<uint8_t>(bytes[0]) & 0x80u) != 0 ? ~uint64_t{0} : 0;
  for (const char c : bytes)
    value = value << 8 | static_cast<uint8_t>(c);
  return static_cast<int64_t>(value);
}

struct Counts {
  size_t utc = 0;
  size_t standard = 0;
  size_t leaps = 0;
  size_t times = 0;
  size_t types = 0;
  size_t names = 0;
  size_t body(size_t width) const {
    return times * (width + 1) + types * 6 + names + leaps * (width + 4) + standard + utc;
  }
};

std::optional<Counts> read_counts(std::string_view text) {
  constexpr size_t kMost = 10'000;
  if (text.size() < kHeader || !text.starts_with("TZif")) return std::nullopt;
  size_t out[6];
  for (size_t i = 0; i < 6; ++i) {
    const int64_t count = big_endian(text.substr(20 + 4 * i, 4));
    if (count < 0 || static_cast<size_t>(count) > kMost) return std::nullopt;
    out[i] = static_cast<size_t>(count);
  }
  return Counts{out[0], out[1], out[2], out[3], out[4], out[5]};
}

bool take_number(std::string_view& text, int64_t& out) {
  size_t digits = 0;
  while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9')
    ++digits;
  const auto number = parse_unsigned(text.substr(0, digits));
  if (!number) return false;
  out = static_cast<int64_t>(*number);
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// "[+-]hh[:mm[:ss]]" in seconds.
bool take_clock(std::string_view& text, int64_t& out) {
  const bool negative = take(text, '-');
  if (!negative) take(text, '+');
  int64_t parts[3] = {0, 0, 0};
  if (!take_number(text, parts[0])) return false;
  for (int i = 1; i < 3 && take(text, ':'); ++i) {
    if (!take_number(text, parts[i])) return false;
  }
  out = (parts[0] * 60 + parts[1]) * 60 + parts[2];
  if (negative) out = -out;
  return true;
}

bool take_name(std::string_view& text) {
  if (text.starts_with('<')) {
    const size_t end = text.find('>');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
    return true;
  }
  size_t letters = 0;
  while (letters < text.size() && ((text[letters] | 0x20) >= 'a' && (text[letters] | 0x20) <= 'z'))
    ++letters;
  text.remove_prefix(letters);
  return letters >= 3;
}

}  // namespace

int64_t TimeZone::Day::in_year(int64_t year) const {
  using std::chrono::day, std::chrono::sys_days, std::chrono::weekday;
  const auto y = std::chrono::year(static_cast<int>(year));
  const auto m = std::chrono::month(static_cast<unsigned>(month));
  const weekday wanted(static_cast<unsigned>(Day::weekday));
  const sys_days date = week == 5 ? sys_days(y / m / wanted[std::chrono::last])
                                  : sys_days(y / m / wanted[static_cast<unsigned>(week)]);
  return date.time_since_epoch().count() * kDay + second;
}

int64_t TimeZone::Rule::offset_at(int64_t at) const {
  if (!has_summer) return standard;
  const std::chrono::sys_days date{std::chrono::days((at + standard) / kDay)};
  const int64_t year = int{std::chrono::year_month_day(date).year()};
  const int64_t from = begins.in_year(year) - standard;
  const int64_t until = ends.in_year(year) - summer;
  const bool is_summer =
      from < until ? at >= from && at < until : at >= from || at < until;  // south: over new year
  return is_summer ? summer : standard;
}

bool TimeZone::parse_day(std::string_view& text, Day& day) {
  if (!take(text, ',') || !take(text, 'M') || !take_number(text, day.month) || !take(text, '.') ||
      !take_number(text, day.week) || !take(text, '.') || !take_number(text, day.weekday))
    return false;
  if (take(text, '/') && !take_clock(text, day.second)) return false;
  return day.month >= 1 && day.month <= 12 && day.week >= 1 && day.week <= 5 && day.weekday <= 6;
}

std::optional<TimeZone::Rule> TimeZone::parse_rule(std::string_view text) {
  Rule rule;
  int64_t west = 0;
  if (!take_name(text) || !take_clock(text, west)) return std::nullopt;
  rule.standard = -west;
  if (text.empty()) return rule;
  if (!take_name(text)) return std::nullopt;
  rule.has_summer = true;
  rule.summer = rule.standard + 3600;
  if (!text.starts_with(',')) {
    if (!take_clock(text, west)) return std::nullopt;
    rule.summer = -west;
  }
  if (!parse_day(text, rule.begins) || !parse_day(text, rule.ends)) return std::nullopt;
  return rule;
}

Result<TimeZone> TimeZone::parse(std::string_view tzif) {
  const Error bad = fail(Code::kInvalid, "not a time zone file");
  auto counts = read_counts(tzif);
  if (!counts) return bad;
  size_t width = 4;
  if (tzif[4] >= '2') {  // the second block has 64 bits and the rule behind it
    const size_t skip = kHeader + counts->body(4);
    if (skip > tzif.size()) return bad;
    tzif.remove_prefix(skip);
    counts = read_counts(tzif);
    if (!counts) return bad;
    width = 8;
  }
  if (tzif.size() < kHeader + counts->body(width) || counts->types == 0) return bad;
  const std::string_view times = tzif.substr(kHeader, counts->times * width);
  const std::string_view indexes = tzif.substr(kHeader + times.size(), counts->times);
  const std::string_view types =
      tzif.substr(kHeader + times.size() + indexes.size(), counts->types * 6);
  TimeZone zone;
  zone.first_ = big_endian(types.substr(0, 4));
  for (size_t i = 0; i < counts->times; ++i) {
    const auto type = static_cast<uint8_t>(indexes[i]);
    if (type >= counts->types) return bad;
    zone.transitions_.emplace_back(big_endian(times.substr(i * width, width)),
                                   big_endian(types.substr(type * size_t{6}, 4)));
  }
  if (!std::is_sorted(zone.transitions_.begin(), zone.transitions_.end())) return bad;
  std::string_view footer = tzif.substr(kHeader + counts->body(width));
  if (width == 8 && footer.size() > 2)
    zone.rule_ = parse_rule(footer.substr(1, footer.find('\n', 1) - 1));
  return zone;
}

int64_t TimeZone::offset_at(int64_t at) const {
  if (rule_ && (transitions_.empty() || at >= transitions_.back().first))
    return rule_->offset_at(at);
  const auto after =
      std::upper_bound(transitions_.begin(), transitions_.end(), std::pair{at, INT64_MAX});
  return after == transitions_.begin() ? first_ : std::prev(after)->second;
}

Wall TimeZone::to_utc(Wall local) const {
  const int64_t at = local.seconds();
  const int64_t before = offset_at(at - kDay);  // as it was well before
  const int64_t after = offset_at(at + kDay);
  for (const int64_t offset : {before, after}) {
    if (offset_at(at - offset) == offset) return local + seconds(-offset);
  }
  return local + seconds(-before);
}

}  // namespace coracle::controllers
