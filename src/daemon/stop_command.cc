// SPDX-License-Identifier: GPL-2.0-or-later
// `coracle stop`: ends the daemon, then every sandbox that it left running, and what the kernel
// holds for them.
#include <algorithm>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "daemon/cli.h"
#include "node/links.h"
#include "port/linux/machine.h"

namespace coracle::daemon {

namespace {

constexpr int kTerminate = 15;
constexpr Duration kDaemonPatience = seconds(10);
constexpr Duration kSandboxPatience = seconds(20);
constexpr Duration kPoll = milliseconds(20);

// Runs the loop until `done` or the time is over.
class Wait final : port::Alarm {
 public:
  using Done = bool (*)(void* what);
  static bool until(port_linux::Machine& machine, Duration patience, Done done, void* what) {
    Wait wait(machine, done, what);
    wait.deadline_ = machine.clock().now() + patience;
    wait.timer_->arm(machine.clock().now());
    machine.run();
    return done(what);
  }

 private:
  Wait(port_linux::Machine& machine, Done done, void* what)
      : machine_(machine),
        done_(done),
        what_(what),
        timer_(machine.clock().timer(*this)) {}
  void on_alarm(port::Timer& timer) override {
    if (done_(what_) || machine_.clock().now() >= deadline_)
      machine_.stop();
    else
      timer.arm(machine_.clock().now() + kPoll);
  }

  port_linux::Machine& machine_;
  Done done_;
  void* what_;
  std::unique_ptr<port::Timer> timer_;
  Mono deadline_;
};

// One sandbox on its way out.
class Ending final : public port::SandboxEvents {
 public:
  bool start(port::Sandboxes& sandboxes, const std::string& directory) {
    auto adopted = sandboxes.adopt(directory, *this);
    if (!adopted) {
      gone_ = true;
      return false;
    }
    sandbox_ = std::move(*adopted);
    return true;
  }
  bool gone() const { return gone_; }

 private:
  void on_ready() override { sandbox_->end(); }
  void on_container(const port::ContainerRecord&) override {}
  void on_lost(std::string_view) override { gone_ = true; }

  std::unique_ptr<port::Sandbox> sandbox_;
  bool gone_ = false;
};

struct DaemonProcess {
  port_linux::Machine& machine;
  int64_t pid;
  uint64_t started;
};

bool daemon_is_gone(void* what) {
  const auto& daemon = *static_cast<DaemonProcess*>(what);
  const auto started = daemon.machine.processes().start_time(daemon.pid);
  return !started || *started != daemon.started;
}

Result<> stop_daemon(port_linux::Machine& machine, const std::string& pid_file) {
  const auto text = machine.disk().read_file(pid_file);
  if (!text) return {};
  const auto pid = parse_unsigned(trim(*text));
  if (!pid || port_linux::PidFile::take(pid_file)) return {};  // nobody holds the file: a leftover
  DaemonProcess daemon{machine, static_cast<int64_t>(*pid), 0};
  const auto started = machine.processes().start_time(daemon.pid);
  if (!started) return {};
  daemon.started = *started;
  TRY(machine.processes().signal(daemon.pid, kTerminate));
  if (!Wait::until(machine, kDaemonPatience, daemon_is_gone, &daemon)) {
    return fail(Code::kUnavailable,
                join({"the daemon (pid ", std::to_string(*pid), ") does not end"}));
  }
  print("daemon stopped\n");
  return {};
}

using Endings = std::vector<std::unique_ptr<Ending>>;

bool all_gone(void* what) {
  const auto& endings = *static_cast<Endings*>(what);
  return std::all_of(endings.begin(), endings.end(),
                     [](const auto& ending) { return ending->gone(); });
}

Result<> stop_pods(port_linux::Machine& machine, const Config& config) {
  Endings endings;
  const std::string pods = config.data_dir + "/pods";
  if (const auto names = machine.disk().list(pods)) {
    for (const std::string& uid : *names) {
      auto ending = std::make_unique<Ending>();
      if (ending->start(machine.sandboxes(), join({pods, "/", uid, "/sandbox"}))) {
        endings.push_back(std::move(ending));
      }
    }
  }
  if (endings.empty()) return {};
  if (!Wait::until(machine, kSandboxPatience, all_gone, &endings))
    return fail(Code::kUnavailable, "some pods do not end");
  print(join({std::to_string(endings.size()), " pods stopped\n"}));
  return {};
}

// Deepest first; what is not empty belongs to somebody else and stays.
void remove_cgroup(port::Disk& disk, const std::string& path) {
  if (const auto names = disk.list(path)) {
    for (const std::string& name : *names) {
      const auto stat = disk.stat(join({path, "/", name}));
      if (stat && stat->type == port::FileType::kDirectory)
        remove_cgroup(disk, join({path, "/", name}));
    }
  }
  static_cast<void>(disk.remove_directory(path));
}

void remove_cgroups(port::Disk& disk, const std::string& parent) {
  constexpr std::string_view kMount = "/sys/fs/cgroup";
  remove_cgroup(disk, join({kMount, "/", parent}));
  if (const auto hierarchies = disk.list(std::string(kMount))) {
    for (const std::string& hierarchy : *hierarchies) {
      const std::string path = join({kMount, "/", hierarchy, "/", parent});
      if (disk.stat(path)) remove_cgroup(disk, path);
    }
  }
}

Result<> clean_kernel(port_linux::Machine& machine, const Config& config) {
  TRY(machine.packet_filter().remove().with("nftables"));
  if (const auto service_cidr = parse_cidr4(config.service_cidr))
    TRY(machine.links().remove_route(*service_cidr));
  for (const Cidr4& route : TRY(machine.links().routes_via_gateways()))
    TRY(machine.links().remove_route(route));
  // Namespaces go a moment after their last process; their links need not wait for that.
  for (const std::string& link :
       TRY(machine.links().links_with_prefix(node::pod_link_prefix(config.bridge)))) {
    TRY(machine.links().remove_link(link));
  }
  TRY(machine.links().remove_link(config.bridge));
  remove_cgroups(machine.disk(), config.cgroup_parent);
  return {};
}

}  // namespace

Result<int> run_stop(const Arguments& arguments) {
  const Config& config = arguments.config;
  port_linux::Machine machine({config.shim, config.crun});
  TRY(stop_daemon(machine, config.pid_file));
  TRY(stop_pods(machine, config));
  TRY(clean_kernel(machine, config));
  print("nothing of Coracle runs on this node\n");
  return 0;
}

}  // namespace coracle::daemon
