// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/command.h"

#include <algorithm>

namespace coracle::node {

namespace {

constexpr size_t kConfigBytesMax = 4 * 1024 * 1024;

class Attached final : public port::Command {
 public:
  Attached(std::unique_ptr<port::Command> command, bool input_once)
      : command_(std::move(command)),
        input_once_(input_once) {}
  ~Attached() override { close_input(); }
  void send(std::string bytes) override { command_->send(std::move(bytes)); }
  void close_input() override {
    if (input_once_) command_->close_input();
  }
  size_t queued() const override { return command_->queued(); }
  void resize(uint16_t columns, uint16_t rows) override { command_->resize(columns, rows); }
  void pause_output(bool paused) override { command_->pause_output(paused); }

 private:
  std::unique_ptr<port::Command> command_;
  const bool input_once_;
};

void add_terminal_type(json::Node environment) {
  for (const json::Node line : environment) {
    if (line.string().starts_with("TERM=")) return;
  }
  environment.append("TERM=xterm");
}

}  // namespace

Result<std::string> joining_process(port::Disk& disk,
                                    const std::string& bundle,
                                    const std::vector<std::string>& words,
                                    bool terminal) {
  const std::string text = TRY(disk.read_file(bundle + "/config.json", kConfigBytesMax));
  json::Tree tree;
  const json::Node process = TRY(tree.parse(text))["process"];
  process.set("terminal", terminal);
  const json::Node arguments = process.array("args");
  arguments.clear();
  for (const std::string& word : words)
    arguments.append(std::string_view(word));
  if (terminal) add_terminal_type(process.array("env"));
  return json::write(process);
}

std::unique_ptr<port::Command> attached(std::unique_ptr<port::Command> command, bool input_once) {
  return std::make_unique<Attached>(std::move(command), input_once);
}

}  // namespace coracle::node
