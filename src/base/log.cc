// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"

#include <cstdio>

namespace coracle {

namespace {

void write_to_stderr(Level level, std::string_view line) {
  constexpr char kMarks[] = "EWID";
  static_cast<void>(std::fprintf(stderr, "%c %.*s\n", kMarks[static_cast<int>(level)],
                                 static_cast<int>(line.size()), line.data()));
}

// The only mutable state of the program outside objects: where lines go is a property of the
// process.
LogSink sink = write_to_stderr;
Level most_verbose = Level::kInfo;

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == 127) return true;
  }
  return false;
}

void append_value(std::string& line, std::string_view value) {
  if (!needs_quotes(value)) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') line += '\\';
    line += static_cast<unsigned char>(c) < ' ' || c == 127
                ? ' '
                : c;  // no control bytes reach a terminal
  }
  line += '"';
}

}  // namespace

void set_log_sink(LogSink to) {
  sink = to;
}
void set_log_level(Level level) {
  most_verbose = level;
}
bool log_enabled(Level level) {
  return level <= most_verbose;
}

void log_line(Level level, std::string_view message, std::initializer_list<LogField> fields) {
  std::string line(message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  sink(level, line);
}

}  // namespace coracle
