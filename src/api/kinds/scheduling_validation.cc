// SPDX-License-Identifier: GPL-2.0-or-later
// Tolerations, affinity and spreading (kubernetes pkg/apis/core/validation).
#include <set>

#include "api/kinds/checks.h"
#include "api/kinds/pod_validation.h"
#include "api/processing.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

void check_toleration(json::Node toleration, std::string_view path, Errors& errors) {
  const json::Node key = toleration["key"];
  const json::Node op = toleration["operator"];
  const json::Node effect = toleration["effect"];
  const std::string op_path = field(path, "operator");
  if (!key.string().empty()) check_qualified_name(key, field(path, "key"), errors);
  if (key.string().empty() && op.string() != "Exists")
    errors.invalid(
        op_path, op.string(),
        "operator must be Exists when `key` is empty, which means \"match all values and "
        "all keys\"");
  if (toleration["tolerationSeconds"] && effect.string() != "NoExecute")
    errors.invalid(field(path, "effect"), effect.string(),
                   "effect must be 'NoExecute' when `tolerationSeconds` is set");
  if (op.string() == "Exists" && says_something(toleration["value"]))
    errors.invalid(op_path, toleration, "value must be empty when `operator` is 'Exists'");
  const std::string problem = label_value_problem(toleration["value"].string());
  if (!problem.empty()) errors.invalid(op_path, toleration["value"], problem);
  if (!op.string().empty() && op.string() != "Exists" && op.string() != "Equal")
    errors.not_supported(op_path, op, "Equal|Exists");
  const std::string_view effects = "NoExecute|NoSchedule|PreferNoSchedule";
  if (!effect.string().empty() && effects.find(effect.string()) == std::string_view::npos)
    errors.not_supported(field(path, "effect"), effect, effects);
}

void check_node_requirement(json::Node requirement, std::string_view path, Errors& errors) {
  const json::Node op = requirement["operator"];
  const std::string_view name = op.string();
  const std::string values_path = field(path, "values");
  const size_t values = requirement["values"].size();
  if (name == "In" || name == "NotIn") {
    if (values == 0)
      errors.required(values_path, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (name == "Exists" || name == "DoesNotExist") {
    if (values > 0)
      errors.forbidden(values_path,
                       "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (name == "Gt" || name == "Lt") {
    const json::Node value = requirement["values"].first();
    if (values != 1)
      errors.required(values_path,
                      "must be specified single value when `operator` is 'Lt' or 'Gt'");
    if (values == 1 && !parse_signed(value.string()))
      errors.invalid(item(values_path, 0), value, "must be an integer");
  } else {
    errors.invalid(field(path, "operator"), op, "not a valid selector operator");
  }
}

void check_node_term(json::Node term, std::string_view path, Errors& errors) {
  size_t index = 0;
  for (json::Node requirement : term["matchExpressions"]) {
    const std::string at = item(field(path, "matchExpressions"), index++);
    check_node_requirement(requirement, at, errors);
    check_qualified_name(requirement["key"], field(at, "key"), errors);
  }
  index = 0;
  for (json::Node requirement : term["matchFields"]) {
    const std::string at = item(field(path, "matchFields"), index++);
    check_node_requirement(requirement, at, errors);
    if (requirement["key"].string() != "metadata.name")
      errors.invalid(field(at, "key"), requirement["key"], "not a valid field selector key");
  }
}

void check_weight(json::Node weight, std::string_view path, Errors& errors) {
  if (weight.integer() < 1 || weight.integer() > 100)
    errors.invalid(field(path, "weight"), weight, "must be in the range 1-100");
}

void check_node_affinity(json::Node affinity, std::string_view path, Errors& errors) {
  size_t index = 0;
  const std::string terms = field(field(path, kRequired), "nodeSelectorTerms");
  for (json::Node term : affinity[kRequired]["nodeSelectorTerms"])
    check_node_term(term, item(terms, index++), errors);
  index = 0;
  for (json::Node wish : affinity[kPreferred]) {
    const std::string at = item(field(path, kPreferred), index++);
    check_weight(wish["weight"], at, errors);
    check_node_term(wish["preference"], field(at, "preference"), errors);
  }
}

void check_pod_term(json::Node term, std::string_view path, Errors& errors) {
  check_label_selector(term["labelSelector"], field(path, "labelSelector"), errors);
  check_label_selector(term["namespaceSelector"], field(path, "namespaceSelector"), errors);
  const json::Node key = term["topologyKey"];
  if (!key.string().empty()) check_qualified_name(key, field(path, "topologyKey"), errors);
}

void check_pod_affinity(json::Node affinity, std::string_view path, Errors& errors) {
  size_t index = 0;
  for (json::Node term : affinity[kRequired])
    check_pod_term(term, item(field(path, kRequired), index++), errors);
  index = 0;
  for (json::Node wish : affinity[kPreferred]) {
    const std::string at = item(field(path, kPreferred), index++);
    check_weight(wish["weight"], at, errors);
    check_pod_term(wish["podAffinityTerm"], field(at, "podAffinityTerm"), errors);
  }
}

void check_spreading(json::Node constraints, std::string_view path, Errors& errors) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  size_t index = 0;
  for (json::Node constraint : constraints) {
    const std::string at = item(path, index++);
    const json::Node key = constraint["topologyKey"];
    const std::string_view action = constraint["whenUnsatisfiable"].string();
    if (!constraint["maxSkew"])
      errors.invalid(field(at, "maxSkew"), int64_t{0}, "must be greater than 0");
    if (!seen.emplace(key.string(), action).second)
      errors.duplicate(join({at, ".{topologyKey, whenUnsatisfiable}"}), key);
    if (constraint["minDomains"] && action != "DoNotSchedule")
      errors.invalid(
          field(at, "minDomains"), constraint["minDomains"],
          "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not " + std::string(action));
    check_label_selector(constraint["labelSelector"], field(at, "labelSelector"), errors);
  }
}

}  // namespace

void check_scheduling(json::Node spec, std::string_view path, Errors& errors) {
  check_labels(spec["nodeSelector"], field(path, "nodeSelector"), errors);
  size_t index = 0;
  for (json::Node toleration : spec["tolerations"])
    check_toleration(toleration, item(field(path, "tolerations"), index++), errors);
  const json::Node affinity = spec["affinity"];
  const std::string at = field(path, "affinity");
  check_node_affinity(affinity["nodeAffinity"], field(at, "nodeAffinity"), errors);
  check_pod_affinity(affinity["podAffinity"], field(at, "podAffinity"), errors);
  check_pod_affinity(affinity["podAntiAffinity"], field(at, "podAntiAffinity"), errors);
  check_spreading(spec["topologySpreadConstraints"], field(path, "topologySpreadConstraints"),
                  errors);
}

}  // namespace coracle::api
