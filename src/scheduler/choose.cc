// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/choose.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::scheduler {

namespace {

using Reasons = std::vector<std::string>;

// --- Filters: add a reason if the node does not do. Texts as upstream's plugins.

void node_unschedulable(const PodNeeds& pod, const NodeOffer& node, Reasons& reasons) {
  if (!node.unschedulable) return;
  const Taint taint{"node.kubernetes.io/unschedulable", "", "NoSchedule"};
  for (const Toleration& toleration : pod.tolerations) {
    if (toleration.tolerates(taint)) return;
  }
  reasons.emplace_back("node(s) were unschedulable");
}

void node_name(const PodNeeds& pod, const NodeOffer& node, Reasons& reasons) {
  if (!pod.node_name.empty() && pod.node_name != node.name) {
    reasons.emplace_back("node(s) didn't match the requested node name");
  }
}

void taint_toleration(const PodNeeds& pod, const NodeOffer& node, Reasons& reasons) {
  for (const Taint& taint : node.taints) {
    if (taint.effect == "PreferNoSchedule") continue;
    const bool tolerated = std::any_of(pod.tolerations.begin(), pod.tolerations.end(),
                                       [&](const Toleration& t) { return t.tolerates(taint); });
    if (tolerated) continue;
    reasons.emplace_back(
        "node(s) had untolerated taint(s)");  // which ones: `kubectl describe node`
    return;
  }
}

void node_affinity(const PodNeeds& pod, const NodeOffer& node, Reasons& reasons) {
  bool matches = true;
  for (const auto& [key, value] : pod.node_selector) {
    const std::string* have = node.label(key);
    matches = matches && have != nullptr && *have == value;
  }
  if (matches && pod.has_required_terms) {
    matches = std::any_of(pod.required.begin(), pod.required.end(),
                          [&](const NodeTerm& t) { return term_matches(t, node); });
  }
  if (!matches) reasons.emplace_back("node(s) didn't match Pod's node affinity/selector");
}

void node_ports(const PodNeeds& pod, const NodeOffer& node, Reasons& reasons) {
  for (const HostPort& wanted : pod.ports) {
    for (const HostPort& taken : node.ports) {
      if (!wanted.conflicts_with(taken)) continue;
      reasons.emplace_back("node(s) didn't have free ports for the requested pod ports");
      return;
    }
  }
}

int64_t extended_of(const Amounts& amounts, std::string_view name) {
  for (const auto& [key, value] : amounts.extended) {
    if (key == name) return value;
  }
  return 0;
}

void node_resources_fit(const PodNeeds& pod, const NodeOffer& node, Reasons& reasons) {
  if (node.pods + 1 > node.pods_max) reasons.emplace_back("Too many pods");
  const auto lacks = [](int64_t wanted, int64_t total, int64_t used) {
    return wanted > 0 && wanted > total - used;
  };
  if (lacks(pod.requests.cpu, node.allocatable.cpu, node.used.cpu))
    reasons.emplace_back("Insufficient cpu");
  if (lacks(pod.requests.memory, node.allocatable.memory, node.used.memory))
    reasons.emplace_back("Insufficient memory");
  if (lacks(pod.requests.storage, node.allocatable.storage, node.used.storage)) {
    reasons.emplace_back("Insufficient ephemeral-storage");
  }
  for (const auto& [name, wanted] : pod.requests.extended) {
    if (lacks(wanted, extended_of(node.allocatable, name), extended_of(node.used, name))) {
      reasons.push_back(join({"Insufficient ", name}));
    }
  }
}

struct Filter {
  std::string_view name;
  void (*check)(const PodNeeds& pod, const NodeOffer& node, Reasons& reasons);
};

// In upstream's order: the first filter that refuses a node gives its reasons.
constexpr Filter kFilters[] = {
    {"NodeUnschedulable", node_unschedulable},
    {"NodeName", node_name},
    {"TaintToleration", taint_toleration},
    {"NodeAffinity", node_affinity},
    {"NodePorts", node_ports},
    {"NodeResourcesFit", node_resources_fit},
};

// --- Scores: 0..100 a row, weighted.

int64_t free_percent(int64_t total, int64_t used) {
  return total <= 0 || used >= total ? 0 : (total - used) * 100 / total;
}

int64_t least_allocated(const PodNeeds& pod, const NodeOffer& node) {
  return (free_percent(node.allocatable.cpu, node.scored.cpu + pod.scored.cpu) +
          free_percent(node.allocatable.memory, node.scored.memory + pod.scored.memory)) /
         2;
}

// 100 when cpu and memory are used to the same degree.
int64_t balanced_allocation(const PodNeeds& pod, const NodeOffer& node) {
  const int64_t cpu = free_percent(node.allocatable.cpu, node.used.cpu + pod.requests.cpu);
  const int64_t memory =
      free_percent(node.allocatable.memory, node.used.memory + pod.requests.memory);
  return 100 - std::abs(cpu - memory) / 2;
}

int64_t preferred_affinity(const PodNeeds& pod, const NodeOffer& node) {
  int64_t matched = 0;
  int64_t all = 0;
  for (const NodeTerm& term : pod.preferred) {
    all += term.weight;
    if (term_matches(term, node)) matched += term.weight;
  }
  return all == 0 ? 0 : matched * 100 / all;
}

int64_t preferred_taints(const PodNeeds& pod, const NodeOffer& node) {
  int64_t intolerable = 0;
  for (const Taint& taint : node.taints) {
    if (taint.effect != "PreferNoSchedule") continue;
    const bool tolerated = std::any_of(pod.tolerations.begin(), pod.tolerations.end(),
                                       [&](const Toleration& t) { return t.tolerates(taint); });
    if (!tolerated) ++intolerable;
  }
  return 100 / (1 + intolerable);
}

struct Score {
  std::string_view name;
  int64_t (*rate)(const PodNeeds& pod, const NodeOffer& node);
  int64_t weight;
};

// Weights of upstream's default profile.
constexpr Score kScores[] = {
    {"NodeResourcesFit", least_allocated, 1},
    {"NodeResourcesBalancedAllocation", balanced_allocation, 1},
    {"NodeAffinity", preferred_affinity, 2},
    {"TaintToleration", preferred_taints, 3},
};

bool passes(const PodNeeds& pod, const NodeOffer& node, std::map<std::string, size_t>& refusals) {
  for (const Filter& filter : kFilters) {
    Reasons reasons;
    filter.check(pod, node, reasons);
    if (reasons.empty()) continue;
    for (std::string& reason : reasons)
      ++refusals[std::move(reason)];
    return false;
  }
  return true;
}

// "1 Insufficient cpu, 2 node(s) were unschedulable", sorted as text as upstream sorts them.
std::string summary(size_t nodes, const std::map<std::string, size_t>& refusals) {
  std::vector<std::string> parts;
  for (const auto& [reason, count] : refusals)
    parts.push_back(join({std::to_string(count), " ", reason}));
  std::sort(parts.begin(), parts.end());
  std::string out = join({"0/", std::to_string(nodes), " nodes are available: "});
  for (size_t i = 0; i < parts.size(); ++i)
    out += (i > 0 ? ", " : "") + parts[i];
  return out + ".";
}

}  // namespace

Choice choose(const PodNeeds& pod, std::span<const NodeOffer* const> nodes) {
  if (nodes.empty()) return {"", "no nodes available to schedule pods"};
  if (!pod.unsupported.empty()) {
    return {"", join({"0/", std::to_string(nodes.size()),
                      " nodes are available: this scheduler does not support ", pod.unsupported,
                      " yet."})};
  }
  std::map<std::string, size_t> refusals;
  const NodeOffer* best = nullptr;
  int64_t best_score = -1;
  for (const NodeOffer* node : nodes) {
    if (!passes(pod, *node, refusals)) continue;
    int64_t score = 0;
    for (const Score& row : kScores)
      score += row.weight * row.rate(pod, *node);
    if (score > best_score) {
      best = node;
      best_score = score;
    }
  }
  if (best != nullptr) return {best->name, ""};
  return {"", summary(nodes.size(), refusals)};
}

}  // namespace coracle::scheduler
