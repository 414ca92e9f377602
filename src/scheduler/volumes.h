// SPDX-License-Identifier: GPL-2.0-or-later
// What the claims of one pod demand of a node (upstream plugins/volumebinding, volumezone,
// volumerestrictions): read from the state once a try.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/client.h"
#include "scheduler/board.h"

namespace coracle::scheduler {

class PodVolumes {
 public:
  PodVolumes(const Board& board, const Shape& pod);

  // Why no node at all will do, as things are; empty: some may.
  const std::string& problem() const { return problem_; }
  // Why this node does not; null: it does.
  const char* unbindable(const NodeOffer& node) const;
  const char* out_of_zone(const NodeOffer& node) const;
  // A claim that one pod may have for itself is another's.
  bool is_taken() const { return taken_; }

  bool all_bound() const { return waiting_.empty(); }
  // What must be written so that the pod gets its volumes on this node.
  std::vector<api::Call> calls(const NodeOffer& node) const;
  // The node that was written down for a claim that still has no volume has been taken back.
  bool is_withdrawn(std::string_view node) const;

 private:
  struct Volume {  // free, and large enough
    api::ObjectRef object;
    std::string size;
    bool reserved = false;  // for the claim
    bool anywhere = true;
    std::vector<NodeTerm> terms;
  };
  struct Waiting {  // a claim that has no volume yet
    api::ObjectRef object;
    std::string selected;  // node
    bool makes = false;    // a provisioner would make one
    std::vector<NodeTerm> topologies;
    std::vector<Volume> volumes;  // smallest first
  };
  struct Zone {
    std::string key;
    std::string values;
  };

  void read_claim(const api::State& state, std::string_view ns, const ClaimNeed& need);
  void read_bound(const api::State& state, json::Node claim);
  void read_waiting(const api::State& state, const api::ObjectRef& object, json::Node claim);
  void read_class(const api::State& state, json::Node claim, Waiting& waiting);
  static Volume read_volume(const api::ObjectRef& object, json::Node volume);
  static bool reaches(const Volume& volume, const NodeOffer& node);
  // For each claim that waits the volume it would get; null: one is made. False: there is none.
  bool match(const NodeOffer& node, std::vector<const Volume*>& chosen) const;

  std::string problem_;
  bool missing_ = false;  // a bound volume does not exist
  bool taken_ = false;
  std::vector<Volume> bound_;
  std::vector<Zone> zones_;
  std::vector<Waiting> waiting_;
};

}  // namespace coracle::scheduler
