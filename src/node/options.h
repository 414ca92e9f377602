// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon tells the node agent once.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "base/limits.h"
#include "node/pressure.h"

namespace coracle::node {

struct AgentOptions {
  std::string node_name;
  std::string data_directory;  // "/var/lib/coracle": pods/ and images/ are made in it
  std::string run_directory;   // "/run/coracle": in memory on a device
  Cidr4 pod_cidr;              // of this node; .1 is the bridge
  std::string bridge = "coracle0";
  std::string cgroup_parent = "coracle";
  std::string cgroup_mount = "/sys/fs/cgroup";
  int64_t pods_max = limits::kPodsPerNodeMax;
  std::vector<std::pair<std::string, std::string>>
      labels;               // beside kubernetes.io/hostname, os, arch
  std::string cluster_dns;  // empty: pods use the node's resolver
  std::string cluster_domain = "cluster.local";
  std::string node_ip;          // empty: the first address of port::Links
  std::string runtime_version;  // of crun: "1.8.1"
  std::string kubelet_version = "v1.36.2+coracle";
  int64_t reserved_memory_bytes = 0;  // allocatable = capacity - reserved
  int64_t reserved_cpu_millis = 0;
  std::string storage_directory() const { return data_directory + "/storage"; }
  Thresholds eviction = default_thresholds();
  // The client's state comes from servers, not from the memory of an earlier run.
  bool is_confirmed = true;
};

}  // namespace coracle::node
