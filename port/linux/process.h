// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>

#include "port/linux/loop.h"
#include "port/process.h"

namespace coracle::port_linux {

struct Child;

// Destroying it stops watching; children go on.
class LoopProcesses : public port::Processes {
 public:
  explicit LoopProcesses(Loop& loop);
  ~LoopProcesses() override;
  Result<std::unique_ptr<port::Process>> spawn(const port::SpawnOptions& options,
                                               port::ProcessEvents& events) override;
  // `held_fd` becomes descriptor 3 of the child; -1: none.
  Result<std::unique_ptr<port::Process>> spawn_holding(const port::SpawnOptions& options,
                                                       int held_fd,
                                                       port::ProcessEvents& events);
  // Descriptors 0 to 3 of the child; -1: /dev/null, and no descriptor 3.
  Result<std::unique_ptr<port::Process>> spawn_with(const port::SpawnOptions& options,
                                                    const std::array<int, 4>& fds,
                                                    port::ProcessEvents& events);
  Result<> signal(int64_t pid, int signal) override;
  Result<uint64_t> start_time(int64_t pid) override;

 private:
  Loop& loop_;
  List<Child> children_;  // not yet reaped
};

}  // namespace coracle::port_linux
