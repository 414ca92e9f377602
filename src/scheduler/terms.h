// SPDX-License-Identifier: GPL-2.0-or-later
// Demands and wishes of a pod about other pods: inter-pod (anti-)affinity and topology spread, read
// once from JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "api/selector.h"
#include "json/tree.h"

namespace coracle::scheduler {

// One PodAffinityTerm: which pods are meant and what counts as near.
struct PodTerm {
  std::vector<std::string> namespaces;
  bool by_namespace_labels = false;
  api::LabelSelector namespace_selector;
  api::LabelSelector selector;
  std::string topology_key;
  int64_t weight = 0;  // preferred terms

  bool selects(const api::State* state, std::string_view ns, json::Node labels) const;
};
// The terms of a list in podAffinity or podAntiAffinity; preferred ones carry their weight.
std::vector<PodTerm> read_pod_terms(json::Node list, json::Node pod);

struct Spread {
  int64_t max_skew = 1;
  std::string topology_key;
  bool hard = true;  // DoNotSchedule
  api::LabelSelector selector;
  int64_t min_domains = 1;
  bool honours_affinity = true;
  bool honours_taints = false;
};
std::vector<Spread> read_spreads(json::Node pod);

}  // namespace coracle::scheduler
