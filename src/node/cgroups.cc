// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/cgroups.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::node {

namespace {

// The number behind `key` in a file of "key value" lines.
uint64_t counter(std::string_view text, std::string_view key) {
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ')
      return parse_unsigned(trim(line.substr(key.size() + 1))).value_or(0);
  }
  return 0;
}

}  // namespace

Cgroups::Cgroups(port::Disk& disk, std::string mount, std::string parent)
    : disk_(disk),
      mount_(std::move(mount)),
      parent_(std::move(parent)) {
  unified_ = disk_.stat(mount_ + "/cgroup.controllers").has_value();
}

std::string Cgroups::pod_path(std::string_view uid) const {
  return join({"/", parent_, "/pod", uid});
}

std::string Cgroups::container_path(std::string_view uid, std::string_view container) const {
  return join({pod_path(uid), "/", container});
}

bool Cgroups::had_oom_kill(const std::string& path) const {
  const std::string file = unified_ ? join({mount_, path, "/memory.events"})
                                    : join({mount_, "/memory", path, "/memory.oom_control"});
  const Result<std::string> text = disk_.read_file(file, 4096);
  return text && counter(*text, "oom_kill") > 0;
}

uint64_t Cgroups::processes(const std::string& path) const {
  const Result<std::string> text =
      disk_.read_file(join({mount_, unified_ ? "" : "/pids", path, "/pids.current"}), 64);
  return text ? parse_unsigned(trim(*text)).value_or(0) : 0;
}

api::Usage Cgroups::usage(const std::string& path) const {
  const std::string memory = join({mount_, unified_ ? "" : "/memory", path});
  const auto read = [this](const std::string& file) {
    Result<std::string> text = disk_.read_file(file, 16 * 1024);
    return text ? std::move(*text) : std::string();
  };
  api::Usage usage;
  const std::string charge =
      read(memory + (unified_ ? "/memory.current" : "/memory.usage_in_bytes"));
  usage.memory_charge = parse_unsigned(trim(charge)).value_or(0);
  const uint64_t idle =
      counter(read(memory + "/memory.stat"), unified_ ? "inactive_file" : "total_inactive_file");
  usage.memory_bytes = usage.memory_charge - std::min(idle, usage.memory_charge);
  usage.cpu_ns =
      unified_ ? counter(read(join({mount_, path, "/cpu.stat"})), "usage_usec") * 1000
               : parse_unsigned(trim(read(join({mount_, "/cpuacct", path, "/cpuacct.usage"}))))
                     .value_or(0);
  return usage;
}

std::vector<std::string> Cgroups::roots() const {
  if (unified_) return {mount_};
  std::vector<std::string> roots;
  const Result<std::vector<std::string>> names = disk_.list(mount_);
  if (!names) return roots;
  for (const std::string& name : *names)
    roots.push_back(join({mount_, "/", name}));
  return roots;
}

void Cgroups::remove_pod(std::string_view uid) {
  for (const std::string& root : roots()) {
    const std::string pod = root + pod_path(uid);
    const Result<std::vector<std::string>> inside = disk_.list(pod);
    if (!inside) continue;
    for (const std::string& name : *inside) {
      const std::string path = join({pod, "/", name});
      const Result<port::FileStat> found = disk_.stat(path);
      if (found && found->type == port::FileType::kDirectory)
        static_cast<void>(disk_.remove_directory(path));
    }
    static_cast<void>(disk_.remove_directory(pod));
  }
}

std::vector<std::string> Cgroups::pods() const {
  std::vector<std::string> uids;
  for (const std::string& root : roots()) {
    const Result<std::vector<std::string>> names = disk_.list(join({root, "/", parent_}));
    if (!names) continue;
    for (const std::string& name : *names) {
      if (name.starts_with("pod")) uids.push_back(name.substr(3));
    }
  }
  std::sort(uids.begin(), uids.end());
  uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
  return uids;
}

}  // namespace coracle::node
