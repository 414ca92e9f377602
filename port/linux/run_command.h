// SPDX-License-Identifier: GPL-2.0-or-later
// One `crun exec`, started through `coracle-shim enter` so that it sees what the sandbox sees. It
// stays as long as the command runs and ends with its exit code.
#pragma once

#include <memory>
#include <string>

#include "port/clock.h"
#include "port/linux/handed_fd.h"
#include "port/linux/sandbox.h"
#include "port/linux/stdio.h"

namespace coracle::port_linux {

class RunCommand final : public Stdio,
                         private port::ProcessEvents,
                         private HandedFd::Taker,
                         private port::Alarm {
 public:
  // `path`: beginning of the names of the files it needs while it runs.
  RunCommand(ShimSandboxes& owner, std::string path, port::CommandEvents& events);
  ~RunCommand() override;
  Result<> start(const port::CommandOptions& options, const std::string& directory, int64_t shim);
  void resize(uint16_t columns, uint16_t rows) override;

 private:
  void take_output(bool is_error, std::string_view bytes) override;
  void output_ended() override;
  void input_taken() override { events_.on_input_taken(); }
  void on_exit(int code, int signal) override;
  void on_fd(Fd fd) override;
  void on_alarm(port::Timer& timer) override;
  int64_t pid() const;  // of the command; 0: it does not run (yet)
  bool learn_start();
  void apply_size();
  void finish();
  Result<> spawn(const port::CommandOptions& options, const std::string& directory, int64_t shim);

  ShimSandboxes& owner_;
  const std::string path_;
  port::CommandEvents& events_;
  std::unique_ptr<port::Process> process_;
  std::unique_ptr<HandedFd> console_;
  std::unique_ptr<port::Timer> timer_;
  std::string said_;   // on stderr while it was not known to run: crun's words, or its own
  int terminal_ = -1;  // owned by out_
  uint16_t columns_ = 0;
  uint16_t rows_ = 0;
  int exit_code_ = 0;
  bool is_terminal_ = false;
  bool started_ = false;
  bool exited_ = false;
  bool over_ = false;
};

}  // namespace coracle::port_linux
