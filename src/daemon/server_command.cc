// SPDX-License-Identifier: GPL-2.0-or-later
#include <memory>

#include "base/bytes.h"
#include "base/log.h"
#include "daemon/cli.h"
#include "daemon/server.h"

namespace coracle::daemon {

namespace {

Result<Level> log_level(const std::string& text) {
  if (text == "error") return Level::kError;
  if (text == "warn") return Level::kWarn;
  if (text == "info") return Level::kInfo;
  if (text == "debug") return Level::kDebug;
  return fail(Code::kBadRequest,
              join({"log-level: \"", text, "\" is none of error, warn, info, debug"}));
}

}  // namespace

Result<> apply_log_level(const std::string& text) {
  set_log_level(TRY(log_level(text)));
  return {};
}

Result<int> run_server(const Arguments& arguments) {
  const Config& config = arguments.config;
  TRY(apply_log_level(config.log_level));
  std::unique_ptr<port_linux::PidFile> pid_file;
  for (;;) {
    port_linux::Machine machine({config.shim, config.crun});
    TRY(machine.disk().make_directories(config.run_dir, 0755));
    if (pid_file == nullptr) pid_file = TRY(port_linux::PidFile::take(config.pid_file));
    Server server(machine, config);
    TRY(server.start());
    machine.run();
    TRY(server.failure());
    if (!server.moved()) return 0;
  }
}

}  // namespace coracle::daemon
