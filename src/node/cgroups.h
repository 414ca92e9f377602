// SPDX-License-Identifier: GPL-2.0-or-later
// The control groups of pods, v1, hybrid or v2: read and removed here, made and limited by the
// container runtime.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/usage.h"
#include "port/disk.h"

namespace coracle::node {

class Cgroups {
 public:
  Cgroups(port::Disk& disk, std::string mount, std::string parent);
  std::string pod_path(std::string_view uid) const;  // "/coracle/pod<uid>"
  std::string container_path(std::string_view uid, std::string_view container) const;
  bool had_oom_kill(const std::string& path) const;
  uint64_t processes(const std::string& path) const;  // and their threads
  api::Usage usage(const std::string& path) const;    // of CPU only the counter
  void remove_pod(std::string_view uid);  // empty groups only: a live process keeps its own
  std::vector<std::string> pods() const;  // uids that still have a group

 private:
  std::vector<std::string> roots() const;  // one per hierarchy
  port::Disk& disk_;
  std::string mount_;
  std::string parent_;
  bool unified_ = false;
};

}  // namespace coracle::node
