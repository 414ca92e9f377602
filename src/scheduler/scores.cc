// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <cmath>

#include "scheduler/filters.h"

namespace coracle::scheduler {

namespace {

template <class Rate>
std::vector<int64_t> rate_each(Nodes nodes, Rate&& rate) {
  std::vector<int64_t> out;
  out.reserve(nodes.size());
  for (const BoardNode* node : nodes)
    out.push_back(rate(node->offer));
  return out;
}

// The best becomes 100 (upstream helper.DefaultNormalizeScore).
void normalize(std::vector<int64_t>& scores, bool reversed) {
  const int64_t most = *std::max_element(scores.begin(), scores.end());
  for (int64_t& score : scores) {
    const int64_t share = most == 0 ? 0 : score * 100 / most;
    score = reversed ? 100 - share : share;
  }
}

int64_t free_percent(int64_t total, int64_t used) {
  return total <= 0 || used >= total ? 0 : (total - used) * 100 / total;
}

int64_t used_percent(int64_t total, int64_t used) {
  return total <= 0 || used > total ? 0 : used * 100 / total;
}

// helper.BuildBrokenLinearFunction over a shape whose scores go to 10.
int64_t along(const Profile& profile, int64_t percent) {
  constexpr int64_t kFactor = 10;
  const auto& shape = profile.shape;
  for (size_t i = 0; i < shape.size(); ++i) {
    const auto [x, y] = shape[i];
    if (percent > x) continue;
    if (i == 0) return y * kFactor;
    const auto [x0, y0] = shape[i - 1];
    return kFactor * y0 + kFactor * (y - y0) * (percent - x0) / (x - x0);
  }
  return shape.empty() ? 0 : shape.back().second * kFactor;
}

// Resources that would score nothing do not count (plugins/noderesources
// requested_to_capacity_ratio.go).
int64_t by_ratio(const Profile& profile, const NodeOffer& node, const Amounts& pod) {
  const auto rate = [&](int64_t total, int64_t used) {
    return along(profile, total <= 0 || used > total ? 100 : used * 100 / total);
  };
  const int64_t cpu = rate(node.allocatable.cpu, node.scored.cpu + pod.cpu);
  const int64_t memory = rate(node.allocatable.memory, node.scored.memory + pod.memory);
  const int64_t counted = (cpu > 0 ? 1 : 0) + (memory > 0 ? 1 : 0);
  return counted == 0 ? 0 : (cpu + memory + counted / 2) / counted;
}

// LeastAllocated, unless the profile says otherwise.
std::vector<int64_t> resources_fit(const Survey& survey, Nodes nodes) {
  const Amounts& pod = survey.needs().scored;
  const Profile* profile = survey.profile();
  const FitStrategy fit = profile == nullptr ? FitStrategy::kLeastAllocated : profile->fit;
  if (fit == FitStrategy::kRequestedToCapacityRatio)
    return rate_each(nodes, [&](const NodeOffer& node) { return by_ratio(*profile, node, pod); });
  const auto rate = fit == FitStrategy::kMostAllocated ? used_percent : free_percent;
  return rate_each(nodes, [&](const NodeOffer& node) {
    return (rate(node.allocatable.cpu, node.scored.cpu + pod.cpu) +
            rate(node.allocatable.memory, node.scored.memory + pod.memory)) /
           2;
  });
}

double used_share(int64_t total, int64_t used) {
  return total <= 0 ? 1 : std::min(1.0, static_cast<double>(used) / static_cast<double>(total));
}

// 100 when cpu and memory are used to the same degree. Of two shares the deviation is half of their
// difference.
std::vector<int64_t> balanced_allocation(const Survey& survey, Nodes nodes) {
  const Amounts& pod = survey.needs().requests;
  if (pod.cpu == 0 && pod.memory == 0) return std::vector<int64_t>(nodes.size(), 0);
  return rate_each(nodes, [&](const NodeOffer& node) {
    const double cpu = used_share(node.allocatable.cpu, node.used.cpu + pod.cpu);
    const double memory = used_share(node.allocatable.memory, node.used.memory + pod.memory);
    return static_cast<int64_t>((1 - std::abs(cpu - memory) / 2) * 100);
  });
}

std::vector<int64_t> node_affinity(const Survey& survey, Nodes nodes) {
  const std::vector<NodeTerm>& terms = survey.needs().preferred;
  std::vector<int64_t> out(nodes.size(), 0);
  if (terms.empty()) return out;
  out = rate_each(nodes, [&](const NodeOffer& node) {
    int64_t sum = 0;
    for (const NodeTerm& term : terms)
      sum += term_matches(term, node) ? term.weight : 0;
    return sum;
  });
  normalize(out, false);
  return out;
}

std::vector<int64_t> taint_toleration(const Survey& survey, Nodes nodes) {
  std::vector<int64_t> out = rate_each(nodes, [&](const NodeOffer& node) {
    return std::count_if(node.taints.begin(), node.taints.end(), [&](const Taint& taint) {
      return taint.effect == "PreferNoSchedule" && !survey.needs().tolerates(taint);
    });
  });
  normalize(out, true);
  return out;
}

std::vector<int64_t> pod_topology_spread(const Survey& survey, Nodes nodes) {
  return survey.rate_spread(nodes);
}

std::vector<int64_t> inter_pod_affinity(const Survey& survey, Nodes nodes) {
  return survey.rate_neighbours(nodes);
}

// Bytes of the pod's images that a node has already, each weighed by how many nodes have it, so
// that one node is not swamped (upstream plugins/imagelocality).
std::vector<int64_t> image_locality(const Survey& survey, Nodes nodes) {
  constexpr int64_t kLeast = 23 * 1024 * 1024;
  constexpr int64_t kMostEach = 1000 * int64_t{1024} * 1024;
  const std::vector<std::string>& images = survey.needs().images;
  std::vector<double> share;
  share.reserve(images.size());
  for (const std::string& image : images)
    share.push_back(static_cast<double>(survey.board().nodes_with_image(image)) /
                    static_cast<double>(survey.board().nodes().size()));
  const bool nowhere = std::all_of(share.begin(), share.end(), [](double s) { return s <= 0; });
  if (nowhere) return std::vector<int64_t>(nodes.size(), 0);
  const int64_t most = kMostEach * static_cast<int64_t>(images.size());
  return rate_each(nodes, [&](const NodeOffer& node) {
    int64_t sum = 0;
    for (size_t i = 0; i < images.size(); ++i) {
      const auto at =
          std::lower_bound(node.images.begin(), node.images.end(), images[i],
                           [](const auto& a, const std::string& b) { return a.first < b; });
      if (at != node.images.end() && at->first == images[i])
        sum += static_cast<int64_t>(static_cast<double>(at->second) * share[i]);
    }
    return 100 * (std::clamp(sum, kLeast, most) - kLeast) / (most - kLeast);
  });
}

// Weights of upstream's default profile.
constexpr Score kScores[] = {
    {"TaintToleration", taint_toleration, 3},
    {"NodeAffinity", node_affinity, 2},
    {"NodeResourcesFit", resources_fit, 1},
    {"NodeResourcesBalancedAllocation", balanced_allocation, 1},
    {"PodTopologySpread", pod_topology_spread, 2},
    {"InterPodAffinity", inter_pod_affinity, 2},
    {"ImageLocality", image_locality, 1},
};

}  // namespace

std::span<const Score> scores() {
  return kScores;
}

}  // namespace coracle::scheduler
