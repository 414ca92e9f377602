// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/runtime_version.h"

#include "base/bytes.h"

namespace coracle::daemon {

namespace {

constexpr Duration kPatience = seconds(5);
constexpr const char* kPlaces[] = {"/usr/bin/crun", "/usr/local/bin/crun", "/usr/sbin/crun",
                                   "/bin/crun"};

class Asking final : port::ProcessEvents, port::Alarm {
 public:
  static std::string ask(port_linux::Machine& machine, const std::string& crun) {
    Asking asking(machine);
    port::SpawnOptions options;
    options.arguments = {crun, "--version"};
    options.capture_output = true;
    const auto process = machine.processes().spawn(options, asking);
    if (!process) return {};
    const auto timer = machine.clock().timer(asking);
    timer->arm(machine.clock().now() + kPatience);
    machine.run();
    return std::move(asking.output_);
  }

 private:
  explicit Asking(port_linux::Machine& machine) : machine_(machine) {}
  void on_output(std::string_view bytes) override { output_ += bytes.substr(0, 4096); }
  void on_exit(int, int) override { machine_.stop(); }
  void on_alarm(port::Timer&) override { machine_.stop(); }

  port_linux::Machine& machine_;
  std::string output_;
};

// "crun version 1.8.1\n..." -> "1.8.1"
std::string parse_version(std::string_view output) {
  constexpr std::string_view kMark = "version ";
  const size_t at = output.find(kMark);
  if (at == std::string_view::npos) return "unknown";
  const std::string_view rest = output.substr(at + kMark.size());
  return std::string(rest.substr(0, rest.find_first_of(" \n")));
}

}  // namespace

std::string runtime_version(port_linux::Machine& machine,
                            const std::string& crun,
                            const std::string& data_dir) {
  std::string program = crun;
  for (const char* place : kPlaces) {
    if (program.empty() && machine.disk().stat(place)) program = place;
  }
  const auto stat = machine.disk().stat(program);
  if (!stat) return "unknown";
  const std::string mark =
      join({program, " ", std::to_string(stat->size), " ", std::to_string(stat->modified.ns), " "});
  const std::string path = data_dir + "/runtime-version";
  const auto known = machine.disk().read_file(path, 4096);
  if (known && known->starts_with(mark)) return known->substr(mark.size());
  std::string version = parse_version(Asking::ask(machine, program));
  static_cast<void>(
      machine.disk().write_file(path, mark + version, 0600));  // only saves time: loss is harmless
  return version;
}

}  // namespace coracle::daemon
