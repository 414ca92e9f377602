// SPDX-License-Identifier: GPL-2.0-or-later
// What a pod asks of a node, and what a node offers: read once from JSON, then compared as plain
// numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/selector.h"
#include "json/tree.h"
#include "scheduler/terms.h"

namespace coracle::scheduler {

// CPU in thousandths, everything else in whole units.
struct Amounts {
  int64_t cpu = 0;
  int64_t memory = 0;
  int64_t storage = 0;                                    // ephemeral-storage
  std::vector<std::pair<std::string, int64_t>> extended;  // sorted by name

  void add(const Amounts& other);
  void subtract(const Amounts& other);
  void raise_to(const Amounts& other);  // element-wise maximum
};
Amounts read_amounts(json::Node resource_list);

struct HostPort {
  std::string address;  // "0.0.0.0" for any
  std::string protocol;
  int64_t port = 0;
  bool conflicts_with(const HostPort& other) const;
};

struct Taint {
  std::string key;
  std::string value;
  std::string effect;
};

struct Toleration {
  std::string key;
  std::string op;
  std::string value;
  std::string effect;
  bool tolerates(const Taint& taint) const;
};

// One nodeSelectorTerm: matchExpressions over labels, matchFields over metadata.name.
struct NodeTerm {
  struct Requirement {
    std::string key;
    std::string op;
    std::vector<std::string> values;
  };
  std::vector<Requirement> labels;
  std::vector<Requirement> fields;
  int64_t weight = 0;  // preferred terms
};

struct ClaimNeed {
  std::string name;
  bool is_made = false;  // for this pod's own volume
};

struct PodNeeds {
  Amounts requests;
  Amounts scored;  // requests, with upstream's defaults for containers that ask for nothing
  std::vector<HostPort> ports;
  std::vector<Toleration> tolerations;
  std::vector<std::pair<std::string, std::string>> node_selector;
  bool has_required_terms = false;
  std::vector<NodeTerm> required;  // any of them
  std::vector<NodeTerm> preferred;
  std::vector<PodTerm> near;      // all of them: required podAffinity
  std::vector<PodTerm> far;       // none of them: required podAntiAffinity
  std::vector<PodTerm> liked;     // preferred podAffinity
  std::vector<PodTerm> disliked;  // preferred podAntiAffinity
  std::vector<Spread> spreads;
  std::vector<std::string> images;
  std::vector<ClaimNeed> claims;
  std::string node_name;
  int64_t priority = 0;
  bool preempts = true;  // preemptionPolicy is not Never

  bool tolerates(const Taint& taint) const;
};
PodNeeds read_needs(json::Node pod);

struct NodeOffer {
  std::string name;
  Amounts allocatable;
  int64_t pods_max = 0;
  std::vector<Taint> taints;
  std::vector<std::pair<std::string, std::string>> labels;
  bool unschedulable = false;
  // In use by pods that are bound or about to be.
  Amounts used;
  Amounts scored;
  int64_t pods = 0;
  std::vector<HostPort> ports;
  std::vector<std::pair<std::string, int64_t>> images;  // name and bytes, sorted

  const std::string* label(std::string_view key) const;
};
NodeOffer read_offer(json::Node node);  // without what is in use

NodeTerm read_term(json::Node term, int64_t weight = 0);
bool term_matches(const NodeTerm& term, const NodeOffer& node);
// nodeSelector and required node affinity.
bool suits(const PodNeeds& pod, const NodeOffer& node);
// The first taint with NoSchedule or NoExecute that the pod does not tolerate; null if none.
const Taint* untolerated(const PodNeeds& pod, const NodeOffer& node);
// "nginx" -> "nginx:latest", as nodes report their images.
std::string image_name(std::string_view image);

}  // namespace coracle::scheduler
