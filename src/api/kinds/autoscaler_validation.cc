// SPDX-License-Identifier: GPL-2.0-or-later
// Rules of kubernetes pkg/apis/autoscaling/validation.
#include "api/kinds/autoscaler.h"
#include "api/kinds/checks.h"
#include "api/quantity.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr int64_t kWindowMaxSeconds = 3600;
constexpr int64_t kPeriodMaxSeconds = 1800;

void check_positive(json::Node amount, std::string_view path, Errors& errors) {
  if (amount && compare_quantities(amount.string(), "0") <= 0)
    errors.invalid(path, amount, "must be positive");
}

void check_target(json::Node target, std::string_view path, Errors& errors) {
  const json::Node type = target["type"];
  const std::string at = field(path, "type");
  if (type.string().empty()) errors.required(at, "must specify a metric target type");
  if (!is_one_of(type.string(), "Utilization|Value|AverageValue"))
    errors.invalid(at, type.string(), "must be either Utilization, Value, or AverageValue");
  check_positive(target["value"], field(path, "value"), errors);
  check_positive(target["averageValue"], field(path, "averageValue"), errors);
  if (const json::Node share = target["averageUtilization"]; share)
    positive(share, field(path, "averageUtilization"), errors);
}

void check_reference(json::Node reference, std::string_view path, Errors& errors) {
  for (std::string_view name : {"kind", "name"}) {
    const std::string_view text = reference[name].string();
    const std::string at = field(path, name);
    if (text.empty()) errors.required(at);
    if (text == "." || text == "..") errors.invalid(at, text, join({"may not be '", text, "'"}));
    if (text.find('/') != std::string_view::npos) errors.invalid(at, text, "may not contain '/'");
    if (text.find('%') != std::string_view::npos) errors.invalid(at, text, "may not contain '%'");
  }
}

void check_metric(json::Node metric, std::string_view path, Errors& errors) {
  if (metric["name"].string().empty())
    errors.required(field(path, "name"), "must specify a metric name");
  if (metric["selector"]) check_label_selector(metric["selector"], field(path, "selector"), errors);
}

void check_resource(json::Node source, std::string_view path, Errors& errors) {
  if (source["name"].string().empty())
    errors.required(field(path, "name"), "must specify a resource name");
  const json::Node target = source["target"];
  const std::string at = field(path, "target");
  check_target(target, at, errors);
  if (!target["averageUtilization"] && !target["averageValue"])
    errors.required(field(at, "averageUtilization"),
                    "must set either a target raw value or a target utilization");
  if (target["averageUtilization"] && target["averageValue"])
    errors.forbidden(field(at, "averageValue"),
                     "may not set both a target raw value and a target utilization");
}

void check_container_resource(json::Node source, std::string_view path, Errors& errors) {
  if (source["container"].string().empty())
    errors.required(field(path, "container"), "must specify a container");
  check_resource(source, path, errors);
}

void check_pods(json::Node source, std::string_view path, Errors& errors) {
  check_metric(source["metric"], field(path, "metric"), errors);
  const json::Node target = source["target"];
  const std::string at = field(path, "target");
  check_target(target, at, errors);
  if (!target["averageValue"])
    errors.required(field(at, "averageValue"), "must specify a positive target averageValue");
}

void check_external(json::Node source, std::string_view path, Errors& errors) {
  check_metric(source["metric"], field(path, "metric"), errors);
  const json::Node target = source["target"];
  const std::string at = field(path, "target");
  check_target(target, at, errors);
  if (!target["value"] && !target["averageValue"])
    errors.required(field(at, "averageValue"),
                    "must set either a target value for metric or a per-pod target");
  if (target["value"] && target["averageValue"])
    errors.forbidden(field(at, "value"),
                     "may not set both a target value for metric and a per-pod target");
}

void check_object(json::Node source, std::string_view path, Errors& errors) {
  check_reference(source["describedObject"], field(path, "describedObject"), errors);
  check_external(source, path, errors);
}

struct Source {
  std::string_view type;
  std::string_view member;
  void (*check)(json::Node source, std::string_view path, Errors& errors);
};
constexpr Source kSources[] = {
    {"ContainerResource", "containerResource", check_container_resource},
    {"External", "external", check_external},
    {"Object", "object", check_object},
    {"Pods", "pods", check_pods},
    {"Resource", "resource", check_resource},
};

void check_spec(json::Node metric, std::string_view path, Errors& errors) {
  const std::string_view type = metric["type"].string();
  std::string_view wanted;
  for (const Source& source : kSources) {
    if (source.type == type) wanted = source.member;
  }
  if (type.empty()) {
    errors.required(field(path, "type"), "must specify a metric source type");
  } else if (wanted.empty()) {
    errors.not_supported(field(path, "type"), metric["type"],
                         "ContainerResource|External|Object|Pods|Resource");
  }
  if (!wanted.empty() && !metric[wanted])
    errors.required(field(path, wanted), "must populate information for the given metric source");
  for (const Source& source : kSources) {
    const json::Node given = metric[source.member];
    if (!given) continue;
    const std::string at = field(path, source.member);
    if (source.member == wanted) {
      source.check(given, at, errors);
    } else if (!wanted.empty()) {
      errors.forbidden(at, "must populate the given metric source only");
    }
  }
}

void check_bounds(json::Node number, int64_t most, std::string_view path, Errors& errors) {
  if (number.integer() > most)
    errors.invalid(path, number, join({"must be less than or equal to ", std::to_string(most)}));
}

void check_rules(json::Node rules, std::string_view path, Errors& errors) {
  if (!rules) return;
  const json::Node window = rules["stabilizationWindowSeconds"];
  const std::string window_at = field(path, "stabilizationWindowSeconds");
  if (window.integer() < 0)
    errors.invalid(window_at, window, "must be greater than or equal to zero");
  check_bounds(window, kWindowMaxSeconds, window_at, errors);
  const json::Node choice = rules["selectPolicy"];
  if (choice && !is_one_of(choice.string(), "Max|Min|Disabled"))
    errors.not_supported(field(path, "selectPolicy"), choice, "Disabled|Max|Min");
  const json::Node tolerance = rules["tolerance"];
  if (tolerance && compare_quantities(tolerance.string(), "0") < 0)
    errors.invalid(field(path, "tolerance"), tolerance, "must be greater than or equal to 0");
  const std::string policies = field(path, "policies");
  if (rules["policies"].size() == 0) errors.required(policies, "must specify at least one Policy");
  size_t index = 0;
  for (const json::Node policy : rules["policies"]) {
    const std::string at = item(policies, index++);
    const json::Node type = policy["type"];
    if (!is_one_of(type.string(), "Percent|Pods"))
      errors.not_supported(field(at, "type"), type, "Percent|Pods");
    for (std::string_view name : {"value", "periodSeconds"}) {
      if (policy[name].integer() <= 0)
        errors.invalid(field(at, name), policy[name].integer(), "must be greater than zero");
    }
    check_bounds(policy["periodSeconds"], kPeriodMaxSeconds, field(at, "periodSeconds"), errors);
  }
}

}  // namespace

void validate_autoscaler(json::Node autoscaler, Errors& errors) {
  const json::Node spec = autoscaler["spec"];
  const json::Node least = spec["minReplicas"];
  const json::Node most = spec["maxReplicas"];
  if (least && least.integer() < 1)
    errors.invalid("spec.minReplicas", least, "must be greater than or equal to 1");
  if (most.integer() < 1)
    errors.invalid("spec.maxReplicas", most.integer(), "must be greater than 0");
  if (least && most.integer() < least.integer())
    errors.invalid("spec.maxReplicas", most.integer(),
                   "must be greater than or equal to `minReplicas`");
  check_reference(spec["scaleTargetRef"], "spec.scaleTargetRef", errors);
  size_t index = 0;
  for (const json::Node metric : spec["metrics"])
    check_spec(metric, item("spec.metrics", index++), errors);
  check_rules(spec["behavior"]["scaleUp"], "spec.behavior.scaleUp", errors);
  check_rules(spec["behavior"]["scaleDown"], "spec.behavior.scaleDown", errors);
}

void validate_autoscaler_status(json::Node autoscaler, json::Node, Errors& errors) {
  check_counts(autoscaler["status"], "currentReplicas|desiredReplicas", errors);
}

}  // namespace coracle::api
