// SPDX-License-Identifier: GPL-2.0-or-later
// Status and conditions (upstream pkg/controller/deployment/{sync,progress}.go).
#include <algorithm>

#include "base/bytes.h"
#include "controllers/pods.h"
#include "controllers/rollout.h"

namespace coracle::controllers {

namespace {

constexpr int64_t kNoDeadline = 2'147'483'647;
constexpr std::string_view kReplicaFailure = "ReplicaFailure";

int64_t sum(const std::vector<Parsed>& sets, std::string_view field) {
  int64_t total = 0;
  for (const Parsed& set : sets)
    total += set.node["status"][field].integer();
  return total;
}

}  // namespace

void Rollout::count_into(json::Node status) const {
  int64_t wanted = 0;
  for (const Parsed& set : sets_)
    wanted += wanted_by(set);
  const int64_t available = sum(sets_, "availableReplicas");
  status.set("observedGeneration", deployment_.node["metadata"]["generation"].integer());
  set_or_drop(status, "replicas", sum(sets_, "replicas"));
  set_or_drop(status, "updatedReplicas",
              fresh_ == nullptr ? 0 : fresh_->node["status"]["replicas"].integer());
  set_or_drop(status, "readyReplicas", sum(sets_, "readyReplicas"));
  set_or_drop(status, "availableReplicas", available);
  set_or_drop(status, "unavailableReplicas", std::max<int64_t>(0, wanted - available));
  status.set("terminatingReplicas", sum(sets_, "terminatingReplicas"));
}

bool Rollout::is_complete(json::Node status) const {
  return status["updatedReplicas"].integer() == replicas() &&
         status["replicas"].integer() == replicas() &&
         status["availableReplicas"].integer() == replicas() &&
         status["observedGeneration"].integer() >=
             deployment_.node["metadata"]["generation"].integer();
}

bool Rollout::is_progressing(json::Node status) const {
  const json::Node before = deployment_.node["status"];
  const auto grew = [&](std::string_view field) {
    return status[field].integer() > before[field].integer();
  };
  const auto old_count = [](json::Node s) {
    return s["replicas"].integer() - s["updatedReplicas"].integer();
  };
  return grew("updatedReplicas") || grew("readyReplicas") || grew("availableReplicas") ||
         old_count(status) < old_count(before);
}

bool Rollout::has_deadline() const {
  const json::Node seconds = spec()["progressDeadlineSeconds"];
  return seconds && seconds.integer() != kNoDeadline;
}

Wall Rollout::deadline(json::Node progressing) const {
  const auto since = parse_rfc3339(progressing["lastUpdateTime"].string());
  return since.value_or(now_.wall) + seconds(spec()["progressDeadlineSeconds"].integer());
}

bool Rollout::has_timed_out(json::Node status) const {
  const json::Node condition = find_condition(status, "Progressing");
  const std::string_view reason = condition["reason"].string();
  if (!condition || reason == "NewReplicaSetAvailable") return false;
  return reason == "ProgressDeadlineExceeded" || deadline(condition) < now_.wall;
}

// Looks again when the deadline will have passed (upstream requeueStuckDeployment).
void Rollout::watch_deadline(json::Node status) {
  const json::Node condition = find_condition(status, "Progressing");
  const std::string_view reason = condition["reason"].string();
  if (!condition || !has_deadline() || is_complete(status) || reason == "NewReplicaSetAvailable" ||
      reason == "ProgressDeadlineExceeded")
    return;
  plan_.again_after = std::max(deadline(condition) - now_.wall, Duration{}) + seconds(1);
}

void Rollout::judge_availability(json::Node status) const {
  const bool enough = status["availableReplicas"].integer() >= replicas() - max_unavailable();
  replace_condition(status,
                    enough ? ConditionValue{"Available", "True", "MinimumReplicasAvailable",
                                            "Deployment has minimum availability."}
                           : ConditionValue{"Available", "False", "MinimumReplicasUnavailable",
                                            "Deployment does not have minimum availability."},
                    now_.wall, UpdateTime::kKept);
}

// Upstream syncRolloutStatus.
void Rollout::judge_progress(json::Node status) const {
  if (!has_deadline()) return remove_condition(status, "Progressing");
  const json::Node condition = find_condition(status, "Progressing");
  if (status["replicas"].integer() == status["updatedReplicas"].integer() &&
      condition["reason"].string() == "NewReplicaSetAvailable")
    return;  // this rollout is over: what comes and goes now is not progress
  const std::string what = fresh_ != nullptr
                               ? join({"ReplicaSet \"", fresh_->ref->name(), "\""})
                               : join({"Deployment \"", deployment_.ref->name(), "\""});
  ConditionValue value{"Progressing", "True", "NewReplicaSetAvailable",
                       what + " has successfully progressed."};
  if (!is_complete(status) && is_progressing(status)) {
    value.reason = "ReplicaSetUpdated";
    value.message = what + " is progressing.";
    // The deadline counts from lastUpdateTime, so that moves even if nothing else does.
    if (condition["reason"].string() == value.reason) condition.set("reason", "");
  } else if (!is_complete(status)) {
    if (!has_timed_out(status)) return;
    value = {"Progressing", "False", "ProgressDeadlineExceeded",
             what + " has timed out progressing."};
  }
  replace_condition(status, value, now_.wall, UpdateTime::kKept);
}

// Why sets cannot make pods shows on the deployment; the current set comes first.
void Rollout::move_failures(json::Node status) const {
  json::Node failure;
  if (fresh_ != nullptr) failure = find_condition(fresh_->node["status"], kReplicaFailure);
  for (const Parsed* set : old_) {
    if (!failure) failure = find_condition(set->node["status"], kReplicaFailure);
  }
  if (!failure) return remove_condition(status, kReplicaFailure);
  const json::Node have = find_condition(status, kReplicaFailure);
  if (have && have["status"].string() == failure["status"].string() &&
      have["reason"].string() == failure["reason"].string())
    return;
  replace_condition(status,
                    {kReplicaFailure, failure["status"].string(), failure["reason"].string(),
                     std::string(failure["message"].string())},
                    now_.wall, UpdateTime::kKept);
  const json::Node moved = find_condition(status, kReplicaFailure);
  moved.set("lastUpdateTime", failure["lastTransitionTime"].string());
  moved.set("lastTransitionTime", failure["lastTransitionTime"].string());
}

void Rollout::write_status(Progress progress) {
  const Parsed next = parse(deployment_.ref);
  const json::Node status = next.node.object("status");
  count_into(status);
  judge_availability(status);
  if (progress == Progress::kJudge) {
    judge_progress(status);
    move_failures(status);
    watch_deadline(status);
  }
  if (!json::equal(status, deployment_.node["status"]))
    plan_.calls.push_back(update_call(next, api::Subresource::kStatus));
}

}  // namespace coracle::controllers
