// SPDX-License-Identifier: GPL-2.0-or-later
// Rules of kubernetes pkg/apis/apps/validation that Deployment and ReplicaSet share.
#include "api/kinds/workload.h"

#include "api/kinds/checks.h"
#include "api/kinds/pod_template.h"
#include "api/selector.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr std::string_view kTemplate = "spec.template";

void check_selector(json::Node spec, Errors& errors, std::string_view name) {
  const json::Node selector = spec["selector"];
  if (!selector) return;  // required: declared
  const size_t before = errors.size();
  check_label_selector(selector, "spec.selector", errors);
  if (errors.size() > before) return;
  if (selector["matchLabels"].size() + selector["matchExpressions"].size() == 0)
    return errors.invalid("spec.selector", selector,
                          join({"empty selector is invalid for ", name}));
  check_template_labels(spec, errors);
}

}  // namespace

void check_template_labels(json::Node spec, Errors& errors) {
  const json::Node labels = spec["template"]["metadata"]["labels"];
  if (!LabelSelector::from_object(spec["selector"]).matches(labels))
    errors.invalid(field(kTemplate, "metadata.labels"), labels,
                   "`selector` does not match template `labels`");
}

void validate_workload(json::Node object, Errors& errors, WorkloadName name) {
  const json::Node spec = object["spec"];
  check_selector(spec, errors, name.of_selector);
  const json::Node pod = spec["template"]["spec"];
  if (!spec) errors.required("spec.selector");
  if (!spec["template"]) return errors.required("spec.template");
  validate_pod_template(spec["template"], kTemplate, errors);
  const json::Node policy = pod["restartPolicy"];
  if (policy && policy.string() != "Always")
    errors.not_supported("spec.template.spec.restartPolicy", policy, "Always");
  if (pod["activeDeadlineSeconds"])
    errors.forbidden("spec.template.spec.activeDeadlineSeconds",
                     join({"activeDeadlineSeconds in ", name.of_deadline, " is not Supported"}));
}

void validate_workload_status(json::Node object, json::Node, Errors& errors) {
  constexpr std::string_view kCounts[] = {"replicas",
                                          "readyReplicas",
                                          "availableReplicas",
                                          "updatedReplicas",
                                          "unavailableReplicas",
                                          "fullyLabeledReplicas",
                                          "terminatingReplicas",
                                          "observedGeneration"};
  const json::Node status = object["status"];
  for (std::string_view name : kCounts) {
    if (status[name]) not_negative(status[name], field("status", name), errors);
  }
  const int64_t replicas = status["replicas"].integer();
  for (std::string_view name : {"readyReplicas", "availableReplicas", "fullyLabeledReplicas"}) {
    if (status[name].integer() > replicas)
      errors.invalid(field("status", name), status[name], "cannot be greater than status.replicas");
  }
  if (status["availableReplicas"].integer() > status["readyReplicas"].integer())
    errors.invalid("status.availableReplicas", status["availableReplicas"],
                   "cannot be greater than readyReplicas");
}

void warn_of_template(json::Node object, std::string& out) {
  warn_of_pod_spec(object["spec"]["template"]["spec"], "spec.template.spec", out);
}

}  // namespace coracle::api
