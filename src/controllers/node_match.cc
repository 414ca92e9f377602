// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/node_match.h"

#include "base/bytes.h"

namespace coracle::controllers {

namespace {

bool is_listed(json::Node values, std::string_view value) {
  for (const json::Node each : values) {
    if (each.string() == value) return true;
  }
  return false;
}

bool requirement_matches(json::Node requirement, json::Node value) {
  const std::string_view op = requirement["operator"].string();
  const json::Node values = requirement["values"];
  if (op == "In") return value && is_listed(values, value.string());
  if (op == "NotIn") return !value || !is_listed(values, value.string());
  if (op == "Exists") return bool{value};
  if (op == "DoesNotExist") return !value;
  const auto have = parse_signed(value.string());
  const auto bound = parse_signed(values.first().string());
  if (!have || !bound) return false;
  return op == "Gt" ? *have > *bound : op == "Lt" && *have < *bound;
}

bool term_matches(json::Node term, json::Node node) {
  const json::Node expressions = term["matchExpressions"];
  const json::Node fields = term["matchFields"];
  if (expressions.size() + fields.size() == 0) return false;
  for (const json::Node requirement : expressions) {
    if (!requirement_matches(requirement, node["metadata"]["labels"][requirement["key"].string()]))
      return false;
  }
  for (const json::Node requirement : fields) {
    if (requirement["key"].string() != "metadata.name" ||
        !requirement_matches(requirement, node["metadata"]["name"]))
      return false;
  }
  return true;
}

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
  if (!required) return true;
  for (const json::Node term : required["nodeSelectorTerms"]) {
    if (term_matches(term, node)) return true;
  }
  return false;
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
