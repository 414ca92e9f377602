// SPDX-License-Identifier: GPL-2.0-or-later
// Scripts: a command line, input lines, "----", the expected output up to an empty line (the form
// of the datadriven package that etcd's raft tests use). Lines that start with # are comments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coracle::raft {

struct Argument {
  std::string key;
  std::vector<std::string> values;  // key=value or key=(value,value)
};

struct Command {
  int line = 0;
  std::string name;
  std::vector<Argument> arguments;
  std::string input;
  std::string expected;
};

// Splits "name key key=value key=(a, b)".
Command parse_command(std::string_view line);
std::vector<Command> parse_script(std::string_view text);

class Interpreter {
 public:
  virtual ~Interpreter() = default;
  virtual std::string run(const Command& command) = 0;
};

struct Mismatch {
  int line = 0;  // 0: the script passed
  std::string command;
  std::string expected;
  std::string actual;
};

// The same script with the outputs that `interpreter` gives.
std::string rewrite_script(std::string_view text, Interpreter& interpreter);
Mismatch run_script(std::string_view text, Interpreter& interpreter);

}  // namespace coracle::raft
