// SPDX-License-Identifier: GPL-2.0-or-later
// Job: runs pods until enough of them have succeeded (upstream
// pkg/controller/job/job_controller.go, syncJob).
#include <algorithm>

#include "base/bytes.h"
#include "controllers/job_run.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr std::string_view kOwnName = "kubernetes.io/job-controller";

bool is_true(json::Node job, std::string_view condition) {
  return find_condition(job["status"], condition)["status"].string() == "True";
}

void sooner(api::Plan& plan, Duration wait) {
  plan.again_after = std::min(plan.again_after.value_or(wait), wait);
}

}  // namespace

bool is_finished_job(json::Node job) {
  return is_true(job, "Complete") || is_true(job, "Failed");
}

bool has_job_finalizer(json::Node pod) {
  for (const json::Node finalizer : pod["metadata"]["finalizers"]) {
    if (finalizer.string() == kJobFinalizer) return true;
  }
  return false;
}

api::Call release_job_pod(const Parsed& pod) {
  json::Tree tree;
  const json::Node finalizers = tree.make_object().object("metadata").array("finalizers");
  for (const json::Node finalizer : pod.node["metadata"]["finalizers"]) {
    if (finalizer.string() != kJobFinalizer) finalizers.append(finalizer.string());
  }
  return merge_patch_call(pod, json::write(tree.root()));
}

JobRun::JobRun(const Now& now, Parsed job)
    : now_(now),
      job_(std::move(job)),
      next_(parse(job_.ref)),
      status_(next_.node.object("status")),
      completed_(job_.node["status"]["completedIndexes"].string(), completions()),
      failed_indexes_(job_.node["status"]["failedIndexes"].string(), completions()) {}

api::Plan JobRun::plan() {
  const std::string_view manager = spec()["managedBy"].string();
  if (!manager.empty() && manager != kOwnName) return {};
  const auto selector = api::LabelSelector::from_object(spec()["selector"]);
  pods_ = claim(now_.state, api::kPod, job_, selector, plan_);
  if (!plan_.calls.empty()) return std::move(plan_);
  if (is_finished_job(job_.node)) {
    for (const Parsed& pod : pods_) {
      if (has_job_finalizer(pod.node)) plan_.calls.push_back(release_job_pod(pod));
    }
    return std::move(plan_);
  }
  plan_.slow_start = true;
  count();
  begin();
  judge();
  for (const Parsed* pod : to_release_)
    plan_.calls.push_back(release_job_pod(*pod));
  if (!job_.ref->deleting()) act();
  finish();
  write_status();
  return std::move(plan_);
}

void JobRun::begin() {
  if (spec()["suspend"].boolean() || job_.ref->deleting() || status_["startTime"]) return;
  status_.set("startTime", rfc3339(now_.wall));
}

int64_t JobRun::succeeded() const {
  if (is_indexed()) return completed_.size();
  return status_["succeeded"].integer() + static_cast<int64_t>(uncounted_succeeded_.size());
}

int64_t JobRun::failed() const {
  return status_["failed"].integer() + static_cast<int64_t>(uncounted_failed_.size());
}

// What was decided before holds.
std::optional<JobRun::Verdict> JobRun::standing_verdict() const {
  for (const std::string_view type : {"FailureTarget", "SuccessCriteriaMet"}) {
    const json::Node condition = find_condition(status_, type);
    if (condition["status"].string() != "True") continue;
    return Verdict{type == "SuccessCriteriaMet", std::string(condition["reason"].string()),
                   std::string(condition["message"].string())};
  }
  return std::nullopt;
}

// Restarts in place count too where containers are restarted on failure.
int64_t JobRun::restarts() const {
  if (spec()["template"]["spec"]["restartPolicy"].string() != "OnFailure") return 0;
  int64_t total = 0;
  for (const Parsed* pod : active_) {
    for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
      for (const json::Node container : pod->node["status"][list])
        total += container["restartCount"].integer();
    }
  }
  return total;
}

std::optional<JobRun::Verdict> JobRun::failure() const {
  const int64_t limit = spec()["backoffLimit"].integer(6);
  const int64_t again = restarts();
  if (failed() > limit || (again > 0 && again >= limit))
    return Verdict{false, "BackoffLimitExceeded", "Job has reached the specified backoff limit"};
  const json::Node deadline = spec()["activeDeadlineSeconds"];
  const auto started = parse_rfc3339(status_["startTime"].string());
  if (deadline && started && !spec()["suspend"].boolean() &&
      now_.wall - *started >= seconds(deadline.integer()))
    return Verdict{false, "DeadlineExceeded", "Job was active longer than specified deadline"};
  return index_failure();
}

std::optional<JobRun::Verdict> JobRun::index_failure() const {
  if (!spec()["backoffLimitPerIndex"]) return std::nullopt;
  const json::Node most = spec()["maxFailedIndexes"];
  if (most && failed_indexes_.size() > most.integer())
    return Verdict{false, "MaxFailedIndexesExceeded",
                   "Job has exceeded the specified maximal number of failed indexes"};
  if (failed_indexes_.size() > 0 && failed_indexes_.size() + completed_.size() >= completions())
    return Verdict{false, "FailedIndexes", "Job has failed indexes"};
  return std::nullopt;
}

std::optional<JobRun::Verdict> JobRun::policy_success() const {
  int64_t number = -1;
  for (const json::Node rule : spec()["successPolicy"]["rules"]) {
    ++number;
    const json::Node listed = rule["succeededIndexes"];
    const IndexSet wanted(listed.string(), completions());
    int64_t have = completed_.size();
    if (listed) {
      have = 0;
      for (int64_t i = 0; i < completions(); ++i)
        have += wanted.contains(i) && completed_.contains(i) ? 1 : 0;
    }
    const int64_t needed = rule["succeededCount"].integer(wanted.size());
    if (have >= needed)
      return Verdict{true, "SuccessPolicy",
                     join({"Matched rules at index ", std::to_string(number)})};
  }
  return std::nullopt;
}

bool JobRun::has_reached_goal() const {
  if (spec()["completions"]) return succeeded() >= completions();
  return succeeded() > 0 && active_.empty();
}

void JobRun::judge() {
  if (job_.ref->deleting()) return;
  if (const auto standing = standing_verdict())
    verdict_ = standing;
  else if (!verdict_)  // else: a rule of podFailurePolicy said so
    verdict_ = failure();
  if (!verdict_) verdict_ = policy_success();
  if (!verdict_ && has_reached_goal())
    verdict_ = Verdict{true, "CompletionsReached", "Reached expected number of succeeded pods"};
  const auto started = parse_rfc3339(status_["startTime"].string());
  if (const json::Node deadline = spec()["activeDeadlineSeconds"];
      deadline && started && !verdict_ && !spec()["suspend"].boolean())
    sooner(plan_, *started + seconds(deadline.integer()) - now_.wall);
}

void JobRun::act() {
  if (verdict_) {
    set_condition(verdict_->success ? "SuccessCriteriaMet" : "FailureTarget", *verdict_);
    return remove_active(active_.size(), true);
  }
  if (spec()["suspend"].boolean()) return suspend();
  if (find_condition(status_, "Suspended")["status"].string() == "True") {
    controllers::set_condition(status_, {"Suspended", "False", "JobResumed", "Job resumed"},
                               now_.wall);
    status_.set("startTime", rfc3339(now_.wall));
    plan_.notes.push_back({job_.ref, false, "Resumed", "Job resumed", {}});
  }
  balance();
}

void JobRun::suspend() {
  remove_active(active_.size(), false);
  if (find_condition(status_, "Suspended")["status"].string() == "True") return;
  controllers::set_condition(status_, {"Suspended", "True", "JobSuspended", "Job suspended"},
                             now_.wall);
  status_.remove("startTime");
  plan_.notes.push_back({job_.ref, false, "Suspended", "Job suspended", {}});
}

void JobRun::set_condition(std::string_view type, const Verdict& verdict) {
  if (find_condition(status_, type)["status"].string() == "True") return;
  controllers::set_condition(status_, {type, "True", verdict.reason, verdict.message}, now_.wall);
  find_condition(status_, type).set("lastProbeTime", rfc3339(now_.wall));
}

// The last word, once no pod runs and every pod is counted.
void JobRun::finish() {
  if (!verdict_ || !active_.empty() || terminating_ > 0 || !uncounted_succeeded_.empty() ||
      !uncounted_failed_.empty() || !to_release_.empty())
    return;
  set_condition(verdict_->success ? "Complete" : "Failed", *verdict_);
  if (verdict_->success) {
    status_.set("completionTime", rfc3339(now_.wall));
    plan_.notes.push_back({job_.ref, false, "Completed", "Job completed", {}});
  } else {
    plan_.notes.push_back({job_.ref, true, verdict_->reason, verdict_->message, {}});
  }
  plan_.again_after.reset();
}

void JobRun::write_status() {
  const auto ready = std::count_if(active_.begin(), active_.end(),
                                   [](const Parsed* pod) { return is_ready(pod->node); });
  set_or_drop(status_, "active", static_cast<int64_t>(active_.size()));
  status_.set("ready", int64_t{ready});
  status_.set("terminating", terminating_);
  if (is_indexed()) {
    set_or_drop(status_, "succeeded", completed_.size());
    status_.set("completedIndexes", completed_.text());
    if (completed_.size() == 0) status_.remove("completedIndexes");
  }
  if (spec()["backoffLimitPerIndex"]) status_.set("failedIndexes", failed_indexes_.text());
  const json::Node uncounted = status_.object("uncountedTerminatedPods");
  uncounted.clear();
  for (const std::string& uid : uncounted_succeeded_)
    uncounted.array("succeeded").append(uid);
  for (const std::string& uid : uncounted_failed_)
    uncounted.array("failed").append(uid);
  if (json::equal(status_, job_.node["status"])) return;
  plan_.calls.insert(plan_.calls.begin(), update_call(next_, api::Subresource::kStatus));
  for (api::Note& note : plan_.notes)
    if (note.call) ++*note.call;
}

namespace {

// A pod whose Job is gone, or that it no longer belongs to, must not be held back.
void plan_orphan(const Now& now, const api::Key& key, api::Plan& plan) {
  const api::ObjectRef object = now.state.get(api::kPod, key.ns, key.name);
  if (!object) return;
  const Parsed pod = parse(object);
  if (!has_job_finalizer(pod.node)) return;
  const json::Node owner = controller_of(pod.node);
  const api::ObjectRef job = now.state.get(api::kJob, key.ns, owner["name"].string());
  if (job && owner["kind"].string() == "Job" && job->uid() == owner["uid"].string()) return;
  plan.calls.push_back(release_job_pod(pod));
}

Result<api::Plan> plan_job(const Now& now, const api::Key& key) {
  api::Plan plan;
  if (key.kind == &api::kPod) {
    plan_orphan(now, key, plan);
    return plan;
  }
  const api::ObjectRef object = now.state.get(api::kJob, key.ns, key.name);
  if (!object) return plan;
  return JobRun(now, parse(object)).plan();
}

bool may_be_held(const api::Object& pod) {
  return pod.text().find(kJobFinalizer) != std::string_view::npos;
}

void wake_orphan(const api::Change& change, const api::State& state, Keys& keys) {
  const api::Object& object = *change.after;
  if (change.type == api::ChangeType::kDeleted || !may_be_held(object)) return;
  json::Tree tree;
  const json::Node owner = controller_of(object.parse(tree));
  const api::ObjectRef job = state.get(api::kJob, object.ns(), owner["name"].string());
  if (!job || owner["kind"].string() != "Job" || job->uid() != owner["uid"].string())
    wake_itself(change, state, keys);
}

void wake_pods_of_gone_job(const api::Change& change, const api::State& state, Keys& keys) {
  if (change.type != api::ChangeType::kDeleted) return wake_itself(change, state, keys);
  api::for_each(state, api::kPod, change.after->ns(), [&](const api::ObjectRef& pod) {
    if (may_be_held(*pod) && pod->text().find(change.after->uid()) != std::string_view::npos)
      keys.insert({&api::kPod, std::string(pod->ns()), std::string(pod->name())});
  });
}

constexpr Watch kWatches[] = {
    {&api::kJob, wake_pods_of_gone_job},
    {&api::kPod, wake_controller<api::kJob>},
    {&api::kPod, wake_adopters<api::kJob>},
    {&api::kPod, wake_orphan},
};

}  // namespace

const Controller kJobController{"job-controller", kWatches, plan_job, nullptr};

}  // namespace coracle::controllers
