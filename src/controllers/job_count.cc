// SPDX-License-Identifier: GPL-2.0-or-later
// Pods of a Job that have ended: each counted once (upstream trackJobStatusAndRemoveFinalizers),
// judged by podFailurePolicy (pod_failure_policy.go), and how long to rest after failures
// (backoff_utils.go).
#include <algorithm>

#include "base/bytes.h"
#include "controllers/job_run.h"

namespace coracle::controllers {

namespace {

constexpr size_t kUncountedMax = 500;  // upstream MaxUncountedPods
constexpr Duration kFirstRest = seconds(10);
constexpr Duration kLastRest = seconds(600);

std::optional<Wall> end_of(json::Node pod) {
  std::optional<Wall> last;
  for (const json::Node container : pod["status"]["containerStatuses"]) {
    const auto at = parse_rfc3339(container["state"]["terminated"]["finishedAt"].string());
    if (at && (!last || *last < *at)) last = at;
  }
  if (last) return last;
  if (const auto at = parse_rfc3339(pod["metadata"]["deletionTimestamp"].string())) return at;
  if (const auto at =
          parse_rfc3339(find_condition(pod["status"], "Ready")["lastTransitionTime"].string()))
    return at;
  return parse_rfc3339(pod["metadata"]["creationTimestamp"].string());
}

bool is_listed(json::Node values, int64_t value) {
  for (const json::Node each : values) {
    if (each.integer() == value) return true;
  }
  return false;
}

}  // namespace

int64_t JobRun::index_of(const Parsed& pod) const {
  const auto index = parse_unsigned(pod.node["metadata"]["annotations"][kJobIndex].string());
  if (!index || static_cast<int64_t>(*index) >= completions() || *index > INT32_MAX) return -1;
  return static_cast<int64_t>(*index);
}

// A pod that is being deleted counts as failed at once, unless it is to be replaced only when it
// has ended.
bool JobRun::has_failed(const Parsed& pod) const {
  const std::string_view phase = pod.node["status"]["phase"].string();
  if (phase == "Failed") return true;
  return pod.ref->deleting() && phase != "Succeeded" && !replaces_only_failed();
}

void JobRun::count() {
  settle_uncounted();
  for (const Parsed& pod : pods_) {
    if (is_active(pod.node)) active_.push_back(&pod);
    if (pod.ref->deleting() && !has_ended(pod.node)) ++terminating_;
    if (has_job_finalizer(pod.node)) count_pod(pod);
  }
}

// Those whose finalizer is gone become part of the counters.
void JobRun::settle_uncounted() {
  Uids held;
  for (const Parsed& pod : pods_) {
    if (has_job_finalizer(pod.node)) held.emplace(pod.ref->uid());
  }
  const auto settle = [&](std::string_view list, std::string_view counter, Uids& left) {
    int64_t settled = 0;
    for (const json::Node uid : status_["uncountedTerminatedPods"][list]) {
      if (held.contains(uid.string()))
        left.emplace(uid.string());
      else
        ++settled;
    }
    set_or_drop(status_, counter, status_[counter].integer() + settled);
  };
  settle("succeeded", "succeeded", uncounted_succeeded_);
  settle("failed", "failed", uncounted_failed_);
}

void JobRun::count_pod(const Parsed& pod) {
  const bool known =
      uncounted_succeeded_.contains(pod.ref->uid()) || uncounted_failed_.contains(pod.ref->uid());
  if (to_release_.size() >= kUncountedMax) return;
  if (known) {
    to_release_.push_back(&pod);
  } else if (pod.node["status"]["phase"].string() == "Succeeded") {
    count_success(pod);
    to_release_.push_back(&pod);
  } else if (has_failed(pod)) {
    count_failure(pod);
    to_release_.push_back(&pod);
  }
}

void JobRun::count_success(const Parsed& pod) {
  if (!is_indexed())
    uncounted_succeeded_.emplace(pod.ref->uid());
  else if (const int64_t index = index_of(pod); index >= 0)
    completed_.add(index);
}

void JobRun::count_failure(const Parsed& pod) {
  const int64_t index = is_indexed() ? index_of(pod) : -1;
  if (is_indexed() && index < 0) return;
  const std::string action = policy_action(pod);
  if (action == "Ignore") return;
  uncounted_failed_.emplace(pod.ref->uid());
  const json::Node limit = spec()["backoffLimitPerIndex"];
  if (!limit || completed_.contains(index)) return;
  const auto before =
      parse_unsigned(pod.node["metadata"]["annotations"][kJobIndexFailures].string());
  if (action == "FailIndex" || static_cast<int64_t>(before.value_or(0)) >= limit.integer())
    failed_indexes_.add(index);
}

// The action of the first rule that matches; empty: none, the failure counts.
std::string JobRun::policy_action(const Parsed& pod) {
  if (pod.node["status"]["phase"].string() != "Failed") return {};
  int64_t number = -1;
  for (const json::Node rule : spec()["podFailurePolicy"]["rules"]) {
    ++number;
    std::string why;
    if (!rule_matches(rule, pod.node, why)) continue;
    std::string action(rule["action"].string());
    if (action == "FailJob" && !verdict_) {
      const std::string about = join({"pod ", pod.ref->ns(), "/", pod.ref->name()});
      const bool exited = why.starts_with("Container");
      const size_t space = why.find(" failed");
      verdict_ = Verdict{false, "PodFailurePolicy",
                         join({exited ? why.substr(0, space) + " for " + about + why.substr(space)
                                      : "P" + about.substr(1) + " " + why,
                               " matching FailJob rule at index ", std::to_string(number)})};
    }
    return action;
  }
  return {};
}

bool JobRun::rule_matches(json::Node rule, json::Node pod, std::string& why) {
  for (const json::Node wanted : rule["onPodConditions"]) {
    const std::string_view type = wanted["type"].string();
    if (find_condition(pod["status"], type)["status"].string() != wanted["status"].string("True"))
      continue;
    why = join({"has condition ", type});
    return true;
  }
  const json::Node codes = rule["onExitCodes"];
  if (!codes) return false;
  const bool in = codes["operator"].string() == "In";
  for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
    for (const json::Node container : pod["status"][list]) {
      const std::string_view only = codes["containerName"].string();
      if (!only.empty() && only != container["name"].string()) continue;
      const json::Node ended = container["state"]["terminated"];
      const int64_t code = ended["exitCode"].integer();
      if (!ended || code == 0 || is_listed(codes["values"], code) != in) continue;
      why = join({"Container ", container["name"].string(), " failed with exit code ",
                  std::to_string(code)});
      return true;
    }
  }
  return false;
}

// 10 s after a failure, doubled with every one that follows without a success between.
Duration JobRun::rest_after_failure(std::optional<int64_t> index) const {
  std::optional<Wall> success;
  std::optional<Wall> last;
  std::vector<Wall> failures;
  for (const Parsed& pod : pods_) {
    if (index && index_of(pod) != *index) continue;
    const auto at = end_of(pod.node);
    if (!at) continue;
    if (pod.node["status"]["phase"].string() == "Succeeded")
      success = std::max(success.value_or(*at), *at);
    else if (has_failed(pod))
      failures.push_back(*at);
  }
  int64_t streak = 0;
  for (const Wall at : failures) {
    if (success && at < *success) continue;
    ++streak;
    last = std::max(last.value_or(at), at);
  }
  if (streak == 0) return {};
  const Duration rest =
      std::min(kLastRest, kFirstRest * (int64_t{1} << std::min<int64_t>(streak - 1, 6)));
  // A failure in the future is a clock that was set back: it rests as long as any.
  return std::min(rest, rest - (now_.wall - *last));
}

}  // namespace coracle::controllers
