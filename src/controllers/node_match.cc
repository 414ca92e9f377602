// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/node_match.h"

#include "api/node_terms.h"

namespace coracle::controllers {

namespace {

bool tolerates(json::Node toleration, json::Node taint) {
  const std::string_view effect = toleration["effect"].string();
  const std::string_view key = toleration["key"].string();
  if (!effect.empty() && effect != taint["effect"].string()) return false;
  if (!key.empty() && key != taint["key"].string()) return false;
  if (toleration["operator"].string() == "Exists") return true;
  return !key.empty() && toleration["value"].string() == taint["value"].string();
}

}  // namespace

bool node_suits(json::Node pod_spec, json::Node node) {
  for (const json::Node wanted : pod_spec["nodeSelector"]) {
    const json::Node have = node["metadata"]["labels"][wanted.key()];
    if (!have || have.string() != wanted.string()) return false;
  }
  const json::Node required =
      pod_spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
  return !required || api::any_term_matches(required["nodeSelectorTerms"], node);
}

bool tolerates_node(json::Node pod_spec, json::Node node, std::string_view effects) {
  for (const json::Node taint : node["spec"]["taints"]) {
    const std::string_view effect = taint["effect"].string();
    if (effect.empty() || effects.find(effect) == std::string_view::npos) continue;
    bool tolerated = false;
    for (const json::Node toleration : pod_spec["tolerations"])
      tolerated = tolerated || tolerates(toleration, taint);
    if (!tolerated) return false;
  }
  return true;
}

}  // namespace coracle::controllers
