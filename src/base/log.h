// SPDX-License-Identifier: GPL-2.0-or-later
// LOG(kInfo, "store: opened", kv("applied", n)): room prefix, lower case, past tense, key=value.
// One line per change of state, none per request at kInfo. Lines go to the sink that daemon
// installs (stderr by default).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace coracle {

enum class Level : uint8_t { kError, kWarn, kInfo, kDebug };

struct LogField {
  std::string_view key;
  std::string value;
};

inline LogField kv(std::string_view key, std::string_view value) {
  return {key, std::string(value)};
}
inline LogField kv(std::string_view key, const char* value) {
  return {key, value};
}
template <class T>
requires std::is_arithmetic_v<T> LogField kv(std::string_view key, T value) {
  return {key, std::to_string(value)};
}

using LogSink = void (*)(Level, std::string_view line);
void set_log_sink(LogSink sink);
void set_log_level(Level most_verbose);
bool log_enabled(Level level);
void log_line(Level level, std::string_view message, std::initializer_list<LogField> fields);

}  // namespace coracle

#define LOG(level, message, ...)                                            \
  do {                                                                      \
    if (::coracle::log_enabled(::coracle::Level::level))                    \
      ::coracle::log_line(::coracle::Level::level, message, {__VA_ARGS__}); \
  } while (false)
