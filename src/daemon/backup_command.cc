// SPDX-License-Identifier: GPL-2.0-or-later
// `coracle backup FILE` asks the running server; `coracle restore FILE` makes a store where there
// is none, for the server to be started on.
#include "base/bytes.h"
#include "daemon/cli.h"
#include "daemon/control.h"
#include "daemon/layout.h"
#include "store/store.h"

namespace coracle::daemon {

Result<int> run_backup(const Arguments& arguments) {
  port_linux::Machine machine;
  const std::string path = TRY(absolute_path(machine.disk(), arguments.positional[0]));
  const Result<std::string> text =
      ask_daemon(machine, control_path(arguments.config.run_dir), {"backup", path});
  if (!text && text.error().code == Code::kNotFound)
    return fail(Code::kNotFound, "no server runs on this machine");
  print(TRY(text));
  return 0;
}

Result<int> run_restore(const Arguments& arguments) {
  port_linux::Machine machine;
  const Config& config = arguments.config;
  store::StoreOptions options;
  options.directory = config.data_dir + "/store";
  options.entropy = machine.random().next();
  options.self.name = TRY(make_layout(config, machine.disk(), machine.links())).node_name;
  Result<> restored = store::restore_store(options, machine.disk(), arguments.positional[0]);
  if (!restored && restored.error().code == Code::kConflict) {
    return fail(Code::kConflict, join({"there is a store already: move ", options.directory,
                                       " away if it is not to be kept"}));
  }
  TRY(std::move(restored));
  print(join({"restored into ", options.directory,
              ": start the server; other servers join it anew with empty data directories\n"}));
  return 0;
}

}  // namespace coracle::daemon
