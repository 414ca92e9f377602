// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/cron.h"
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/kinds/job_spec.h"
#include "api/kinds/pod_template.h"
#include "api/meta.h"
#include "api/selector.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr size_t kNameMax = 52;  // leaves room for the suffix of the Jobs

constexpr Field kJobTemplateSpecFields[] = {
    object("metadata", 1, kObjectMeta).about("Labels and annotations of the Jobs."),
    object("spec", 2, kJobSpec).about("Desired behaviour of the Jobs."),
};
constexpr Message kJobTemplateSpec{"io.k8s.api.batch.v1.JobTemplateSpec", kJobTemplateSpecFields};

constexpr Field kCronJobSpecFields[] = {
    text("schedule", 1).required().about("When a Job is made: minute hour day month weekday."),
    int64("startingDeadlineSeconds", 2)
        .must(not_negative)
        .about("Seconds a start may be late before it is left out."),
    text("concurrencyPolicy", 3)
        .otherwise("\"Allow\"")
        .one_of("Allow|Forbid|Replace")
        .about("What happens if the last Job still runs."),
    boolean("suspend", 4).otherwise("false").about("If true, no Jobs are made."),
    object("jobTemplate", 5, kJobTemplateSpec).listed().about("Jobs are made from this template."),
    int32("successfulJobsHistoryLimit", 6)
        .otherwise("3")
        .must(not_negative)
        .about("How many Jobs that succeeded are kept."),
    int32("failedJobsHistoryLimit", 7)
        .otherwise("1")
        .must(not_negative)
        .about("How many Jobs that failed are kept."),
    text("timeZone", 8).about("Time zone of the schedule, such as Europe/Berlin."),
};
constexpr Message kCronJobSpec{"io.k8s.api.batch.v1.CronJobSpec", kCronJobSpecFields,
                               "CronJobSpec is the desired behaviour of a CronJob."};

constexpr Field kCronJobStatusFields[] = {
    list("active", 1, kObjectReference).about("Jobs that run now."),
    time("lastScheduleTime", 4).about("When a Job was last made."),
    time("lastSuccessfulTime", 5).about("When a Job last succeeded."),
};
constexpr Message kCronJobStatus{"io.k8s.api.batch.v1.CronJobStatus", kCronJobStatusFields};

constexpr Field kCronJobFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kCronJobSpec).listed().about("Desired behaviour of the CronJob."),
    object("status", 3, kCronJobStatus).about("Current state of the CronJob."),
};
constexpr Message kCronJobMessage{"io.k8s.api.batch.v1.CronJob", kCronJobFields,
                                  "CronJob makes Jobs by the clock."};

void zone_cell(json::Node object, Wall, json::Writer& out) {
  out.value(object["spec"]["timeZone"].string("<none>"));
}

void suspend_cell(json::Node object, Wall, json::Writer& out) {
  const json::Node suspend = object["spec"]["suspend"];
  out.value(!suspend ? "<unset>" : suspend.boolean() ? "True" : "False");
}

void active_cell(json::Node object, Wall, json::Writer& out) {
  out.value(static_cast<int64_t>(object["status"]["active"].size()));
}

void last_cell(json::Node object, Wall now, json::Writer& out) {
  const json::Node last = object["status"]["lastScheduleTime"];
  out.value(last ? time_since(last, now) : std::string("<none>"));
}

std::string joined_containers(json::Node object, std::string_view member) {
  std::string text;
  for (const json::Node container :
       object["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"])
    add_listed(text, container[member].string());
  return text;
}

void selector_cell(json::Node object, Wall, json::Writer& out) {
  const json::Node selector = object["spec"]["jobTemplate"]["spec"]["selector"];
  out.value(selector ? LabelSelector::from_object(selector).text() : std::string("<none>"));
}

constexpr Column kColumns[] = {
    text_column("Schedule", text_at<"spec.schedule">),
    text_column("Timezone", zone_cell),
    {.name = "Suspend", .cell = suspend_cell, .type = "boolean"},
    number_column("Active", active_cell),
    text_column("Last Schedule", last_cell),
    kAgeColumn,
    text_column(
        "Containers",
        [](json::Node o, Wall, json::Writer& out) { out.value(joined_containers(o, "name")); },
        true),
    text_column(
        "Images",
        [](json::Node o, Wall, json::Writer& out) { out.value(joined_containers(o, "image")); },
        true),
    text_column("Selector", selector_cell, true),
};

void fill_defaults(json::Node object) {
  default_job_template(object["spec"]["jobTemplate"]["spec"]);
}

void prepare(json::Node object, json::Node old) {
  if (old) return;
  object.remove("status");
  object.object("status");
}

// Names of the IANA database; whether the machine has the zone is seen when the Job is due.
bool is_zone_name(std::string_view zone) {
  for (const char c : zone) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool other = (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '-' || c == '+';
    if (!letter && !other) return false;
  }
  return !zone.empty() && zone.front() != '/' && zone.size() <= 64;
}

void check_zone(json::Node zone, Errors& errors) {
  if (!zone) return;
  const std::string_view name = zone.string();
  if (name.empty())
    return errors.invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string");
  if (name == "Local" || name == "local")
    return errors.invalid("spec.timeZone", zone,
                          "timeZone must be an explicit time zone as defined "
                          "in https://www.iana.org/time-zones");
  if (!is_zone_name(name))
    errors.invalid("spec.timeZone", zone, join({"unknown time zone ", name}));
}

void validate(json::Node object, Errors& errors) {
  const json::Node spec = object["spec"];
  const std::string_view name = object["metadata"]["name"].string();
  if (name.size() > kNameMax)
    errors.invalid("metadata.name", name, "must be no more than 52 characters");
  const json::Node schedule = spec["schedule"];
  if (!schedule.string().empty()) {
    const std::string problem = cron_problem(schedule.string());
    if (!problem.empty()) errors.invalid("spec.schedule", schedule, problem);
  }
  check_zone(spec["timeZone"], errors);
  const json::Node job = spec["jobTemplate"]["spec"];
  if (!job) return errors.required("spec.jobTemplate.spec.template");
  validate_job_spec(job, "spec.jobTemplate.spec", errors);
  if (job["selector"])
    errors.invalid("spec.jobTemplate.spec.selector", job["selector"],
                   "`selector` will be auto-generated");
  if (job["manualSelector"].boolean())
    errors.not_supported("spec.jobTemplate.spec.manualSelector", job["manualSelector"],
                         "nil|false");
}

void warn(json::Node object, std::string& out) {
  warn_of_pod_spec(object["spec"]["jobTemplate"]["spec"]["template"]["spec"],
                   "spec.jobTemplate.spec.template.spec", out);
}

}  // namespace

constinit const Kind kCronJob{.group = "batch",
                              .version = "v1",
                              .name = "CronJob",
                              .plural = "cronjobs",
                              .singular = "cronjob",
                              .short_names = "cj",
                              .categories = "all",
                              .message = &kCronJobMessage,
                              .columns = kColumns,
                              .subresources = bit(Subresource::kStatus),
                              .has_status = true,
                              .bumps_generation = true,
                              .fill_defaults = fill_defaults,
                              .prepare = prepare,
                              .validate = validate,
                              .warn = warn};

}  // namespace coracle::api
