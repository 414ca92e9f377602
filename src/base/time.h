// SPDX-License-Identifier: GPL-2.0-or-later
// Two clocks that cannot be mixed: Mono for timers, leases and timeouts; Wall only for what people
// read and for certificates (ARCHITECTURE D10). Both count nanoseconds in 64 bits on every
// platform.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coracle {

struct Duration {
  int64_t ns = 0;
  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }
  friend constexpr Duration operator-(Duration a, Duration b) { return {a.ns - b.ns}; }
  friend constexpr Duration operator*(Duration a, int64_t n) { return {a.ns * n}; }
  constexpr int64_t ms() const { return ns / 1'000'000; }
  constexpr int64_t seconds() const { return ns / 1'000'000'000; }
};
constexpr Duration nanoseconds(int64_t n) {
  return {n};
}
constexpr Duration milliseconds(int64_t n) {
  return {n * 1'000'000};
}
constexpr Duration seconds(int64_t n) {
  return {n * 1'000'000'000};
}
constexpr Duration minutes(int64_t n) {
  return seconds(n * 60);
}

struct Mono {
  int64_t ns = 0;
  friend constexpr auto operator<=>(Mono, Mono) = default;
  friend constexpr Mono operator+(Mono a, Duration d) { return {a.ns + d.ns}; }
  friend constexpr Duration operator-(Mono a, Mono b) { return {a.ns - b.ns}; }
};

struct Wall {  // since 1970-01-01T00:00:00Z
  int64_t ns = 0;
  friend constexpr auto operator<=>(Wall, Wall) = default;
  friend constexpr Wall operator+(Wall a, Duration d) { return {a.ns + d.ns}; }
  friend constexpr Duration operator-(Wall a, Wall b) { return {a.ns - b.ns}; }
  constexpr int64_t seconds() const { return ns / 1'000'000'000; }
};

std::string rfc3339(Wall at);        // 2006-01-02T15:04:05Z: metav1.Time
std::string rfc3339_micro(Wall at);  // 2006-01-02T15:04:05.000000Z: metav1.MicroTime
std::string rfc3339_nano(Wall at);   // 2006-01-02T15:04:05.000000000Z: CRI log lines
std::optional<Wall> parse_rfc3339(std::string_view text);  // any fraction, Z or +-hh:mm
std::string human_duration(
    Duration age);  // "5s", "3m20s", "4d2h": apimachinery duration.HumanDuration

}  // namespace coracle
