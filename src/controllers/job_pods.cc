// SPDX-License-Identifier: GPL-2.0-or-later
// Pods of a Job that are to run (upstream manageJob, indexed_job_utils.go).
#include <algorithm>

#include "base/bytes.h"
#include "controllers/job_run.h"

namespace coracle::controllers {

namespace {

constexpr int64_t kBurst = 500;  // upstream MaxPodCreateDeletePerSync

void add_index_variable(json::Node containers) {
  constexpr std::string_view kVariable = "JOB_COMPLETION_INDEX";
  for (const json::Node container : containers) {
    bool known = false;
    for (const json::Node variable : container["env"])
      known = known || variable["name"].string() == kVariable;
    if (known) continue;
    const json::Node variable = container.array("env").append_object();
    variable.set("name", kVariable);
    variable.object("valueFrom")
        .object("fieldRef")
        .set("fieldPath", std::string_view(join({"metadata.labels['", kJobIndex, "']"})));
  }
}

}  // namespace

void JobRun::balance() {
  const int64_t parallelism = spec()["parallelism"].integer(1);
  const auto active = static_cast<int64_t>(active_.size());
  int64_t wanted = parallelism;
  if (spec()["completions"])
    wanted = std::min(parallelism,
                      std::max<int64_t>(0, completions() - succeeded() - failed_indexes_.size()));
  else if (succeeded() > 0)  // a work queue that is done: those that run may end
    wanted = std::min(active, parallelism);
  if (active > wanted) return remove_active(static_cast<size_t>(active - wanted), false);
  const int64_t missing = wanted - active - (replaces_only_failed() ? terminating_ : 0);
  if (missing <= 0) return;
  plan_.refused = api::Note{job_.ref, true, "FailedCreate", "Error creating: ", {}};
  if (is_indexed()) return create_indexed(missing);
  if (const Duration rest = rest_after_failure(std::nullopt); rest.ns > 0) {
    plan_.again_after = std::min(plan_.again_after.value_or(rest), rest);
    return;
  }
  for (int64_t i = 0; i < std::min(missing, kBurst); ++i)
    create_pod(std::nullopt);
}

void JobRun::create_indexed(int64_t missing) {
  IndexSet taken;
  for (const Parsed& pod : pods_) {
    const bool runs = is_active(pod.node) ||
                      (replaces_only_failed() && pod.ref->deleting() && !has_ended(pod.node));
    if (runs && index_of(pod) >= 0) taken.add(index_of(pod));
  }
  const bool each_rests = bool{spec()["backoffLimitPerIndex"]};
  const Duration rest = each_rests ? Duration{} : rest_after_failure(std::nullopt);
  if (rest.ns > 0) {
    plan_.again_after = std::min(plan_.again_after.value_or(rest), rest);
    return;
  }
  int64_t left = std::min(missing, kBurst);
  for (int64_t index = 0; index < completions() && left > 0; ++index) {
    if (taken.contains(index) || completed_.contains(index) || failed_indexes_.contains(index))
      continue;
    --left;
    if (const Duration own = each_rests ? rest_after_failure(index) : Duration{}; own.ns > 0) {
      plan_.again_after = std::min(plan_.again_after.value_or(own), own);
      continue;
    }
    create_pod(index);
  }
}

int64_t JobRun::failures_of(int64_t index) const {
  int64_t failures = 0;
  for (const Parsed& pod : pods_) {
    if (index_of(pod) != index || !has_failed(pod)) continue;
    const auto before =
        parse_unsigned(pod.node["metadata"]["annotations"][kJobIndexFailures].string());
    failures = std::max(failures, static_cast<int64_t>(before.value_or(0)) + 1);
  }
  return failures;
}

json::Node JobRun::write_pod(json::Tree& tree, std::optional<int64_t> index) const {
  const json::Node pod = new_pod(tree, *job_.ref, spec()["template"]);
  const json::Node metadata = pod["metadata"];
  metadata.array("finalizers").append(kJobFinalizer);
  if (!index) {
    metadata.set("generateName", join({job_.ref->name(), "-"}));
    return pod;
  }
  const std::string number = std::to_string(*index);
  metadata.set("generateName", join({job_.ref->name(), "-", number, "-"}));
  metadata.object("annotations").set(kJobIndex, number);
  metadata.object("labels").set(kJobIndex, number);
  if (spec()["backoffLimitPerIndex"])
    metadata["annotations"].set(kJobIndexFailures, std::to_string(failures_of(*index)));
  if (pod["spec"]["hostname"].string().empty())
    pod["spec"].set("hostname", join({job_.ref->name(), "-", number}));
  add_index_variable(pod["spec"]["containers"]);
  add_index_variable(pod["spec"]["initContainers"]);
  return pod;
}

void JobRun::create_pod(std::optional<int64_t> index) {
  json::Tree tree;
  const json::Node pod = write_pod(tree, index);
  std::string name = free_name(now_.state, api::kPod, *job_.ref, created_++);
  if (index) {
    constexpr size_t kSuffix = 5;
    const std::string_view base = pod["metadata"]["generateName"].string();
    name = join({base.substr(0, 58), std::string_view(name).substr(name.size() - kSuffix)});
  }
  pod["metadata"].set("name", name);
  plan_.add(create_call(api::kPod, pod),
            {job_.ref, false, "SuccessfulCreate", join({"Created pod: ", name}), {}});
}

// Pods that are counted keep their finalizer and end as failures; the others are let go of first,
// so that nobody takes their end for one.
void JobRun::remove_active(size_t surplus, bool counted) {
  std::vector<Parsed> ranked;
  for (const Parsed* pod : active_)
    ranked.push_back(parse(pod->ref));
  rank_for_deletion(ranked, {}, now_.wall);
  if (surplus > 0)
    plan_.refused = api::Note{job_.ref, true, "FailedDelete", "Error deleting: ", {}};
  for (size_t i = 0; i < std::min<size_t>(surplus, kBurst); ++i) {
    if (!counted && has_job_finalizer(ranked[i].node))
      plan_.calls.push_back(release_job_pod(ranked[i]));
    plan_.add(
        delete_call(*ranked[i].ref),
        {job_.ref, false, "SuccessfulDelete", join({"Deleted pod: ", ranked[i].ref->name()}), {}});
  }
}

}  // namespace coracle::controllers
