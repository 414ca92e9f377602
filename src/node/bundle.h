// SPDX-License-Identifier: GPL-2.0-or-later
// The OCI runtime configuration of a container: config.json as a pure function of pod, image and
// what the agent prepared. Defaults (capabilities, masked paths, mounts) are containerd's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "json/tree.h"
#include "node/images.h"
#include "node/users.h"
#include "node/volumes.h"

namespace coracle::node {

struct Bundle {
  json::Node pod;
  json::Node container;
  const Image& image;
  const ProcessUser& user;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::vector<BindMount> binds;  // volumes, /etc/hosts and the like, in order
  int64_t sandbox_pid = 0;       // whose namespaces it runs in
  std::string cgroup_path;
  int64_t oom_score_adjust = 0;
  uint64_t capabilities = ~uint64_t{0};  // what the daemon may hand on, a bit each
};

std::string oci_config(const Bundle& bundle);

// The pod's or the container's: 1000 for best effort, -997 for guaranteed; never below the daemon's
// own, which only a privileged process could raise above.
int64_t oom_score_adjust(json::Node pod,
                         json::Node container,
                         int64_t memory_capacity,
                         int64_t own);

// Empty if the pod's sysctls are all safe ones; else the message of SysctlForbidden.
std::string forbidden_sysctl(json::Node pod);

}  // namespace coracle::node
