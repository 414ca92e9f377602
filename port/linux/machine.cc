// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/machine.h"

#include <signal.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <array>
#include <utility>

#include "port/linux/clock.h"
#include "port/linux/datagrams.h"
#include "port/linux/disk.h"
#include "port/linux/lane.h"
#include "port/linux/links.h"
#include "port/linux/net.h"
#include "port/linux/packet_filter.h"
#include "port/linux/process.h"
#include "port/linux/random.h"
#include "port/linux/sandbox.h"

namespace coracle::port_linux {

struct Machine::Parts {
  explicit Parts(const MachineOptions& options)
      : sandboxes(loop, network, processes, {options.shim_path, options.runtime_path}) {}

  Loop loop;
  LoopClock clock{loop};
  KernelRandom random;
  LoopNetwork network{loop};
  LoopDatagramNetwork datagrams{loop};
  RealDisk disk;
  LoopProcesses processes{loop};
  ShimSandboxes sandboxes;
  RouteLinks links;
  NftPacketFilter packet_filter;
  std::array<UvHandle<uv_signal_t>, 3> signals;
};

Machine::Machine(const MachineOptions& options) {
  // A peer that went away shows as an error of write(2). libuv gives children the default back.
  ::signal(SIGPIPE, SIG_IGN);
#ifdef __GLIBC__
  ::mallopt(M_ARENA_MAX, 1);  // one heap for the loop and all lanes: less memory held back by each
  // Bodies and lists come and go as mappings of their own. Left to itself glibc raises its limit to
  // the largest body it has seen, and what the heap grew by then stays for ever.
  ::mallopt(M_MMAP_THRESHOLD, 64 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 128 * 1024);
#endif
  parts_ = std::make_unique<Parts>(options);
}

Machine::~Machine() = default;

port::Clock& Machine::clock() {
  return parts_->clock;
}
port::Random& Machine::random() {
  return parts_->random;
}
port::Network& Machine::network() {
  return parts_->network;
}
port::DatagramNetwork& Machine::datagrams() {
  return parts_->datagrams;
}
port::Disk& Machine::disk() {
  return parts_->disk;
}
port::Processes& Machine::processes() {
  return parts_->processes;
}
port::PacketFilter& Machine::packet_filter() {
  return parts_->packet_filter;
}
port::Links& Machine::links() {
  return parts_->links;
}
port::Sandboxes& Machine::sandboxes() {
  return parts_->sandboxes;
}

std::unique_ptr<port::Lane> Machine::lane(const std::string& name) {
  return std::make_unique<ThreadLane>(parts_->loop, name);
}

namespace {

void on_signal(uv_signal_t* handle, int signal) noexcept {
  static_cast<SignalEvents*>(handle->data)->on_signal(signal);
}

}  // namespace

void Machine::watch_signals(SignalEvents& events) {
  const std::array<int, 3> watched{SIGTERM, SIGINT, SIGHUP};
  for (size_t i = 0; i < watched.size(); i++) {
    parts_->signals[i].reset(new uv_signal_t);
    uv_signal_init(parts_->loop.uv(), parts_->signals[i].get());
    parts_->signals[i]->data = &events;
    uv_signal_start(parts_->signals[i].get(), on_signal, watched[i]);
  }
}

void Machine::run() {
  parts_->loop.run();
}
void Machine::stop() {
  parts_->loop.stop();
}
uint64_t Machine::turns() const {
  return parts_->loop.turns();
}

}  // namespace coracle::port_linux
