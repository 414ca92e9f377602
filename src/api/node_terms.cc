// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/node_terms.h"

#include "base/bytes.h"

namespace coracle::api {

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

}  // namespace

bool any_term_matches(json::Node terms, json::Node node) {
  for (const json::Node term : terms) {
    if (term_matches(term, node)) return true;
  }
  return false;
}

}  // namespace coracle::api
