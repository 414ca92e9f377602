// SPDX-License-Identifier: GPL-2.0-or-later
// What the machine is, read once from /proc, /sys and /etc, and how much it has left, read when
// asked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "port/disk.h"

namespace coracle::node {

struct Machine {
  int64_t cpus = 1;
  int64_t memory_bytes = 0;
  std::string kernel_version;
  std::string os_image;
  std::string machine_id;
  std::string system_uuid;
  std::string boot_id;
  int64_t own_oom_score = 0;  // of the daemon
  uint64_t capabilities = 0;  // of the daemon: the most a container can get
};

std::string_view architecture();  // Go's name: "amd64", "arm64", "arm"
struct ProcessIds {
  uint64_t most = 0;  // 0: not known
  uint64_t used = 0;  // of all threads
};
ProcessIds process_ids(port::Disk& disk);
Machine read_machine(port::Disk& disk);
int64_t memory_available(port::Disk& disk);  // bytes; -1: unknown
uint64_t cpu_time_ns(port::Disk& disk);      // of all that runs here, since boot

}  // namespace coracle::node
