// SPDX-License-Identifier: GPL-2.0-or-later
// The command line: one row a verb (kVerbs in cli.cc). Help texts are derived from the rows and
// from the option table.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "daemon/config.h"
#include "port/disk.h"

namespace coracle::daemon {

struct Verb {
  std::string_view name;
  std::string_view usage;  // what follows the name
  std::string_view summary;
  std::string_view explanation;
  std::span<const std::string_view> options;  // names in the option table that this verb reads
  size_t positional_least = 0;
  size_t positional_most = 0;
  Result<int> (*run)(const Arguments& arguments) = nullptr;  // the exit code
};

std::span<const Verb> verbs();

// Returns the exit code: 0 done, 1 failed, 2 used wrongly.
int run_command_line(std::span<const std::string> arguments, Environment environment);

// --- The verbs' functions; each in a file of its own.
Result<int> run_server(const Arguments& arguments);
Result<int> run_agent(const Arguments& arguments);
Result<int> run_kubeconfig(const Arguments& arguments);
Result<int> run_image(const Arguments& arguments);
Result<int> run_status(const Arguments& arguments);
Result<int> run_check(const Arguments& arguments);
Result<int> run_stop(const Arguments& arguments);
Result<int> run_token(const Arguments& arguments);
Result<int> run_member(const Arguments& arguments);
Result<int> run_leader(const Arguments& arguments);
Result<int> run_backup(const Arguments& arguments);
Result<int> run_restore(const Arguments& arguments);

// Of a file that a person named: the daemon has another working directory.
Result<std::string> absolute_path(port::Disk& disk, const std::string& path);
Result<> apply_log_level(const std::string& text);
void print(std::string_view text);        // standard output
void print_error(std::string_view text);  // standard error

}  // namespace coracle::daemon
