// SPDX-License-Identifier: GPL-2.0-or-later
// The real machine: owns the event loop and gives out every interface of port/*.h. This is the only
// header of port/linux that daemon/main.cc needs. Everything obtained from it must be destroyed
// before it.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "port/clock.h"
#include "port/datagrams.h"
#include "port/disk.h"
#include "port/links.h"
#include "port/net.h"
#include "port/packet_filter.h"
#include "port/process.h"
#include "port/random.h"
#include "port/sandbox.h"

namespace coracle::port_linux {

class SignalEvents {
 public:
  virtual void on_signal(int signal) = 0;  // SIGTERM, SIGINT or SIGHUP

 protected:
  ~SignalEvents() = default;
};

struct MachineOptions {
  std::string shim_path;     // of coracle-shim; empty: beside our own executable
  std::string runtime_path;  // of crun; empty: found in PATH when it is first needed
};

class Machine {
 public:
  explicit Machine(const MachineOptions& options = {});
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  port::Clock& clock();
  port::Random& random();
  port::Network& network();
  port::DatagramNetwork& datagrams();
  port::Disk& disk();
  port::Processes& processes();
  port::Links& links();
  port::PacketFilter& packet_filter();
  port::Sandboxes& sandboxes();
  std::unique_ptr<port::Lane> lane(const std::string& name);  // its thread's name, <= 15 characters

  void watch_signals(SignalEvents& events);  // once; without it signals have their usual effect
  void run();                                // until stop()
  void stop();                               // ends run() after the current turn
  uint64_t turns() const;  // how often the loop came back from the kernel: wake-ups

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Holds a locked file with our process id; a second daemon on the same file is refused with
// kAlreadyExists. The lock ends with the process, whatever kills it.
class PidFile {
 public:
  static Result<std::unique_ptr<PidFile>> take(const std::string& path);
  ~PidFile();

 private:
  PidFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::string path_;
};

// Goes into the background: new session, stdio from /dev/null, output appended to `log_path`
// (empty: /dev/null). Call it before a Machine exists; threads do not survive it.
Result<> daemonize(const std::string& log_path);

// Tells a supervisor that listens on $NOTIFY_SOCKET, as systemd's sd_notify(3): "READY=1",
// "STOPPING=1".
void notify_supervisor(std::string_view state);

}  // namespace coracle::port_linux
