// SPDX-License-Identifier: GPL-2.0-or-later
// Jobs with ttlSecondsAfterFinished go some time after they have ended (upstream
// pkg/controller/ttlafterfinished).
#include "controllers/controller.h"
#include "controllers/job_run.h"
#include "controllers/owners.h"
#include "controllers/pods.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

Result<api::Plan> plan_ttl(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef object = now.state.get(api::kJob, key.ns, key.name);
  if (!object || object->deleting()) return plan;
  const Parsed job = parse(object);
  const json::Node ttl = job.node["spec"]["ttlSecondsAfterFinished"];
  if (!ttl || !is_finished_job(job.node)) return plan;
  json::Node end = find_condition(job.node["status"], "Complete");
  if (end["status"].string() != "True") end = find_condition(job.node["status"], "Failed");
  const auto at = parse_rfc3339(end["lastTransitionTime"].string());
  if (!at) return plan;
  const Duration left = *at + seconds(ttl.integer()) - now.wall;
  if (left.ns > 0) {
    plan.again_after = left;
    return plan;
  }
  plan.calls.push_back(delete_call(*object));
  plan.calls.back().propagation = api::Propagation::kForeground;
  plan.calls.back().expected_version = object->version();
  return plan;
}

constexpr Watch kWatches[] = {{&api::kJob, wake_itself}};

}  // namespace

const Controller kTtlAfterFinishedController{"ttl-after-finished-controller", kWatches, plan_ttl,
                                             nullptr};

}  // namespace coracle::controllers
