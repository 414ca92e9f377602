// SPDX-License-Identifier: GPL-2.0-or-later
// The real machine as the contract tests want it, with a scratch directory that is removed
// afterwards.
#pragma once

#include <stdlib.h>

#include "port/linux/machine.h"
#include "tests/contract/port.h"

namespace coracle::port_linux {

class LinuxPort {
 public:
  LinuxPort() {
    char name[] = "/tmp/coracle-test-XXXXXX";
    scratch_ = mkdtemp(name);
  }
  ~LinuxPort() { static_cast<void>(machine.disk().remove_tree(scratch_)); }
  port::Clock& clock() { return machine.clock(); }
  port::Network& network() { return machine.network(); }
  port::DatagramNetwork& datagrams() { return machine.datagrams(); }
  port::Disk& disk() { return machine.disk(); }
  port::Random& random() { return machine.random(); }
  std::unique_ptr<port::Lane> lane() { return machine.lane("test"); }
  port::Endpoint any_port() { return {"127.0.0.1", 0}; }
  std::string scratch() { return scratch_; }

  template <class Done>
  bool run_until(Done done, Duration limit) {
    Ticker<Done> ticker(machine, done, machine.clock().now() + limit);
    machine.run();
    return done();
  }

  Machine machine;

 private:
  // Looks at `done` every millisecond.
  template <class Done>
  struct Ticker : port::Alarm {
    Ticker(Machine& machine_in, Done& done_in, Mono end_in)
        : machine(machine_in),
          done(done_in),
          end(end_in),
          timer(machine.clock().timer(*this)) {
      timer->arm(machine.clock().now());
    }
    void on_alarm(port::Timer&) override {
      if (done() || machine.clock().now() >= end) return machine.stop();
      timer->arm(machine.clock().now() + milliseconds(1));
    }
    Machine& machine;
    Done& done;
    Mono end;
    std::unique_ptr<port::Timer> timer;
  };
  std::string scratch_;
};

}  // namespace coracle::port_linux
