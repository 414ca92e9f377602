// SPDX-License-Identifier: GPL-2.0-or-later
// JobSpec: fields, defaults and rules (kubernetes pkg/apis/batch/validation).
#include "api/kinds/job_spec.h"

#include "api/kinds/checks.h"
#include "api/kinds/pod_template.h"
#include "api/meta.h"
#include "api/processing.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr int64_t kIndexedParallelismMax = 100'000;
constexpr size_t kRulesMax = 20;

constexpr Field kPodFailurePolicyOnExitCodesRequirementFields[] = {
    text("containerName", 1).about("Container that is meant; all if absent."),
    text("operator", 2).listed().one_of("In|NotIn").about("In or NotIn."),
    list_of("values", 3, Type::kInt32).set().listed().about("Exit codes."),
};
constexpr Message kPodFailurePolicyOnExitCodesRequirement{
    "io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement",
    kPodFailurePolicyOnExitCodesRequirementFields};

constexpr Field kPodFailurePolicyOnPodConditionsPatternFields[] = {
    text("type", 1).listed().about("Type of the condition."),
    text("status", 2).otherwise("\"True\"").one_of("False|True|Unknown"),
};
constexpr Message kPodFailurePolicyOnPodConditionsPattern{
    "io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern",
    kPodFailurePolicyOnPodConditionsPatternFields};

constexpr Field kPodFailurePolicyRuleFields[] = {
    text("action", 1)
        .listed()
        .one_of("Count|FailIndex|FailJob|Ignore")
        .about("Count, FailIndex, FailJob or Ignore."),
    object("onExitCodes", 2, kPodFailurePolicyOnExitCodesRequirement)
        .about("Exit codes that the rule is for."),
    list("onPodConditions", 3, kPodFailurePolicyOnPodConditionsPattern)
        .about("Conditions of the Pod that the rule is for."),
};
constexpr Message kPodFailurePolicyRule{"io.k8s.api.batch.v1.PodFailurePolicyRule",
                                        kPodFailurePolicyRuleFields};

constexpr Field kPodFailurePolicyFields[] = {
    list("rules", 1, kPodFailurePolicyRule).listed().about("The first rule that fits counts."),
};
constexpr Message kPodFailurePolicy{"io.k8s.api.batch.v1.PodFailurePolicy",
                                    kPodFailurePolicyFields};

constexpr Field kSuccessPolicyRuleFields[] = {
    text("succeededIndexes", 1).about("Indexes that must succeed."),
    int32("succeededCount", 2).must(positive).about("How many must succeed."),
};
constexpr Message kSuccessPolicyRule{"io.k8s.api.batch.v1.SuccessPolicyRule",
                                     kSuccessPolicyRuleFields};

constexpr Field kSuccessPolicyFields[] = {
    list("rules", 1, kSuccessPolicyRule).listed(),
};
constexpr Message kSuccessPolicy{"io.k8s.api.batch.v1.SuccessPolicy", kSuccessPolicyFields};

constexpr Field kJobSpecFields[] = {
    int32("parallelism", 1).must(not_negative).about("Most Pods that run at the same time."),
    int32("completions", 2).must(not_negative).about("Pods that must succeed."),
    int64("activeDeadlineSeconds", 3)
        .must(not_negative)
        .about("Seconds after which the Job is ended as failed."),
    object("selector", 4, kLabelSelector).about("Labels of the Pods; made by the server."),
    boolean("manualSelector", 5).about("If true, the selector is taken as given."),
    object("template", 6, kPodTemplateSpec).required().about("Pods are made from this template."),
    int32("backoffLimit", 7).must(not_negative).about("Failures before the Job counts as failed."),
    int32("ttlSecondsAfterFinished", 8)
        .must(not_negative)
        .about("Seconds after its end at which the Job is deleted."),
    text("completionMode", 9)
        .one_of("Indexed|NonIndexed")
        .about("Indexed numbers the Pods and wants each number to succeed once."),
    boolean("suspend", 10).about("If true, no Pods run."),
    object("podFailurePolicy", 11, kPodFailurePolicy).about("What a failure of a Pod means."),
    int32("backoffLimitPerIndex", 12).must(not_negative).about("Failures allowed to each index."),
    int32("maxFailedIndexes", 13).must(not_negative).about("Failed indexes before the Job fails."),
    text("podReplacementPolicy", 14)
        .one_of("Failed|TerminatingOrFailed")
        .about("When a Pod that ends is replaced."),
    text("managedBy", 15).about("Controller that looks after the Job, if it is not ours."),
    object("successPolicy", 16, kSuccessPolicy).about("When an indexed Job counts as done."),
};

void check_failure_rule(json::Node rule, std::string_view path, Errors& errors) {
  const json::Node codes = rule["onExitCodes"];
  const json::Node conditions = rule["onPodConditions"];
  const bool both = codes && conditions.size() > 0;
  const bool none = !codes && conditions.size() == 0;
  if (both)
    errors.invalid(path, path, "specifying both OnExitCodes and OnPodConditions is not supported");
  if (none)
    errors.invalid(path, path, "specifying one of OnExitCodes and OnPodConditions is required");
  if (!codes) return;
  const std::string values = field(field(path, "onExitCodes"), "values");
  if (codes["values"].size() == 0)
    errors.invalid(values, codes["values"], "at least one value is required");
  size_t index = 0;
  for (const json::Node value : codes["values"]) {
    if (codes["operator"].string() == "In" && value.integer() == 0)
      errors.invalid(item(values, index), value, "must not be 0 for the In operator");
    ++index;
  }
}

void check_failure_policy(json::Node spec, std::string_view path, Errors& errors) {
  const json::Node policy = spec["podFailurePolicy"];
  if (!policy) return;
  const std::string at = field(path, "podFailurePolicy");
  const json::Node restart = spec["template"]["spec"]["restartPolicy"];
  if (restart.string() != "Never")
    errors.invalid(field(path, "template.spec.restartPolicy"), restart,
                   "only \"Never\" is supported for restartPolicy when podFailurePolicy is "
                   "specified");
  const std::string rules = field(at, "rules");
  if (policy["rules"].size() > kRulesMax)
    return errors.too_many(rules, policy["rules"].size(), kRulesMax);
  size_t index = 0;
  for (const json::Node rule : policy["rules"])
    check_failure_rule(rule, item(rules, index++), errors);
}

void check_success_policy(json::Node spec, std::string_view path, Errors& errors) {
  const json::Node policy = spec["successPolicy"];
  if (!policy) return;
  const std::string at = field(path, "successPolicy");
  if (spec["completionMode"].string() != "Indexed")
    return errors.invalid(at, at, "requires indexed completion mode");
  const std::string rules = field(at, "rules");
  if (policy["rules"].size() == 0) errors.required(rules, "at least one rules must be specified");
  if (policy["rules"].size() > kRulesMax) errors.too_many(rules, policy["rules"].size(), kRulesMax);
}

void check_indexes(json::Node spec, std::string_view path, Errors& errors) {
  const bool indexed = spec["completionMode"].string() == "Indexed";
  if (indexed && !spec["completions"])
    errors.required(field(path, "completions"), "when completion mode is Indexed");
  if (indexed && spec["parallelism"].integer() > kIndexedParallelismMax)
    errors.invalid(field(path, "parallelism"), spec["parallelism"],
                   "must be less than or equal to 100000 when completion mode is Indexed");
  const json::Node per_index = spec["backoffLimitPerIndex"];
  if (per_index && !indexed)
    errors.invalid(field(path, "backoffLimitPerIndex"), per_index,
                   "requires indexed completion mode");
  const json::Node failed = spec["maxFailedIndexes"];
  if (failed && !per_index)
    errors.required(field(path, "backoffLimitPerIndex"), "when maxFailedIndexes is specified");
  if (failed && spec["completions"] && failed.integer() > spec["completions"].integer())
    errors.invalid(field(path, "maxFailedIndexes"), failed,
                   "must be less than or equal to completions");
}

}  // namespace

constinit const Message kJobSpec{"io.k8s.api.batch.v1.JobSpec", kJobSpecFields,
                                 "JobSpec is the desired behaviour of a Job."};

void default_job_template(json::Node spec) {
  default_pod_template(spec["template"]);
}

void validate_job_spec(json::Node spec, std::string_view path, Errors& errors) {
  check_indexes(spec, path, errors);
  check_failure_policy(spec, path, errors);
  check_success_policy(spec, path, errors);
  const json::Node manager = spec["managedBy"];
  if (!manager.string().empty()) {
    const std::string problem = label_key_problem(manager.string());
    if (!problem.empty() || manager.string().find('/') == std::string_view::npos)
      errors.invalid(field(path, "managedBy"), manager,
                     "must be a domain-prefixed path (such as \"acme.io/foo\")");
  }
  if (spec["podFailurePolicy"] && spec["podReplacementPolicy"].string() == "TerminatingOrFailed")
    errors.not_supported(field(path, "podReplacementPolicy"), spec["podReplacementPolicy"],
                         "Failed");
  const std::string pods = field(path, "template");
  if (!spec["template"]) return;  // required: declared
  validate_pod_template(spec["template"], pods, errors);
  const json::Node policy = spec["template"]["spec"]["restartPolicy"];
  if (policy.string() == "Always")
    errors.required(field(pods, "spec.restartPolicy"), "valid values: \"OnFailure\", \"Never\"");
}

}  // namespace coracle::api
