// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/raft/script.h"

#include "base/bytes.h"

namespace coracle::raft {

namespace {

std::vector<std::string> parse_values(std::string_view text) {
  std::vector<std::string> values;
  if (text.size() < 2 || text.front() != '(') return {std::string(text)};
  text = text.substr(1, text.size() - 2);
  if (trim(text).empty()) return values;
  for (std::string_view value : split(text, ','))
    values.emplace_back(trim(value));
  return values;
}

// The end of the word that starts `text`; blanks inside parentheses belong to it.
size_t word_end(std::string_view text) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '(') depth++;
    if (text[i] == ')') depth--;
    if (text[i] == ' ' && depth == 0) return i;
  }
  return text.size();
}

bool blank_or_comment(std::string_view line) {
  std::string_view text = trim(line);
  return text.empty() || text.front() == '#';
}

}  // namespace

Command parse_command(std::string_view line) {
  Command command;
  for (line = trim(line); !line.empty(); line = trim(line)) {
    std::string_view word = line.substr(0, word_end(line));
    line.remove_prefix(word.size());
    if (command.name.empty()) {
      command.name = word;
      continue;
    }
    size_t equals = word.find('=');
    Argument argument{std::string(word.substr(0, equals)), {}};
    if (equals != std::string_view::npos) argument.values = parse_values(word.substr(equals + 1));
    command.arguments.push_back(std::move(argument));
  }
  return command;
}

std::vector<Command> parse_script(std::string_view text) {
  std::vector<Command> commands;
  std::vector<std::string_view> lines = split(text, '\n');
  size_t at = 0;
  while (at < lines.size()) {
    if (blank_or_comment(lines[at])) {
      at++;
      continue;
    }
    Command command = parse_command(lines[at]);
    command.line = static_cast<int>(at) + 1;
    for (at++; at < lines.size() && lines[at] != "----"; at++) {
      command.input += std::string(lines[at]) + "\n";
    }
    for (at++; at < lines.size() && !trim(lines[at]).empty(); at++) {
      command.expected += std::string(lines[at]) + "\n";
    }
    commands.push_back(std::move(command));
  }
  return commands;
}

namespace {

std::string output_of(Interpreter& interpreter, const Command& command) {
  std::string output = interpreter.run(command);
  if (!output.empty() && output.back() != '\n') output += '\n';
  return output;
}

}  // namespace

std::string rewrite_script(std::string_view text, Interpreter& interpreter) {
  std::vector<std::string_view> lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  std::string out;
  size_t at = 0;  // lines before it are written
  auto copy = [&](bool until_separator) {
    for (; at < lines.size(); at++) {
      out += std::string(lines[at]) + "\n";
      if (until_separator && lines[at] == "----") break;
    }
    at++;
  };
  for (const Command& command : parse_script(text)) {
    copy(true);
    out += output_of(interpreter, command);
    while (at < lines.size() && !trim(lines[at]).empty())
      at++;
  }
  copy(false);
  return out;
}

Mismatch run_script(std::string_view text, Interpreter& interpreter) {
  for (const Command& command : parse_script(text)) {
    std::string actual = output_of(interpreter, command);
    if (actual != command.expected) {
      return {command.line, command.name, command.expected, std::move(actual)};
    }
  }
  return {};
}

}  // namespace coracle::raft
