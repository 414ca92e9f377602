// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/machine.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::node {

namespace {

constexpr std::string_view kOsNameKey = "PRETTY_NAME=";
constexpr std::string_view kCapabilitiesKey = "CapEff:";

std::string first_line(port::Disk& disk, const std::string& path) {
  const Result<std::string> text = disk.read_file(path, 64 * 1024);
  if (!text) return {};
  return std::string(trim(text->substr(0, text->find('\n'))));
}

// "0-3,6" -> 5
int64_t count_of_list(std::string_view list) {
  int64_t count = 0;
  for (const std::string_view range : split(list, ',')) {
    const size_t dash = std::min(range.find('-'), range.size());
    const auto first = parse_signed(range.substr(0, dash));
    const auto last = dash < range.size() ? parse_signed(range.substr(dash + 1)) : first;
    if (first && last && *last >= *first) count += *last - *first + 1;
  }
  return count;
}

int64_t meminfo_bytes(port::Disk& disk, std::string_view key) {
  const Result<std::string> text = disk.read_file("/proc/meminfo", 64 * 1024);
  if (!text) return -1;
  for (const std::string_view line : split(*text, '\n')) {
    if (!line.starts_with(key)) continue;
    std::string_view value = trim(line.substr(key.size()));
    if (value.ends_with(" kB")) value.remove_suffix(3);
    return parse_signed(trim(value)).value_or(-1) * 1024;
  }
  return -1;
}

std::string os_name(port::Disk& disk) {
  const Result<std::string> text = disk.read_file("/etc/os-release", 64 * 1024);
  if (!text) return "Linux";
  for (const std::string_view line : split(*text, '\n')) {
    if (!line.starts_with(kOsNameKey)) continue;
    std::string_view name = trim(line.substr(kOsNameKey.size()));
    if (name.size() >= 2 && name.front() == '"') name = name.substr(1, name.size() - 2);
    return std::string(name);
  }
  return "Linux";
}

uint64_t effective_capabilities(port::Disk& disk) {
  const Result<std::string> text = disk.read_file("/proc/self/status", 64 * 1024);
  if (!text) return ~uint64_t{0};
  for (const std::string_view line : split(*text, '\n')) {
    if (!line.starts_with(kCapabilitiesKey)) continue;
    const auto bytes = from_hex(trim(line.substr(kCapabilitiesKey.size())));
    if (!bytes) break;
    uint64_t mask = 0;
    for (const char c : *bytes)
      mask = mask << 8 | static_cast<uint8_t>(c);
    return mask;
  }
  return ~uint64_t{0};
}

}  // namespace

std::string_view architecture() {
#if defined(__x86_64__)
  return "amd64";
#elif defined(__aarch64__)
  return "arm64";
#elif defined(__arm__)
  return "arm";
#elif defined(__riscv)
  return "riscv64";
#elif defined(__i386__)
  return "386";
#else
  return "unknown";
#endif
}

Machine read_machine(port::Disk& disk) {
  Machine machine;
  machine.cpus =
      std::max<int64_t>(1, count_of_list(first_line(disk, "/sys/devices/system/cpu/online")));
  machine.memory_bytes = std::max<int64_t>(0, meminfo_bytes(disk, "MemTotal:"));
  machine.kernel_version = first_line(disk, "/proc/sys/kernel/osrelease");
  machine.os_image = os_name(disk);
  machine.machine_id = first_line(disk, "/etc/machine-id");
  machine.system_uuid = first_line(disk, "/sys/class/dmi/id/product_uuid");
  if (machine.system_uuid.empty()) machine.system_uuid = machine.machine_id;
  machine.boot_id = first_line(disk, "/proc/sys/kernel/random/boot_id");
  machine.own_oom_score = parse_signed(first_line(disk, "/proc/self/oom_score_adj")).value_or(0);
  machine.capabilities = effective_capabilities(disk);
  return machine;
}

int64_t memory_available(port::Disk& disk) {
  return meminfo_bytes(disk, "MemAvailable:");
}

// proc(5): "cpu user nice system idle iowait irq softirq steal ..." in hundredths of a second;
// guest time is part of user time.
uint64_t cpu_time_ns(port::Disk& disk) {
  constexpr uint64_t kTickNs = 10'000'000;
  constexpr size_t kIdle = 3;
  constexpr size_t kIoWait = 4;
  constexpr size_t kCounted = 8;
  const std::string line = first_line(disk, "/proc/stat");
  uint64_t ticks = 0;
  size_t index = 0;
  for (const std::string_view word : split(line, ' ')) {
    const auto value = parse_unsigned(word);
    if (!value) continue;
    if (index != kIdle && index != kIoWait && index < kCounted) ticks += *value;
    ++index;
  }
  return ticks * kTickNs;
}

// proc(5), loadavg: "0.20 0.18 0.12 1/80 11206", the 80 is of all threads.
ProcessIds process_ids(port::Disk& disk) {
  ProcessIds ids;
  const auto read = [&](const char* path) { return parse_unsigned(first_line(disk, path)); };
  const auto ids_max = read("/proc/sys/kernel/pid_max");
  const auto threads_max = read("/proc/sys/kernel/threads-max");
  const std::string load = first_line(disk, "/proc/loadavg");
  const std::vector<std::string_view> words = split(load, ' ');
  const std::string_view tasks = words.size() > 3 ? words[3] : std::string_view();
  const auto used = parse_unsigned(tasks.substr(std::min(tasks.find('/') + 1, tasks.size())));
  if (!ids_max || !used) return ids;
  ids.most = std::min(*ids_max, threads_max.value_or(*ids_max));
  ids.used = *used;
  return ids;
}

}  // namespace coracle::node
