// SPDX-License-Identifier: GPL-2.0-or-later
// `coracle member` and `coracle leader`: questions and orders to the server on this machine.
#include "base/bytes.h"
#include "daemon/cli.h"
#include "daemon/control.h"

namespace coracle::daemon {

namespace {

Result<int> order(const Arguments& arguments, std::string_view verb) {
  port_linux::Machine machine;
  std::vector<std::string> words{std::string(verb)};
  words.insert(words.end(), arguments.positional.begin(), arguments.positional.end());
  const Result<std::string> text =
      ask_daemon(machine, control_path(arguments.config.run_dir), words);
  if (!text && text.error().code == Code::kNotFound)
    return fail(Code::kNotFound, "no server runs on this machine");
  print(TRY(text));
  return 0;
}

}  // namespace

Result<int> run_member(const Arguments& arguments) {
  const std::string& what = arguments.positional[0];
  const bool list = what == "list" && arguments.positional.size() == 1;
  const bool one = (what == "remove" || what == "promote") && arguments.positional.size() == 2;
  if (!list && !one)
    return fail(Code::kBadRequest, "usage: coracle member list | remove NAME | promote NAME");
  return order(arguments, "member");
}

Result<int> run_leader(const Arguments& arguments) {
  if (arguments.positional[0] != "transfer")
    return fail(Code::kBadRequest, "usage: coracle leader transfer [NAME]");
  return order(arguments, "leader");
}

}  // namespace coracle::daemon
