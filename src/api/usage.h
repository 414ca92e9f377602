// SPDX-License-Identifier: GPL-2.0-or-later
// What a node and its pods use, read when somebody asks and never by itself. A node agent is a
// UsageSource for its own node; Usages finds the agent of any node of the cluster.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace coracle::api {

struct Usage {
  uint64_t cpu_ns = 0;         // since it started
  uint64_t nano_cores = 0;     // over `NodeUsage::window` or since its start, what is shorter
  uint64_t memory_bytes = 0;   // the working set: without page cache that can go at once
  uint64_t memory_charge = 0;  // with it
};

struct ContainerUsage {
  std::string name;
  Wall started;
  Usage usage;
};

struct PodUsage {
  std::string ns;
  std::string name;
  std::string uid;
  Wall started;
  std::vector<ContainerUsage> containers;  // those that run
  Usage total() const {
    Usage sum;
    for (const ContainerUsage& each : containers) {
      sum.cpu_ns += each.usage.cpu_ns;
      sum.nano_cores += each.usage.nano_cores;
      sum.memory_bytes += each.usage.memory_bytes;
      sum.memory_charge += each.usage.memory_charge;
    }
    return sum;
  }
};

struct NodeUsage {
  std::string name;
  Wall at;
  Duration window;  // that nano_cores are taken over
  Usage usage;
  uint64_t memory_available = 0;
  std::vector<PodUsage> pods;
};

class UsageSource {
 public:
  virtual NodeUsage usage() = 0;

 protected:
  ~UsageSource() = default;
};

class UsageSink {
 public:
  virtual void on_usage(uint64_t token, Result<NodeUsage> usage) = 0;

 protected:
  ~UsageSink() = default;
};

class Usages {
 public:
  // Never answers from inside the call; kUnavailable when the node cannot be reached.
  virtual void ask_usage(const std::string& node, UsageSink& sink, uint64_t token) = 0;
  virtual void forget(UsageSink& sink) = 0;  // before it is destroyed: its answers are dropped

 protected:
  ~Usages() = default;
};

}  // namespace coracle::api
