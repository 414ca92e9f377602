// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/agent_daemon.h"
#include "daemon/cli.h"

namespace coracle::daemon {

Result<int> run_agent(const Arguments& arguments) {
  const Config& config = arguments.config;
  TRY(apply_log_level(config.log_level));
  port_linux::Machine machine({config.shim, config.crun});
  TRY(machine.disk().make_directories(config.run_dir, 0755));
  const auto pid_file = TRY(port_linux::PidFile::take(config.pid_file));
  AgentDaemon daemon(machine, config);
  TRY(daemon.start());
  machine.run();
  TRY(daemon.failure());
  return 0;
}

}  // namespace coracle::daemon
