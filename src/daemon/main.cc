// SPDX-License-Identifier: GPL-2.0-or-later
#include <string>
#include <utility>
#include <vector>

#include "daemon/cli.h"

extern "C" char** environ;  // NOLINT: the name is POSIX's

int main(int count, char** values) {
  const std::vector<std::string> arguments(values + 1, values + count);
  std::vector<std::pair<std::string, std::string>> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (text.starts_with("CORACLE_") && equals != std::string_view::npos) {
      environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return coracle::daemon::run_command_line(arguments, environment);
}
