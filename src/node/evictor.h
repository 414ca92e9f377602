// SPDX-License-Identifier: GPL-2.0-or-later
// Ends pods that use more storage than they may, and pods of a node that is short of something:
// first what nobody uses goes (images), then one pod at a look (upstream
// pkg/kubelet/eviction/eviction_manager.go). Looks are at Lease ticks; storage is walked only when
// a pod has a limit on it or the node is short of it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "node/footprint.h"
#include "node/pod_actor.h"
#include "node/pressure.h"
#include "node/surroundings.h"

namespace coracle::node {

using PodActors = std::map<std::string, std::unique_ptr<PodActor>, std::less<>>;  // by uid

class EvictionHost {
 public:
  virtual bool free_images() = 0;  // those that no container needs; true: some are going
  virtual void node_is_short(std::string_view resource) = 0;  // for an event

 protected:
  ~EvictionHost() = default;
};

class Evictor final : FootprintListener {
 public:
  Evictor(Surroundings& around, const PodActors& pods, EvictionHost& host)
      : around_(around),
        pods_(pods),
        host_(host) {}

  void look();
  const Pressure& pressure() const { return pressure_; }
  // Why a new pod is not let in while the node is short of something; empty: it is.
  std::string refusal(json::Node pod) const;

 private:
  void on_footprints(const Footprints& footprints) override;
  Supplies supplies() const;
  void walk();
  void evict(const Shortage& shortage, const Footprints& footprints);
  uint64_t usage_of(const Shortage& shortage,
                    const PodRecord& record,
                    const Footprint& footprint) const;
  std::string message(const Shortage& shortage,
                      const PodActor& pod,
                      const Footprint& footprint) const;
  uint64_t container_usage(const Shortage& shortage,
                           const PodRecord& record,
                           const ContainerState& state,
                           const Footprint& footprint) const;

  Surroundings& around_;
  const PodActors& pods_;
  EvictionHost& host_;
  Pressure pressure_;
  std::vector<Shortage> short_of_;
  std::string_view told_;  // what the node's event named last
  Mono walk_not_before_;
  Mono walk_began_;
  BoundJobs jobs_;
};

}  // namespace coracle::node
