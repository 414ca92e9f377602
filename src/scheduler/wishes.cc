// SPDX-License-Identifier: GPL-2.0-or-later
// Soft constraints over nodes that passed all filters (upstream
// plugins/podtopologyspread/scoring.go, plugins/interpodaffinity/scoring.go).
#include <algorithm>
#include <cmath>

#include "scheduler/survey.h"

namespace coracle::scheduler {

namespace {

constexpr std::string_view kHostname = "kubernetes.io/hostname";
constexpr std::string_view kZone = "topology.kubernetes.io/zone";
constexpr int64_t kHardAffinityWeight = 1;  // hardPodAffinityWeight of the default profile

}  // namespace

// Of a pod that says nothing about spreading: upstream's system defaults, if it belongs to
// something.
std::vector<Survey::SoftSpread> Survey::soft_spreads() const {
  std::vector<SoftSpread> out;
  for (const Spread& spread : pod_.needs.spreads) {
    if (spread.hard) continue;
    out.push_back(
        {spread.max_skew, spread.topology_key, matching({&spread.selector}), &spread, {}, 0});
  }
  if (!pod_.needs.spreads.empty()) return out;
  const std::vector<api::LabelSelector> family = board_.family_selectors(pod_);
  if (family.empty()) return out;
  std::vector<const api::LabelSelector*> all;
  all.reserve(family.size());
  for (const api::LabelSelector& selector : family)
    all.push_back(&selector);
  const std::vector<const Shape*> counted = matching(all);
  out.push_back({3, kHostname, counted, nullptr, {}, 0});
  out.push_back({5, kZone, counted, nullptr, {}, 0});
  return out;
}

int64_t Survey::live_pods(const SoftSpread& soft, const BoardNode& node) const {
  int64_t pods = 0;
  for (const Shape* shape : soft.counted) {
    if (const auto at = shape->counts.find(node.id); at != shape->counts.end())
      pods += at->second.live();
  }
  return pods;
}

void Survey::count_soft(SoftSpread& soft,
                        std::span<const BoardNode* const> nodes,
                        bool all_keys,
                        size_t hosts) const {
  if (soft.topology_key == kHostname) {
    soft.weight = std::log(static_cast<double>(hosts) + 2);
    return;
  }
  for (const BoardNode* node : nodes) {
    const std::string* area = node->offer.label(soft.topology_key);
    if (area != nullptr && (!all_keys || has_all_keys(node->offer, false)))
      soft.tally.try_emplace(*area, 0);
  }
  soft.weight = std::log(static_cast<double>(soft.tally.size()) + 2);
  if (soft.tally.empty()) return;
  const bool everywhere =
      goes_anywhere() && (soft.spread == nullptr || !soft.spread->honours_taints) &&
      (!all_keys || std::all_of(pod_.needs.spreads.begin(), pod_.needs.spreads.end(),
                                [this](const Spread& each) {
                                  return each.hard || board_.map_of(each.topology_key).nodes ==
                                                          board_.nodes().size();
                                }));
  if (everywhere) {
    for (const Shape* shape : soft.counted) {
      const Shape::Areas& areas = board_.areas_of(*shape, soft.topology_key);
      for (auto& [area, pods] : soft.tally) {
        if (const auto at = areas.find(area); at != areas.end()) pods += at->second.live();
      }
    }
    return;
  }
  for (const Shape* shape : soft.counted) {
    for (const auto& [id, count] : shape->counts) {
      const NodeOffer& node = board_.node_by_id(id).offer;
      const std::string* area = node.label(soft.topology_key);
      if (area == nullptr || (all_keys && !has_all_keys(node, false))) continue;
      if (soft.spread == nullptr ? !suits(pod_.needs, node) : !counts_for(*soft.spread, node))
        continue;
      if (const auto at = soft.tally.find(*area); at != soft.tally.end())
        at->second += count.live();
    }
  }
}

std::vector<int64_t> Survey::rate_spread(std::span<const BoardNode* const> nodes) const {
  constexpr int64_t kIgnored = -1;
  std::vector<SoftSpread> softs = soft_spreads();
  std::vector<int64_t> scores(nodes.size(), 0);
  if (softs.empty()) return scores;
  const bool all_keys = !pod_.needs.spreads.empty();
  const auto hosts = std::count_if(nodes.begin(), nodes.end(), [&](const BoardNode* node) {
    return !all_keys || has_all_keys(node->offer, false);
  });
  for (SoftSpread& soft : softs)
    count_soft(soft, nodes, all_keys, static_cast<size_t>(hosts));
  int64_t least = INT64_MAX;
  int64_t most = 0;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const NodeOffer& node = nodes[i]->offer;
    if (all_keys && !has_all_keys(node, false)) {
      scores[i] = kIgnored;
      continue;
    }
    double score = 0;
    for (const SoftSpread& soft : softs) {
      const std::string* area = node.label(soft.topology_key);
      if (area == nullptr) continue;
      const int64_t pods = soft.topology_key == kHostname ? live_pods(soft, *nodes[i])
                                                          : soft.tally.find(*area)->second;
      score += static_cast<double>(pods) * soft.weight + static_cast<double>(soft.max_skew - 1);
    }
    scores[i] = std::llround(score);
    least = std::min(least, scores[i]);
    most = std::max(most, scores[i]);
  }
  for (int64_t& score : scores) {
    if (score == kIgnored)
      score = 0;
    else
      score = most == 0 ? 100 : 100 * (most + least - score) / most;
  }
  return scores;
}

void Survey::weigh(const PodTerm& term,
                   const Shape& at,
                   int64_t weight,
                   std::vector<Weights>& out) const {
  auto found = std::find_if(out.begin(), out.end(), [&](const Weights& weights) {
    return weights.key == term.topology_key;
  });
  if (found == out.end()) found = out.insert(out.end(), Weights{term.topology_key, {}});
  for (const auto& [area, count] : board_.areas_of(at, term.topology_key))
    found->tally[area] += weight * count.all;
}

std::vector<Survey::Weights> Survey::weigh_neighbours() const {
  std::vector<Weights> out;
  const PodNeeds& needs = pod_.needs;
  if (needs.liked.empty() && needs.disliked.empty() && !board_.has_choosy_pods()) return out;
  for (const auto& [key, shape] : board_.shapes()) {
    if (shape->counts.empty()) continue;
    for (const PodTerm& term : needs.liked) {
      if (term.selects(board_.state(), shape->ns, shape->labels))
        weigh(term, *shape, term.weight, out);
    }
    for (const PodTerm& term : needs.disliked) {
      if (term.selects(board_.state(), shape->ns, shape->labels))
        weigh(term, *shape, -term.weight, out);
    }
    const auto answer = [&, &other = *shape](const std::vector<PodTerm>& terms, int64_t sign,
                                             int64_t fixed) {
      for (const PodTerm& term : terms) {
        if (term.selects(board_.state(), pod_.ns, pod_.labels))
          weigh(term, other, fixed > 0 ? fixed : sign * term.weight, out);
      }
    };
    answer(shape->needs.near, 1, kHardAffinityWeight);
    answer(shape->needs.liked, 1, 0);
    answer(shape->needs.disliked, -1, 0);
  }
  return out;
}

std::vector<int64_t> Survey::rate_neighbours(std::span<const BoardNode* const> nodes) const {
  std::vector<int64_t> scores(nodes.size(), 0);
  const std::vector<Weights> all = weigh_neighbours();
  if (all.empty()) return scores;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const Weights& weights : all) {
      const std::string* area = nodes[i]->offer.label(weights.key);
      if (area == nullptr) continue;
      if (const auto at = weights.tally.find(*area); at != weights.tally.end())
        scores[i] += at->second;
    }
  }
  const auto [least, most] = std::minmax_element(scores.begin(), scores.end());
  const int64_t low = *least;
  const int64_t range = *most - low;
  for (int64_t& score : scores)
    score = range == 0 ? 0 : 100 * (score - low) / range;
  return scores;
}

}  // namespace coracle::scheduler
