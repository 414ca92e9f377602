// SPDX-License-Identifier: GPL-2.0-or-later
// Status and conditions (upstream pkg/controller/deployment/{sync,progress}.go).
#include <algorithm>

#include "base/bytes.h"
#include "controllers/pods.h"
#include "controllers/rollout.h"

namespace coracle::controllers {

namespace {

constexpr int64_t kNoDeadline = 2'147'483'647;

void set_or_drop(json::Node status, std::string_view name, int64_t value) {
  if (value > 0)
    status.set(name, value);
  else
    status.remove(name);
}

int64_t sum(const std::vector<Parsed>& sets, std::string_view field) {
  int64_t total = 0;
  for (const Parsed& set : sets)
    total += set.node["status"][field].integer();
  return total;
}

// Like set_condition, but lastUpdateTime moves in any case: it is what the deadline counts from.
void touch_progress(json::Node status, const ConditionValue& value, Wall now) {
  set_condition(status, value, now);
  find_condition(status, "Progressing").set("lastUpdateTime", rfc3339(now));
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
  set_or_drop(status, "terminatingReplicas", sum(sets_, "terminatingReplicas"));
}

bool Rollout::is_complete(json::Node status) const {
  return status["updatedReplicas"].integer() == replicas() &&
         status["replicas"].integer() == replicas() &&
         status["availableReplicas"].integer() == replicas() &&
         status["observedGeneration"].integer() >=
             deployment_.node["metadata"]["generation"].integer();
}

// True when the deadline has passed; otherwise the plan looks again when it will have.
bool Rollout::timed_out(json::Node status, json::Node before) {
  const json::Node condition = find_condition(before, "Progressing");
  if (!condition) return false;
  const std::string_view reason = condition["reason"].string();
  if (reason == "NewReplicaSetAvailable") return false;
  if (reason == "ProgressDeadlineExceeded") return true;
  const auto since =
      parse_rfc3339(find_condition(status, "Progressing")["lastUpdateTime"].string());
  if (!since) return false;
  const Wall deadline = *since + seconds(spec()["progressDeadlineSeconds"].integer(600));
  if (now_.wall > deadline) return true;
  const Duration wait = deadline - now_.wall + seconds(1);
  if (!plan_.again_after || wait < *plan_.again_after) plan_.again_after = wait;
  return false;
}

void Rollout::judge_progress(json::Node status, json::Node before) {
  const int64_t deadline = spec()["progressDeadlineSeconds"].integer(kNoDeadline);
  if (deadline == kNoDeadline) {
    remove_condition(status, "Progressing");
    return;
  }
  const json::Node condition = find_condition(before, "Progressing");
  const std::string_view reason = condition["reason"].string();
  if (status["replicas"].integer() == status["updatedReplicas"].integer() &&
      reason == "NewReplicaSetAvailable")
    return;
  if (spec()["paused"].boolean()) return;
  const std::string what = fresh_ != nullptr
                               ? join({"ReplicaSet \"", fresh_->ref->name(), "\""})
                               : join({"Deployment \"", deployment_.ref->name(), "\""});
  const auto grew = [&](std::string_view field) {
    return status[field].integer() > before[field].integer();
  };
  const auto old_count = [](json::Node s) {
    return s["replicas"].integer() - s["updatedReplicas"].integer();
  };
  if (is_complete(status)) {
    touch_progress(
        status,
        {"Progressing", "True", "NewReplicaSetAvailable", what + " has successfully progressed."},
        now_.wall);
  } else if (grew("updatedReplicas") || grew("readyReplicas") || grew("availableReplicas") ||
             old_count(status) < old_count(before)) {
    touch_progress(status, {"Progressing", "True", "ReplicaSetUpdated", what + " is progressing."},
                   now_.wall);
  } else if (timed_out(status, before)) {
    set_condition(
        status,
        {"Progressing", "False", "ProgressDeadlineExceeded", what + " has timed out progressing."},
        now_.wall);
    return;
  }
  if (!is_complete(status)) static_cast<void>(timed_out(status, status));
}

void Rollout::write_status() {
  // A metadata or spec write of the deployment in this plan would make ours stale; the change wakes
  // us again.
  for (const api::Call& call : plan_.calls) {
    if (call.key.kind == &api::kDeployment) return;
  }
  Parsed next = parse(deployment_.ref);
  const json::Node before = deployment_.node["status"];
  const json::Node status = next.node.object("status");
  count_into(status);
  if (status["availableReplicas"].integer() >= replicas() - max_unavailable()) {
    set_condition(
        status,
        {"Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."},
        now_.wall);
  } else {
    set_condition(status,
                  {"Available", "False", "MinimumReplicasUnavailable",
                   "Deployment does not have minimum availability."},
                  now_.wall);
  }
  judge_progress(status, before);
  if (!json::equal(status, before))
    plan_.calls.push_back(update_call(next, api::Subresource::kStatus));
}

}  // namespace coracle::controllers
