// SPDX-License-Identifier: GPL-2.0-or-later
// How much storage of the node pods use: what containers wrote over their images, their logs, and
// emptyDir volumes on disk. Counted by walking them on the unpack lane; all sizes are of files as
// they read, so holes count.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "json/tree.h"
#include "node/bound_job.h"
#include "node/record.h"
#include "node/surroundings.h"
#include "port/disk.h"

namespace coracle::node {

struct Footprint {
  std::map<std::string, uint64_t> containers;  // bytes by name
  std::map<std::string, uint64_t> volumes;     // of emptyDirs by name
  uint64_t files = 0;
  uint64_t total() const {
    uint64_t sum = 0;
    for (const auto& [name, bytes] : containers)
      sum += bytes;
    for (const auto& [name, bytes] : volumes)
      sum += bytes;
    return sum;
  }
};
using Footprints = std::map<std::string, Footprint>;  // by uid

class FootprintListener {
 public:
  virtual void on_footprints(const Footprints& footprints) = 0;

 protected:
  ~FootprintListener() = default;
};

// One directory to walk, and what it counts for.
struct FootprintPart {
  std::string uid;
  std::string name;
  std::string path;
  bool is_volume = false;
};
void add_parts(const Surroundings& around,
               const PodRecord& record,
               json::Node pod,
               std::vector<FootprintPart>& parts);

class FootprintJob final : public BoundJob {
 public:
  FootprintJob(BoundJobs& jobs,
               const AgentPorts& ports,
               std::vector<FootprintPart> parts,
               FootprintListener& listener)
      : BoundJob(jobs),
        disk_(ports.disk),
        parts_(std::move(parts)),
        listener_(listener) {}
  void run() override;

 private:
  void finished() override { listener_.on_footprints(found_); }

  port::Disk& disk_;
  std::vector<FootprintPart> parts_;
  FootprintListener& listener_;
  Footprints found_;
};

// What the pod's own limits say to it: the message of its eviction, or nothing (upstream
// pkg/kubelet/eviction, localStorageEviction).
bool has_storage_limits(json::Node pod);
std::string storage_excess(json::Node pod, const Footprint& footprint);

}  // namespace coracle::node
