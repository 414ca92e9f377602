// SPDX-License-Identifier: GPL-2.0-or-later
// Hard constraints (upstream plugins/podtopologyspread/filtering.go,
// plugins/interpodaffinity/filtering.go). The wishes are in wishes.cc.
#include "scheduler/survey.h"

#include <algorithm>

namespace coracle::scheduler {

Survey::Survey(const Board& board, const Shape& pod, const Profile* profile)
    : board_(board),
      pod_(pod),
      profile_(profile) {
  for (const Spread& spread : pod.needs.spreads) {
    if (spread.hard) count_spread(spread);
  }
  count_terms();
  if (!pod.needs.claims.empty()) volumes_ = std::make_unique<PodVolumes>(board, pod);
}

bool Survey::counts_for(const Spread& spread, const NodeOffer& node) const {
  if (spread.honours_affinity && !suits(pod_.needs, node)) return false;
  return !spread.honours_taints || untolerated(pod_.needs, node) == nullptr;
}

bool Survey::has_all_keys(const NodeOffer& node, bool hard) const {
  return std::all_of(pod_.needs.spreads.begin(), pod_.needs.spreads.end(),
                     [&](const Spread& spread) {
                       return spread.hard != hard || node.label(spread.topology_key) != nullptr;
                     });
}

void Survey::count_spread(const Spread& spread) {
  HardSpread hard;
  hard.spread = &spread;
  hard.self = spread.selector.matches(pod_.labels) ? 1 : 0;
  const std::vector<const Shape*> counted = matching({&spread.selector});
  const bool all_nodes =
      std::all_of(pod_.needs.spreads.begin(), pod_.needs.spreads.end(), [this](const Spread& each) {
        return !each.hard || board_.map_of(each.topology_key).nodes == board_.nodes().size();
      });
  if (all_nodes && goes_anywhere() && !spread.honours_taints)
    count_areas(hard, counted);
  else
    count_nodes(hard, counted);
  // Fewer areas than there should be: the emptiest one does not exist yet.
  if (static_cast<int64_t>(hard.tally.size()) >= spread.min_domains && !hard.tally.empty()) {
    hard.least = INT64_MAX;
    for (const auto& [area, pods] : hard.tally)
      hard.least = std::min(hard.least, pods);
  }
  hard_.push_back(std::move(hard));
}

// No node is left out because of what the pod says of nodes.
bool Survey::goes_anywhere() const {
  return pod_.needs.node_selector.empty() && !pod_.needs.has_required_terms;
}

void Survey::count_areas(HardSpread& hard, const std::vector<const Shape*>& counted) const {
  const std::string& key = hard.spread->topology_key;
  for (const std::string& area : board_.map_of(key).areas) {
    int64_t& tally = hard.tally[area];
    for (const Shape* shape : counted) {
      const Shape::Areas& areas = board_.areas_of(*shape, key);
      if (const auto at = areas.find(area); at != areas.end()) tally += at->second.live();
    }
  }
}

void Survey::count_nodes(HardSpread& hard, const std::vector<const Shape*>& counted) const {
  for (const BoardNode* node : board_.nodes()) {
    if (!has_all_keys(node->offer, true) || !counts_for(*hard.spread, node->offer)) continue;
    int64_t& tally = hard.tally[*node->offer.label(hard.spread->topology_key)];
    for (const Shape* shape : counted) {
      if (const auto at = shape->counts.find(node->id); at != shape->counts.end())
        tally += at->second.live();
    }
  }
}

Survey::Spreading Survey::spreading(const NodeOffer& node) const {
  for (const HardSpread& hard : hard_) {
    const std::string* area = node.label(hard.spread->topology_key);
    if (area == nullptr) return Spreading::kNoLabel;
    const auto found = hard.tally.find(*area);
    const int64_t there = found == hard.tally.end() ? 0 : found->second;
    if (there + hard.self - hard.least > hard.spread->max_skew) return Spreading::kTooMany;
  }
  return Spreading::kFine;
}

std::vector<const Shape*> Survey::matching(
    const std::vector<const api::LabelSelector*>& all) const {
  std::vector<const Shape*> out;
  for (const Shape* shape : board_.shapes_in(pod_.ns)) {
    if (shape->pods == 0) continue;
    const bool fits = std::all_of(all.begin(), all.end(), [&](const api::LabelSelector* selector) {
      return selector->matches(shape->labels);
    });
    if (fits) out.push_back(shape);
  }
  return out;
}

void Census::add(const Shape::Areas& areas) {
  constexpr size_t kFew = 4;
  if (areas.empty()) return;
  if (few_.size() < kFew) {
    few_.push_back(&areas);
    return;
  }
  for (const auto& [area, count] : areas)
    rest_[area] += count.all;
}

int64_t Census::all(std::string_view area) const {
  int64_t sum = 0;
  for (const Shape::Areas* areas : few_) {
    if (const auto at = areas->find(area); at != areas->end()) sum += at->second.all;
  }
  if (const auto at = rest_.find(area); at != rest_.end()) sum += at->second;
  return sum;
}

void Survey::count_terms() {
  const PodNeeds& needs = pod_.needs;
  near_.resize(needs.near.size());
  far_.resize(needs.far.size());
  if (needs.near.empty() && needs.far.empty() && !board_.has_aloof_pods()) return;
  bool anything_near = false;
  for (const auto& [key, shape] : board_.shapes()) {
    if (shape->counts.empty()) continue;
    const auto is_selected = [&, &other = *shape](const PodTerm& term) {
      return term.selects(board_.state(), other.ns, other.labels);
    };
    // A pod counts for affinity only if it is meant by all of the terms.
    if (!needs.near.empty() && std::all_of(needs.near.begin(), needs.near.end(), is_selected)) {
      for (size_t i = 0; i < needs.near.size(); ++i) {
        near_[i].add(board_.areas_of(*shape, needs.near[i].topology_key));
        anything_near = anything_near || !near_[i].empty();
      }
    }
    for (size_t i = 0; i < needs.far.size(); ++i) {
      if (is_selected(needs.far[i]))
        far_[i].add(board_.areas_of(*shape, needs.far[i].topology_key));
    }
    for (const PodTerm& term : shape->needs.far) {
      if (!term.selects(board_.state(), pod_.ns, pod_.labels)) continue;
      away_.push_back({term.topology_key, &board_.areas_of(*shape, term.topology_key)});
    }
  }
  first_of_its_kind_ =
      !anything_near && std::all_of(needs.near.begin(), needs.near.end(), [&](const PodTerm& term) {
        return term.selects(board_.state(), pod_.ns, pod_.labels);
      });
}

bool Survey::disturbs_others(const NodeOffer& node) const {
  return std::any_of(away_.begin(), away_.end(), [&](const Away& away) {
    const std::string* area = node.label(away.key);
    return area != nullptr && away.areas->contains(*area);
  });
}

bool Survey::is_near(const NodeOffer& node) const {
  bool all = true;
  for (size_t i = 0; i < near_.size(); ++i) {
    const std::string* area = node.label(pod_.needs.near[i].topology_key);
    if (area == nullptr) return false;
    all = all && near_[i].has(*area);
  }
  return all || first_of_its_kind_;
}

bool Survey::is_far(const NodeOffer& node) const {
  for (size_t i = 0; i < far_.size(); ++i) {
    const std::string* area = node.label(pod_.needs.far[i].topology_key);
    if (area != nullptr && far_[i].has(*area)) return false;
  }
  return true;
}

}  // namespace coracle::scheduler
