// SPDX-License-Identifier: GPL-2.0-or-later
// What must be counted over all nodes before single nodes can be judged for one pod: its hard
// topology spread and inter-pod (anti-)affinity, both ways (upstream's PreFilter and PreScore).
#pragma once

#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "scheduler/board.h"
#include "scheduler/profile.h"
#include "scheduler/volumes.h"

namespace coracle::scheduler {

// Pods by value of a topology label. Only looked up and summed, never walked in order.
using Tally = std::unordered_map<std::string_view, int64_t>;

// The pods of some shapes by area: of a few shapes what the board counts, of more a sum.
class Census {
 public:
  void add(const Shape::Areas& areas);
  int64_t all(std::string_view area) const;
  bool has(std::string_view area) const { return all(area) > 0; }
  bool empty() const { return few_.empty(); }

 private:
  std::vector<const Shape::Areas*> few_;
  Tally rest_;
};

class Survey {
 public:
  // `profile` (null: the default one) lives as long as the Survey.
  Survey(const Board& board, const Shape& pod, const Profile* profile = nullptr);

  const Board& board() const { return board_; }
  const Shape& pod() const { return pod_; }
  const PodNeeds& needs() const { return pod_.needs; }

  const Profile* profile() const { return profile_; }           // null: the default one
  const PodVolumes* volumes() const { return volumes_.get(); }  // null: it has none

  enum class Spreading : uint8_t { kFine, kTooMany, kNoLabel };
  Spreading spreading(const NodeOffer& node) const;
  bool disturbs_others(const NodeOffer& node) const;  // required anti-affinity of existing pods
  bool is_near(const NodeOffer& node) const;          // own required affinity
  bool is_far(const NodeOffer& node) const;           // own required anti-affinity

  // Scores over the nodes that passed; each vector is by their order there.
  std::vector<int64_t> rate_spread(std::span<const BoardNode* const> nodes) const;
  std::vector<int64_t> rate_neighbours(std::span<const BoardNode* const> nodes) const;

 private:
  struct HardSpread {
    const Spread* spread = nullptr;
    Tally tally;
    int64_t least = 0;
    int64_t self = 0;
  };
  struct SoftSpread {
    int64_t max_skew = 1;
    std::string_view topology_key;
    std::vector<const Shape*> counted;
    const Spread* spread = nullptr;  // null: a default of the system
    Tally tally;
    double weight = 0;
  };
  struct Weights {  // of one topology key
    std::string_view key;
    Tally tally;
  };

  void count_spread(const Spread& spread);
  bool counts_for(const Spread& spread, const NodeOffer& node) const;
  bool has_all_keys(const NodeOffer& node, bool hard) const;
  void count_terms();
  bool goes_anywhere() const;
  void count_areas(HardSpread& hard, const std::vector<const Shape*>& counted) const;
  void count_nodes(HardSpread& hard, const std::vector<const Shape*>& counted) const;
  std::vector<SoftSpread> soft_spreads() const;
  std::vector<const Shape*> matching(const std::vector<const api::LabelSelector*>& all) const;
  void count_soft(SoftSpread& soft,
                  std::span<const BoardNode* const> nodes,
                  bool all_keys,
                  size_t hosts) const;
  int64_t live_pods(const SoftSpread& soft, const BoardNode& node) const;
  std::vector<Weights> weigh_neighbours() const;
  void weigh(const PodTerm& term, const Shape& at, int64_t weight, std::vector<Weights>& out) const;

  const Board& board_;
  const Shape& pod_;
  const Profile* profile_;
  std::unique_ptr<PodVolumes> volumes_;
  std::vector<HardSpread> hard_;
  std::vector<Census> near_;  // by term of needs().near
  std::vector<Census> far_;
  struct Away {  // a term of existing pods that this pod would break
    std::string_view key;
    const Shape::Areas* areas;
  };
  std::vector<Away> away_;
  bool first_of_its_kind_ = false;  // nothing to be near to, but it may be near to itself
};

}  // namespace coracle::scheduler
