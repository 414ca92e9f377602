// SPDX-License-Identifier: GPL-2.0-or-later
#include <memory>

#include "daemon/agent_daemon.h"
#include "daemon/cli.h"

namespace coracle::daemon {

Result<int> run_agent(const Arguments& arguments) {
  const Config& config = arguments.config;
  TRY(apply_log_level(config.log_level));
  std::unique_ptr<port_linux::PidFile> pid_file;
  for (;;) {
    port_linux::Machine machine({config.shim, config.crun});
    TRY(machine.disk().make_directories(config.run_dir, 0755));
    if (pid_file == nullptr) pid_file = TRY(port_linux::PidFile::take(config.pid_file));
    AgentDaemon daemon(machine, config);
    TRY(daemon.start());
    machine.run();
    TRY(daemon.failure());
    if (!daemon.moved()) return 0;
  }
}

}  // namespace coracle::daemon
