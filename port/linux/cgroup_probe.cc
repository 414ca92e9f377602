// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "port/linux/kernel_probe.h"
#include "port/linux/os_error.h"

namespace coracle::port_linux {
namespace {

constexpr std::string_view kMount = "/sys/fs/cgroup";
constexpr std::string_view kDisabled = "turned off on the kernel's command line";

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

bool is_unified() {
  return exists(join({kMount, "/cgroup.controllers"}));
}

std::string read_text(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(16 * 1024, '\0');
  const ssize_t got = file.valid() ? ::read(file.get(), text.data(), text.size()) : 0;
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

bool has_word(std::string_view text, std::string_view word) {
  for (const std::string_view line : split(text, '\n')) {
    for (const std::string_view each : split(line, ' ')) {
      if (each == word) return true;
    }
  }
  return false;
}

// The last column of its row in /proc/cgroups, which kernels with v2 only may lack.
bool is_turned_off(std::string_view controller) {
  for (const std::string& text = read_text("/proc/cgroups");
       const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> columns = split(line, '\t');
    if (columns.size() == 4 && columns[0] == controller) return columns[3] == "0";
  }
  const std::string command_line = read_text("/proc/cmdline");
  return has_word(command_line, join({"cgroup_disable=", controller}));
}

// A group with nothing in it, removed when this goes.
class ProbeGroup {
 public:
  explicit ProbeGroup(std::string_view hierarchy)
      : path_(join({kMount, hierarchy.empty() ? "" : "/", hierarchy, "/coracle-check-",
                    std::to_string(::getpid())})),
        error_(::mkdir(path_.c_str(), 0755) == 0 ? 0 : errno) {}
  ProbeGroup(const ProbeGroup&) = delete;
  ProbeGroup& operator=(const ProbeGroup&) = delete;
  ~ProbeGroup() {
    if (error_ == 0) ::rmdir(path_.c_str());
  }
  int error() const { return error_; }

  Outcome write(std::string_view file, std::string_view text) const {
    if (error_ != 0) return refused("make a group", error_);
    const std::string path = join({path_, "/", file});
    const Fd open(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!open.valid()) return refused(file, errno);
    if (::write(open.get(), text.data(), text.size()) < 0) return refused(file, errno);
    return works();
  }

 private:
  std::string path_;
  int error_;
};

struct Setting {
  std::string_view controller;
  std::string_view old_file;  // v1
  std::string_view old_value;
  std::string_view new_file;  // v2
  std::string_view new_value;
};
constexpr Setting kSettings[] = {
    {"pids", "pids.max", "100", "pids.max", "100"},
    {"memory", "memory.limit_in_bytes", "67108864", "memory.max", "67108864"},
    {"cpu", "cpu.shares", "512", "cpu.weight", "50"},
};
constexpr Setting kQuota{"cpu", "cpu.cfs_quota_us", "50000", "cpu.max", "50000 100000"};
constexpr Setting kFreezer{"freezer", "freezer.state", "THAWED", "cgroup.freeze", "0"};

Outcome absent(std::string_view controller) {
  if (is_turned_off(controller)) return {false, std::string(kDisabled), {}};
  return {false, join({"no controller ", controller}), {}};
}

// A controller that the root has not handed down cannot be tried without changing the host: that
// it is there must do.
Outcome try_unified(const Setting& setting) {
  const std::string root(kMount);
  if (!has_word(read_text(root + "/cgroup.controllers"), setting.controller))
    return absent(setting.controller);
  if (!has_word(read_text(root + "/cgroup.subtree_control"), setting.controller))
    return works("v2, not yet handed down by the root");
  Outcome outcome = ProbeGroup("").write(setting.new_file, setting.new_value);
  if (outcome.present) outcome.detail = "v2";
  return outcome;
}

Outcome try_setting(const Setting& setting) {
  if (is_unified()) return try_unified(setting);
  if (!exists(join({kMount, "/", setting.controller}))) return absent(setting.controller);
  Outcome outcome = ProbeGroup(setting.controller).write(setting.old_file, setting.old_value);
  if (outcome.present) outcome.detail = "v1";
  return outcome;
}

// v2 has no controller for devices: the runtime attaches a program. This one allows everything, and
// is attached to nothing.
Outcome load_device_program() {
  const bpf_insn allow[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1},
                            {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  bpf_attr attributes;
  std::memset(&attributes, 0, sizeof attributes);
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = reinterpret_cast<uintptr_t>(allow);
  attributes.insn_cnt = 2;
  attributes.license = reinterpret_cast<uintptr_t>("GPL");
  const Fd program(
      static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes)));
  if (!program.valid()) return refused("load a device program", errno);
  return works("v2");
}

}  // namespace

Outcome probe_cgroups(const std::string&, const char*) {
  const bool unified = is_unified();
  const bool has_pids = exists(join({kMount, "/pids"}));
  if (!unified && !has_pids && !exists(join({kMount, "/memory"}))) {
    const std::string known = read_text("/proc/filesystems");
    if (known.find("\tcgroup") == std::string::npos)
      return {false, "the kernel has none", "build the kernel with CONFIG_CGROUPS"};
    return {false, join({"none are mounted on ", kMount}), {}};
  }
  const ProbeGroup group(unified ? "" : has_pids ? "pids" : "memory");
  if (group.error() != 0) return refused("make a group", group.error());
  if (unified) return works("v2");
  return works(exists(join({kMount, "/unified/cgroup.controllers"})) ? "v1, hybrid" : "v1");
}

Outcome probe_cgroup(const std::string&, const char* controller) {
  for (const Setting& setting : kSettings) {
    if (setting.controller == controller) return try_setting(setting);
  }
  return absent(controller);
}

Outcome probe_cpu_quota(const std::string&, const char*) {
  if (is_unified() && !exists("/proc/sys/kernel/sched_cfs_bandwidth_slice_us"))
    return {false, "no bandwidth control in the scheduler", {}};
  return try_setting(kQuota);
}

Outcome probe_freezer(const std::string&, const char*) {
  if (!is_unified()) return try_setting(kFreezer);
  Outcome outcome = ProbeGroup("").write(kFreezer.new_file, kFreezer.new_value);
  if (outcome.present) outcome.detail = "v2";
  return outcome;
}

Outcome probe_devices(const std::string&, const char*) {
  if (is_unified()) return load_device_program();
  if (!exists(join({kMount, "/devices"}))) return absent("devices");
  Outcome outcome = ProbeGroup("devices").write("devices.deny", "c 1:3 r");
  if (outcome.present) outcome.detail = "v1";
  return outcome;
}

}  // namespace coracle::port_linux
