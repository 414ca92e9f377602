// SPDX-License-Identifier: GPL-2.0-or-later
// CronJob: makes Jobs by the clock (upstream pkg/controller/cronjob/cronjob_controllerv2.go).
//
// A Job that is made is seen in the next plan and only then listed as active. The wall clock is
// looked at again every minute, so that a clock that is set does not make a schedule sleep on; what
// was scheduled in a future that turned out to be wrong is forgotten.
#include <algorithm>

#include "api/cron.h"
#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/job_run.h"
#include "controllers/owners.h"
#include "controllers/pods.h"
#include "controllers/rows.h"
#include "controllers/time_zone.h"

namespace coracle::controllers {

namespace {

constexpr Duration kLookAgain = seconds(60);
constexpr int64_t kTooMany = 100;  // missed times that a person should hear of
constexpr std::string_view kScheduledAt = "batch.kubernetes.io/cronjob-scheduled-timestamp";

class Cron {
 public:
  Cron(const Now& now, Parsed cron)
      : now_(now),
        cron_(std::move(cron)),
        next_(parse(cron_.ref)),
        status_(next_.node.object("status")) {}

  api::Plan plan() {
    find_jobs();
    clean_up();
    if (!cron_.ref->deleting() && !spec()["suspend"].boolean()) keep_schedule();
    if (!json::equal(status_, cron_.node["status"]))
      plan_.calls.push_back(update_call(next_, api::Subresource::kStatus));
    return std::move(plan_);
  }

 private:
  json::Node spec() const { return cron_.node["spec"]; }
  void tell(bool warning, std::string_view reason, std::string message) {
    plan_.notes.push_back({cron_.ref, warning, std::string(reason), std::move(message), {}});
  }

  void find_jobs();
  void note_active(const Parsed& job);
  void clean_up();
  void drop_oldest(std::vector<const Parsed*> jobs, int64_t limit);
  const TimeZone* zone();
  void mend_clock(const api::CronSchedule& schedule);
  Wall earliest() const;
  void keep_schedule();
  void start(Wall at);
  void create(Wall at);
  void replace_active();

  const Now& now_;
  Parsed cron_;
  Parsed next_;
  json::Node status_;
  api::Plan plan_;
  std::vector<Parsed> jobs_;
};

json::Node find_active(json::Node status, std::string_view uid) {
  for (const json::Node reference : status["active"]) {
    if (reference["uid"].string() == uid) return reference;
  }
  return {};
}

std::string_view end_of(json::Node job) {
  return find_condition(job["status"], "Complete")["status"].string() == "True" ? "Complete"
                                                                                : "Failed";
}

void Cron::find_jobs() {
  struct Collect final : api::Visitor {
    explicit Collect(std::vector<Parsed>& into) : out(into) {}
    bool visit(const api::ObjectRef& object) override {
      if (&object->kind() == &api::kJob) out.push_back(parse(object));
      return true;
    }
    std::vector<Parsed>& out;
  } collect(jobs_);
  now_.state.list_owned_by(cron_.ref->uid(), collect);
  std::erase_if(
      jobs_, [this](const Parsed& job) { return !is_controlled_by(job.node, cron_.ref->uid()); });
  std::sort(jobs_.begin(), jobs_.end(),
            [](const Parsed& a, const Parsed& b) { return a.ref->name() < b.ref->name(); });
  for (const json::Node reference : status_["active"]) {
    const bool there = std::any_of(jobs_.begin(), jobs_.end(), [&](const Parsed& job) {
      return job.ref->uid() == reference["uid"].string();
    });
    if (there) continue;
    tell(false, "MissingJob", join({"Active job went missing: ", reference["name"].string()}));
    status_["active"].remove_child(reference);
  }
  for (const Parsed& job : jobs_)
    note_active(job);
  if (status_["active"] && status_["active"].size() == 0) status_.remove("active");
}

void Cron::note_active(const Parsed& job) {
  const json::Node listed = find_active(status_, job.ref->uid());
  if (is_finished_job(job.node)) {
    if (!listed) return;
    status_["active"].remove_child(listed);
    tell(false, "SawCompletedJob",
         join({"Saw completed job: ", job.ref->name(), ", condition: ", end_of(job.node)}));
    const std::string_view done = job.node["status"]["completionTime"].string();
    if (end_of(job.node) == "Complete" && status_["lastSuccessfulTime"].string() < done)
      status_.set("lastSuccessfulTime", done);
    return;
  }
  const auto at = parse_rfc3339(job.node["metadata"]["annotations"][kScheduledAt].string());
  if (listed || !at) return;  // one that a person made is none of the schedule's
  const json::Node reference = status_.array("active").append_object();
  reference.set("kind", "Job");
  reference.set("namespace", job.ref->ns());
  reference.set("name", job.ref->name());
  reference.set("uid", job.ref->uid());
  reference.set("apiVersion", "batch/v1");
  reference.set("resourceVersion", std::string_view(std::to_string(job.ref->version())));
}

void Cron::clean_up() {
  std::vector<const Parsed*> good;
  std::vector<const Parsed*> bad;
  for (const Parsed& job : jobs_) {
    if (is_finished_job(job.node) && !job.ref->deleting())
      (end_of(job.node) == "Complete" ? good : bad).push_back(&job);
  }
  drop_oldest(std::move(good), spec()["successfulJobsHistoryLimit"].integer(3));
  drop_oldest(std::move(bad), spec()["failedJobsHistoryLimit"].integer(1));
}

void Cron::drop_oldest(std::vector<const Parsed*> jobs, int64_t limit) {
  std::stable_sort(jobs.begin(), jobs.end(), [](const Parsed* a, const Parsed* b) {
    return a->node["status"]["startTime"].string() < b->node["status"]["startTime"].string();
  });
  const int64_t surplus = static_cast<int64_t>(jobs.size()) - limit;
  for (int64_t i = 0; i < surplus; ++i) {
    const Parsed& job = *jobs[static_cast<size_t>(i)];
    plan_.add(delete_call(*job.ref),
              {cron_.ref, false, "SuccessfulDelete", join({"Deleted job ", job.ref->name()}), {}});
  }
}

// Null: unknown here, which is told.
const TimeZone* Cron::zone() {
  static constexpr std::string_view kUtc = "Etc/UTC";
  const std::string_view name = spec()["timeZone"].string(kUtc);
  if (name != kUtc && now_.zones == nullptr) return nullptr;
  return now_.zones == nullptr ? nullptr : now_.zones->find(name);
}

// A last time beyond the next one means that the clock was wrong then: the schedule begins anew.
void Cron::mend_clock(const api::CronSchedule& schedule) {
  const auto last = parse_rfc3339(status_["lastScheduleTime"].string());
  const Wall next = schedule.next(now_.wall).value_or(now_.wall);
  if (last && *last > next + minutes(10)) status_.set("lastScheduleTime", rfc3339(now_.wall));
}

// Times from here on are still owed.
Wall Cron::earliest() const {
  const json::Node created = cron_.node["metadata"]["creationTimestamp"];
  Wall from = parse_rfc3339(created.string()).value_or(now_.wall);
  if (const auto last = parse_rfc3339(status_["lastScheduleTime"].string())) from = *last;
  if (const json::Node deadline = spec()["startingDeadlineSeconds"])
    from = std::max(from, now_.wall + seconds(-deadline.integer()));
  return from;
}

struct Due {
  std::optional<Wall> last;  // the latest time that is due; unset: none
  bool many = false;         // more than anybody should have missed
};

// By halves: how long nobody looked costs nothing.
Due find_due(const api::CronSchedule& schedule, Wall from, Wall now) {
  Due due;
  const auto is_due = [&](Wall at) {
    const auto next = schedule.next(at);
    return next && *next <= now;
  };
  if (from >= now || !is_due(from)) return due;
  if (schedule.every_seconds > 0) {
    const int64_t times = (now - from).seconds() / schedule.every_seconds;
    due.last = from + seconds(times * schedule.every_seconds);
    due.many = times > kTooMany;
    return due;
  }
  Wall low = from;  // something is due after it
  Wall high = now;
  while ((high - low).seconds() > 1) {
    const Wall middle = low + seconds((high - low).seconds() / 2);
    (is_due(middle) ? low : high) = middle;
  }
  due.last = schedule.next(low);
  Wall at = from;
  for (int64_t i = 0; i <= kTooMany; ++i) {
    const auto next = schedule.next(at);
    if (!next || *next > now) return due;
    at = *next;
  }
  due.many = true;
  return due;
}

void Cron::keep_schedule() {
  const std::string_view text = spec()["schedule"].string();
  const auto schedule = api::CronSchedule::parse(text);
  if (!schedule)
    return tell(true, "UnparseableSchedule", join({"unparseable schedule: \"", text, "\""}));
  const TimeZone* zone = this->zone();
  const TimeZone utc;
  if (zone == nullptr && spec()["timeZone"]) {
    const std::string_view name = spec()["timeZone"].string();
    return tell(true, "UnknownTimeZone",
                join({"invalid timeZone: \"", name, "\": unknown time zone ", name}));
  }
  if (zone == nullptr) zone = &utc;
  mend_clock(*schedule);
  const Wall local = zone->to_local(now_.wall);
  const Due due = find_due(*schedule, zone->to_local(earliest()), local);
  if (due.many)
    tell(true, "TooManyMissedTimes",
         "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check "
         "clock skew");
  if (due.last) start(zone->to_utc(*due.last));
  if (const auto next = schedule->next(local)) {
    const Duration wait = zone->to_utc(*next) - now_.wall + milliseconds(100);
    plan_.again_after = std::clamp(wait, milliseconds(100), kLookAgain);
  }
}

void Cron::start(Wall at) {
  const json::Node deadline = spec()["startingDeadlineSeconds"];
  if (deadline && at + seconds(deadline.integer()) < now_.wall)
    return tell(true, "MissSchedule",
                join({"Missed scheduled time to start a job: ", rfc3339(at)}));
  const std::string_view policy = spec()["concurrencyPolicy"].string();
  if (policy == "Forbid" && status_["active"].size() > 0)
    return tell(false, "JobAlreadyActive",
                "Not starting job because prior execution is running and concurrency policy is "
                "Forbid");
  if (policy == "Replace") replace_active();
  create(at);
  status_.set("lastScheduleTime", rfc3339(at));
}

void Cron::replace_active() {
  for (const Parsed& job : jobs_) {
    if (!find_active(status_, job.ref->uid()) || job.ref->deleting()) continue;
    plan_.add(delete_call(*job.ref),
              {cron_.ref, false, "SuccessfulDelete", join({"Deleted job ", job.ref->name()}), {}});
  }
}

// Named after the minute that it is for: made once, whoever tries again.
void Cron::create(Wall at) {
  const std::string name = join({cron_.ref->name(), "-", std::to_string(at.seconds() / 60)});
  if (now_.state.get(api::kJob, cron_.ref->ns(), name)) return;
  json::Tree tree;
  const json::Node job = tree.make_object();
  job.set("kind", "Job");
  job.set("apiVersion", "batch/v1");
  const json::Node metadata = job.object("metadata");
  const json::Node model = spec()["jobTemplate"];
  for (const char* copied : {"labels", "annotations"}) {
    if (const json::Node value = model["metadata"][copied]) metadata.set(copied, value);
  }
  metadata.set("name", name);
  metadata.set("namespace", cron_.ref->ns());
  metadata.object("annotations").set(kScheduledAt, rfc3339(at));
  append_controller_reference(metadata.array("ownerReferences"), *cron_.ref);
  job.set("spec", model["spec"]);
  plan_.slow_start = true;  // the status tells of the Job only once it is made
  plan_.refused = api::Note{cron_.ref, true, "FailedCreate", "Error creating job: ", {}};
  plan_.add(create_call(api::kJob, job),
            {cron_.ref, false, "SuccessfulCreate", join({"Created job ", name}), {}});
}

Result<api::Plan> plan_cronjob(const Now& now, const api::Key& key) {
  const api::ObjectRef object = now.state.get(api::kCronJob, key.ns, key.name);
  if (!object) return api::Plan{};
  return Cron(now, parse(object)).plan();
}

constexpr Watch kWatches[] = {
    {&api::kCronJob, wake_itself},
    {&api::kJob, wake_controller<api::kCronJob>},
};

}  // namespace

const Controller kCronJobController{"cronjob-controller", kWatches, plan_cronjob, nullptr};

}  // namespace coracle::controllers
