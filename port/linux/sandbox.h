// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "port/linux/net.h"
#include "port/linux/process.h"
#include "port/sandbox.h"

namespace coracle::port_linux {

struct SandboxPrograms {
  std::string shim;     // empty: coracle-shim beside our own executable
  std::string runtime;  // empty: crun from PATH
};

class ShimSandboxes : public port::Sandboxes {
 public:
  ShimSandboxes(Loop& loop,
                LoopNetwork& network,
                LoopProcesses& processes,
                SandboxPrograms programs)
      : loop_(loop),
        network_(network),
        processes_(processes),
        programs_(std::move(programs)) {}
  Result<std::unique_ptr<port::Sandbox>> create(const port::SandboxOptions& options,
                                                port::SandboxEvents& events) override;
  Result<std::unique_ptr<port::Sandbox>> adopt(const std::string& directory,
                                               port::SandboxEvents& events) override;

  Loop& loop() { return loop_; }
  LoopNetwork& network() { return network_; }
  LoopProcesses& processes() { return processes_; }
  const SandboxPrograms& programs() const { return programs_; }

 private:
  Result<> find_programs();

  Loop& loop_;
  LoopNetwork& network_;
  LoopProcesses& processes_;
  SandboxPrograms programs_;
};

}  // namespace coracle::port_linux
