// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/kinds/job_spec.h"
#include "api/kinds/pod_template.h"
#include "api/kinds/workload.h"
#include "api/meta.h"
#include "api/selector.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr std::string_view kUidLabel = "batch.kubernetes.io/controller-uid";
constexpr std::string_view kNameLabel = "batch.kubernetes.io/job-name";

constexpr Field kJobConditionFields[] = {
    text("type", 1).listed().about("Complete, Failed, Suspended, SuccessCriteriaMet or "
                                   "FailureTarget."),
    text("status", 2).listed().about("True, False or Unknown."),
    time("lastProbeTime", 3),
    time("lastTransitionTime", 4).about("When the status last changed."),
    text("reason", 5),
    text("message", 6),
};
constexpr Message kJobCondition{"io.k8s.api.batch.v1.JobCondition", kJobConditionFields};

constexpr Field kUncountedTerminatedPodsFields[] = {
    list_of("succeeded", 1, Type::kString).set(),
    list_of("failed", 2, Type::kString).set(),
};
constexpr Message kUncountedTerminatedPods{"io.k8s.api.batch.v1.UncountedTerminatedPods",
                                           kUncountedTerminatedPodsFields};

constexpr Field kJobStatusFields[] = {
    list("conditions", 1, kJobCondition).patch_key("type").about("How the Job stands."),
    time("startTime", 2).about("When the Job began."),
    time("completionTime", 3).about("When the Job succeeded."),
    int32("active", 4).or_zero().about("Pods that are running or wait to."),
    int32("succeeded", 5).or_zero().about("Pods that succeeded."),
    int32("failed", 6).or_zero().about("Pods that failed."),
    text("completedIndexes", 7).about("Indexes that succeeded."),
    object("uncountedTerminatedPods", 8, kUncountedTerminatedPods),
    int32("ready", 9).about("Pods that are ready."),
    text("failedIndexes", 10).about("Indexes that failed."),
    int32("terminating", 11).about("Pods that are being deleted."),
};
constexpr Message kJobStatus{"io.k8s.api.batch.v1.JobStatus", kJobStatusFields};

constexpr Field kJobFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kJobSpec).about("Desired behaviour of the Job."),
    object("status", 3, kJobStatus).about("Current state of the Job."),
};
constexpr Message kJobMessage{"io.k8s.api.batch.v1.Job", kJobFields,
                              "Job runs Pods until enough of them have succeeded."};

bool has_condition(json::Node job, std::string_view type) {
  for (const json::Node condition : job["status"]["conditions"]) {
    if (condition["type"].string() == type) return condition["status"].string() == "True";
  }
  return false;
}

void status_cell(json::Node job, Wall, json::Writer& out) {
  if (has_condition(job, "Complete")) return out.value("Complete");
  if (has_condition(job, "Failed")) return out.value("Failed");
  if (job["metadata"]["deletionTimestamp"]) return out.value("Terminating");
  for (std::string_view type : {"Suspended", "FailureTarget", "SuccessCriteriaMet"}) {
    if (has_condition(job, type)) return out.value(type);
  }
  out.value("Running");
}

void completions_cell(json::Node job, Wall, json::Writer& out) {
  const std::string done = std::to_string(job["status"]["succeeded"].integer());
  const json::Node wanted = job["spec"]["completions"];
  if (wanted) return out.value(join({done, "/", std::to_string(wanted.integer())}));
  const int64_t most = job["spec"]["parallelism"].integer();
  out.value(most > 1 ? join({done, "/1 of ", std::to_string(most)}) : join({done, "/1"}));
}

void duration_cell(json::Node job, Wall now, json::Writer& out) {
  const std::optional<Wall> start = parse_rfc3339(job["status"]["startTime"].string());
  if (!start) return out.value("");
  const std::optional<Wall> end = parse_rfc3339(job["status"]["completionTime"].string());
  out.value(human_duration((end ? *end : now) - *start));
}

constexpr Column kColumns[] = {
    text_column("Status", status_cell),
    text_column("Completions", completions_cell),
    text_column("Duration", duration_cell),
    kAgeColumn,
    kTemplateContainersColumn,
    kTemplateImagesColumn,
    kLabelSelectorColumn,
};

constexpr SelectableField kSelectable[] = {
    {"status.successful",
     [](json::Node job) { return std::to_string(job["status"]["succeeded"].integer()); }},
};

// batch/v1 SetDefaults_Job
void fill_defaults(json::Node job) {
  const json::Node spec = job["spec"];
  if (!spec["completions"] && !spec["parallelism"]) spec.set("completions", 1);
  if (!spec["parallelism"]) spec.set("parallelism", 1);
  if (!spec["backoffLimit"]) {
    constexpr int64_t kUnlimited = INT32_MAX;
    spec.set("backoffLimit", spec["backoffLimitPerIndex"] ? kUnlimited : int64_t{6});
  }
  if (spec["completionMode"].string().empty()) spec.set("completionMode", "NonIndexed");
  if (!spec["suspend"]) spec.set("suspend", false);
  if (!spec["manualSelector"]) spec.set("manualSelector", false);
  if (spec["podReplacementPolicy"].string().empty())
    spec.set("podReplacementPolicy", spec["podFailurePolicy"] ? "Failed" : "TerminatingOrFailed");
  default_job_template(spec);
  const json::Node labels = spec["template"]["metadata"]["labels"];
  const json::Node metadata = job["metadata"];
  if (labels.size() > 0 && metadata["labels"].size() == 0) metadata.set("labels", labels);
}

void label(json::Node labels, std::string_view name, std::string_view value) {
  if (!labels[name]) labels.set(name, value);
}

// registry/batch/job strategy, generateSelector: the Pods are told from others by the Job's uid.
void make_selector(json::Node job) {
  const json::Node spec = job["spec"];
  const std::string uid(job["metadata"]["uid"].string());
  const std::string name(job["metadata"]["name"].string());
  if (spec["manualSelector"].boolean() || uid.empty() || !spec["template"].is_object()) return;
  const json::Node pods = spec["template"].object("metadata").object("labels");
  const json::Node own = job["metadata"]["labels"];
  // A Job without labels of its own shares those of the template, also the ones made here.
  const bool shared = own.size() == 0 || json::equal(own, pods);
  for (const json::Node labels : {pods, shared ? job["metadata"].object("labels") : json::Node()}) {
    if (!labels) continue;
    label(labels, "controller-uid", uid);
    label(labels, "job-name", name);
    label(labels, kUidLabel, uid);
    label(labels, kNameLabel, name);
  }
  if (!spec["selector"]) spec.object("selector").object("matchLabels").set(kUidLabel, uid);
}

void prepare(json::Node job, json::Node old) {
  if (old) return;
  job.remove("status");
  job.object("status");
  make_selector(job);
}

void validate(json::Node job, Errors& errors) {
  const json::Node spec = job["spec"];
  validate_job_spec(spec, "spec", errors);
  if (!spec["selector"]) {
    errors.required("spec.selector");
  } else {
    const size_t before = errors.size();
    check_label_selector(spec["selector"], "spec.selector", errors);
    if (errors.size() == before) check_template_labels(spec, errors);
  }
  if (spec["manualSelector"].boolean()) return;
  const std::string_view uid = job["metadata"]["uid"].string();
  if (!uid.empty() && spec["selector"]["matchLabels"][kUidLabel].string() != uid &&
      spec["selector"]["matchLabels"]["controller-uid"].string() != uid)
    errors.invalid("spec.selector", spec["selector"], "`selector` not auto-generated");
}

// A suspended Job that has not started may change where its Pods run and what they ask for.
bool may_change_template(json::Node job, json::Node old) {
  return old["spec"]["suspend"].boolean() && !old["status"]["startTime"] && job;
}

void check_template(json::Node job, json::Node old, Errors& errors) {
  const json::Node now = job["spec"]["template"];
  const json::Node then = old["spec"]["template"];
  if (json::equal(now, then)) return;
  constexpr std::string_view kPlacement = "affinity|nodeSelector|tolerations|schedulingGates";
  const bool placed = may_change_template(job, old) &&
                      same_but(now["spec"], then["spec"], kPlacement) &&
                      same_but(now["metadata"], then["metadata"], "labels|annotations");
  if (!placed) errors.invalid("spec.template", now, "field is immutable");
}

void validate_update(json::Node job, json::Node old, Errors& errors) {
  const json::Node spec = job["spec"];
  const json::Node before = old["spec"];
  const bool elastic = spec["completionMode"].string() == "Indexed" &&
                       json::equal(spec["completions"], spec["parallelism"]);
  if (!elastic)
    check_immutable(spec["completions"], before["completions"], "spec.completions", errors);
  for (std::string_view name : {"selector", "completionMode", "podFailurePolicy",
                                "backoffLimitPerIndex", "managedBy", "successPolicy"}) {
    check_immutable(spec[name], before[name], field("spec", name), errors);
  }
  check_template(job, old, errors);
}

void validate_status(json::Node job, json::Node, Errors& errors) {
  check_counts(job["status"], "active|succeeded|failed|ready|terminating", errors);
  if (has_condition(job, "Complete") && has_condition(job, "Failed"))
    errors.invalid("status.conditions", job["status"]["conditions"],
                   "Complete=True and Failed=true conditions cannot be both set");
}

}  // namespace

constinit const Kind kJob{.group = "batch",
                          .version = "v1",
                          .name = "Job",
                          .plural = "jobs",
                          .singular = "job",
                          .categories = "all",
                          .message = &kJobMessage,
                          .columns = kColumns,
                          .selectable = kSelectable,
                          .subresources = bit(Subresource::kStatus),
                          .has_status = true,
                          .bumps_generation = true,
                          .fill_defaults = fill_defaults,
                          .prepare = prepare,
                          .validate = validate,
                          .validate_update = validate_update,
                          .validate_status = validate_status,
                          .warn = warn_of_template};

}  // namespace coracle::api
