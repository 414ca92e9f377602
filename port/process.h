// SPDX-License-Identifier: GPL-2.0-or-later
// Child processes and signals.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace coracle::port {

struct SpawnOptions {
  std::vector<std::string> arguments;    // [0] is an absolute path
  std::vector<std::string> environment;  // exactly these
  std::string directory = "/";
  bool detached = false;        // own session, not ended with the daemon, stdio is /dev/null
  bool capture_output = false;  // stdout and stderr arrive by on_output
};

class ProcessEvents {
 public:
  virtual void on_output(std::string_view bytes) { static_cast<void>(bytes); }
  virtual void on_exit(int code, int signal) = 0;  // once; signal > 0 when killed

 protected:
  ~ProcessEvents() = default;
};

// Destroying it forgets the child (it goes on; it is reaped all the same).
class Process {
 public:
  virtual ~Process() = default;
  virtual int64_t pid() const = 0;
};

class Processes {
 public:
  virtual ~Processes() = default;
  virtual Result<std::unique_ptr<Process>> spawn(const SpawnOptions& options,
                                                 ProcessEvents& events) = 0;
  virtual Result<> signal(int64_t pid, int signal) = 0;
  // Start time in clock ticks since boot (field 22 of /proc/PID/stat): (pid, start) names a process
  // for ever.
  virtual Result<uint64_t> start_time(int64_t pid) = 0;
};

}  // namespace coracle::port
