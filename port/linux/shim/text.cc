// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/shim/text.h"

#include <linux/time.h>

#include "port/linux/shim/syscall.h"

namespace coracle::shim {

size_t length(const char* text) {
  size_t n = 0;
  while (text[n] != '\0')
    n++;
  return n;
}

bool same(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) {
    a++;
    b++;
  }
  return *a == *b;
}

Division divide(uint64_t number, uint32_t by) {
  uint64_t quotient = 0;
  uint64_t rest = 0;
  for (int bit = 63; bit >= 0; bit--) {
    rest = (rest << 1) | ((number >> bit) & 1);
    quotient <<= 1;
    if (rest >= by) {
      rest -= by;
      quotient |= 1;
    }
  }
  return {quotient, static_cast<uint32_t>(rest)};
}

uint64_t parse_number(const char* text) {
  uint64_t value = 0;
  for (; *text >= '0' && *text <= '9'; text++)
    value = value * 10 + static_cast<uint64_t>(*text - '0');
  return value;
}

Writer& Writer::put(const char* bytes, size_t count) {
  if (count > left()) {
    count = left();
    cut_ = true;
  }
  for (size_t i = 0; i < count; i++)
    room_[used_ + i] = bytes[i];
  used_ += count;
  room_[used_] = '\0';
  return *this;
}

Writer& Writer::number(uint64_t value, unsigned digits_min) {
  char digits[20];
  unsigned count = 0;
  while (value > 0 || count < digits_min) {
    const Division ten = divide(value, 10);
    digits[sizeof digits - ++count] = static_cast<char>('0' + ten.rest);
    value = ten.quotient;
  }
  return put(digits + sizeof digits - count, count);
}

Writer& Writer::signed_number(int64_t value) {
  if (value < 0) put("-");
  return number(value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value));
}

uint64_t wall_ns() {
  __kernel_timespec now{};
#if defined(__NR_clock_gettime64)
  sys(__NR_clock_gettime64, CLOCK_REALTIME, &now);
#else
  sys(__NR_clock_gettime, CLOCK_REALTIME, &now);
#endif
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

// Days to year, month and day as in Howard Hinnant's "chrono-compatible low-level date algorithms".
void put_time(Writer& out, uint64_t wall) {
  const Division seconds = divide(wall, 1000000000u);
  const Division day = divide(seconds.quotient, 86400);
  const Division era = divide(day.quotient + 719468, 146097);
  const uint32_t day_of_era = era.rest;
  const uint64_t corrected = day_of_era - divide(day_of_era, 1460).quotient +
                             divide(day_of_era, 36524).quotient -
                             divide(day_of_era, 146096).quotient;
  const uint64_t year_of_era = divide(corrected, 365).quotient;
  const uint64_t day_of_year = day_of_era - (365 * year_of_era + divide(year_of_era, 4).quotient -
                                             divide(year_of_era, 100).quotient);
  const uint64_t month_from_march = divide(5 * day_of_year + 2, 153).quotient;
  const uint64_t day_of_month = day_of_year - divide(153 * month_from_march + 2, 5).quotient + 1;
  const uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const uint64_t year = year_of_era + era.quotient * 400 + (month <= 2);
  const Division hour = divide(day.rest, 3600);
  const Division minute = divide(hour.rest, 60);
  out.number(year, 4).put("-").number(month, 2).put("-").number(day_of_month, 2).put("T");
  out.number(hour.quotient, 2).put(":").number(minute.quotient, 2).put(":").number(minute.rest, 2);
  out.put(".").number(seconds.rest, 9).put("Z");
}

}  // namespace coracle::shim
