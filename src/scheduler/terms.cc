// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/terms.h"

#include <algorithm>

namespace coracle::scheduler {

namespace {

// matchLabelKeys and mismatchLabelKeys add what the pod itself is labelled with (KEP-3633,
// KEP-3243). Keys that it does not have count for nothing.
api::LabelSelector read_selector(json::Node term, json::Node labels) {
  const json::Node selector = term["labelSelector"];
  if (!selector) return api::LabelSelector::from_object(selector);
  json::Tree tree;
  const json::Node all = tree.make_root(selector);
  const auto add = [&](std::string_view list, std::string_view op) {
    for (const json::Node key : term[list]) {
      const json::Node value = labels[key.string()];
      if (!value) continue;
      const json::Node requirement = all.array("matchExpressions").append_object();
      requirement.set("key", key.string());
      requirement.set("operator", op);
      requirement.array("values").append(value.string());
    }
  };
  add("matchLabelKeys", "In");
  add("mismatchLabelKeys", "NotIn");
  return api::LabelSelector::from_object(all);
}

PodTerm read_pod_term(json::Node term, json::Node pod, int64_t weight) {
  PodTerm out;
  for (const json::Node ns : term["namespaces"])
    out.namespaces.emplace_back(ns.string());
  out.by_namespace_labels = bool{term["namespaceSelector"]};
  out.namespace_selector = api::LabelSelector::from_object(term["namespaceSelector"]);
  if (out.namespaces.empty() && !out.by_namespace_labels)
    out.namespaces.emplace_back(pod["metadata"]["namespace"].string());
  out.selector = read_selector(term, pod["metadata"]["labels"]);
  out.topology_key = std::string(term["topologyKey"].string());
  out.weight = weight;
  return out;
}

bool namespace_matches(const api::State* state,
                       std::string_view ns,
                       const api::LabelSelector& selector) {
  if (selector.empty()) return true;
  const api::ObjectRef object =
      state == nullptr ? api::ObjectRef() : state->get(api::kNamespace, {}, ns);
  if (!object) return selector.matches({});
  json::Tree tree;
  return selector.matches(object->parse(tree)["metadata"]["labels"]);
}

}  // namespace

bool PodTerm::selects(const api::State* state, std::string_view ns, json::Node labels) const {
  const bool named = std::find(namespaces.begin(), namespaces.end(), ns) != namespaces.end();
  if (!named && !by_namespace_labels) return false;
  return selector.matches(labels) && (named || namespace_matches(state, ns, namespace_selector));
}

std::vector<PodTerm> read_pod_terms(json::Node list, json::Node pod) {
  std::vector<PodTerm> terms;
  for (const json::Node entry : list) {
    const bool weighted = bool{entry["podAffinityTerm"]};
    terms.push_back(
        read_pod_term(weighted ? entry["podAffinityTerm"] : entry, pod, entry["weight"].integer()));
  }
  return terms;
}

std::vector<Spread> read_spreads(json::Node pod) {
  std::vector<Spread> spreads;
  for (const json::Node constraint : pod["spec"]["topologySpreadConstraints"]) {
    Spread spread;
    spread.max_skew = constraint["maxSkew"].integer(1);
    spread.topology_key = std::string(constraint["topologyKey"].string());
    spread.hard = constraint["whenUnsatisfiable"].string("DoNotSchedule") == "DoNotSchedule";
    spread.selector = read_selector(constraint, pod["metadata"]["labels"]);
    spread.min_domains = constraint["minDomains"].integer(1);
    spread.honours_affinity = constraint["nodeAffinityPolicy"].string("Honor") == "Honor";
    spread.honours_taints = constraint["nodeTaintsPolicy"].string("Ignore") == "Honor";
    spreads.push_back(std::move(spread));
  }
  return spreads;
}

}  // namespace coracle::scheduler
