// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/rollout.h"

#include <algorithm>

#include "base/bytes.h"
#include "controllers/pods.h"

namespace coracle::controllers {

namespace {

int64_t revision_of(const Parsed& set) {
  return parse_signed(set.node["metadata"]["annotations"][kRevision].string()).value_or(0);
}

// Templates are the same if they differ in nothing but the hash label that the controller itself
// adds.
bool same_template(json::Node a, json::Node b) {
  json::Tree tree;
  const json::Node left = tree.detached(a);
  const json::Node right = tree.detached(b);
  for (const json::Node side : {left, right}) {
    const json::Node labels = side["metadata"]["labels"];
    if (!labels) continue;
    labels.remove(kTemplateHash);
    if (labels.size() == 0) side["metadata"].remove("labels");
  }
  for (const json::Node side : {left, right}) {
    if (side["metadata"]) side["metadata"].remove("creationTimestamp");
  }
  return json::equal(left, right);
}

bool is_kept_from_sets(std::string_view annotation) {
  return annotation == "kubectl.kubernetes.io/last-applied-configuration" ||
         annotation == kRevision || annotation == kRevisionHistory ||
         annotation == kDesiredReplicas || annotation == kMaxReplicas ||
         annotation == "deprecated.deployment.rollback.to";
}

// Annotations of the deployment show on its newest set (kubernetes.io/change-cause is how `rollout
// history` knows).
bool copy_annotations(json::Node from, json::Node metadata) {
  bool changed = false;
  for (const json::Node annotation : from) {
    if (is_kept_from_sets(annotation.key())) continue;
    if (metadata["annotations"][annotation.key()].string() == annotation.string() &&
        metadata["annotations"][annotation.key()])
      continue;
    metadata.object("annotations").set(annotation.key(), annotation.string());
    changed = true;
  }
  return changed;
}

}  // namespace

Rollout::Rollout(const Now& now, Parsed deployment)
    : now_(now),
      deployment_(std::move(deployment)) {}

api::Plan Rollout::plan() {
  find_sets();
  if (plan_.calls.empty()) sync();
  return std::move(plan_);
}

void Rollout::find_sets() {
  const auto selector = api::LabelSelector::from_object(spec()["selector"]);
  sets_ = claim(now_.state, api::kReplicaSet, deployment_, selector, plan_);
  std::stable_sort(sets_.begin(), sets_.end(), [](const Parsed& a, const Parsed& b) {
    const std::string_view left = a.node["metadata"]["creationTimestamp"].string();
    const std::string_view right = b.node["metadata"]["creationTimestamp"].string();
    return left != right ? left < right : a.ref->name() < b.ref->name();
  });
  // Of several equal ones the oldest is taken, as upstream does, so that clients with other
  // defaults converge.
  for (const Parsed& set : sets_) {
    if (fresh_ == nullptr && same_template(set.node["spec"]["template"], spec()["template"]))
      fresh_ = &set;
    else
      old_.push_back(&set);
  }
}

void Rollout::sync() {
  if (deployment_.ref->deleting()) return write_status();
  if (note_pause()) return;
  if (spec()["paused"].boolean() || is_scaling()) return sync_paused_or_scaled();
  if (is_rolling()) return sync_rolling();
  return sync_recreate();
}

void Rollout::sync_paused_or_scaled() {
  if (ensure_fresh_set(false)) return;
  if (scale_proportionally()) return write_status();
  if (spec()["paused"].boolean()) delete_history();
  write_status();
}

void Rollout::sync_rolling() {
  if (ensure_fresh_set(true)) return;
  if (scale_fresh() || scale_down_old()) return write_status();
  if (is_complete(deployment_.node["status"])) delete_history();
  write_status();
}

void Rollout::sync_recreate() {
  if (ensure_fresh_set(false)) return;
  if (scale_all_old_to_zero()) return write_status();
  if (old_pods_run()) return write_status();
  if (fresh_ == nullptr) {
    ensure_fresh_set(true);
    return;
  }
  if (scale_to(*fresh_, replicas())) return write_status();
  if (is_complete(deployment_.node["status"])) delete_history();
  write_status();
}

bool Rollout::ensure_fresh_set(bool may_create) {
  if (fresh_ != nullptr) return update_fresh_set();
  if (!may_create) return false;
  create_fresh_set();
  return true;
}

bool Rollout::update_fresh_set() {
  int64_t revision = 1;
  for (const Parsed* set : old_)
    revision = std::max(revision, revision_of(*set) + 1);
  revision = std::max(revision, revision_of(*fresh_));
  Parsed next = parse(fresh_->ref);
  const json::Node metadata = next.node["metadata"];
  bool changed = copy_annotations(deployment_.node["metadata"]["annotations"], metadata);
  if (revision_of(*fresh_) != revision) {
    const int64_t before = revision_of(*fresh_);
    if (before > 0) {
      const std::string_view history = metadata["annotations"][kRevisionHistory].string();
      metadata.object("annotations")
          .set(kRevisionHistory, history.empty() ? std::to_string(before)
                                                 : join({history, ",", std::to_string(before)}));
    }
    metadata.object("annotations").set(kRevision, std::to_string(revision));
    changed = true;
  }
  const int64_t min_ready = spec()["minReadySeconds"].integer();
  if (next.node["spec"]["minReadySeconds"].integer() != min_ready) {
    next.node["spec"].set("minReadySeconds", min_ready);
    changed = true;
  }
  if (changed) plan_.calls.push_back(update_call(next));
  return set_own_revision(revision) || changed;
}

void Rollout::create_fresh_set() {
  int64_t revision = 1;
  for (const Parsed* set : old_)
    revision = std::max(revision, revision_of(*set) + 1);
  json::Tree tree;
  const json::Node set = tree.make_object();
  set.set("kind", "ReplicaSet");
  set.set("apiVersion", "apps/v1");
  const int64_t collisions = deployment_.node["status"]["collisionCount"].integer();
  std::string source = json::write(spec()["template"]);
  if (collisions > 0) source += std::to_string(collisions);
  const std::string hash = safe_hash(source);
  const std::string name = join({deployment_.ref->name(), "-", hash});
  if (const api::ObjectRef taken = now_.state.get(api::kReplicaSet, deployment_.ref->ns(), name)) {
    // Somebody else's set has our name: count up and try another one (upstream collisionCount).
    Parsed next = parse(deployment_.ref);
    next.node.object("status").set("collisionCount", collisions + 1);
    plan_.calls.push_back(update_call(next, api::Subresource::kStatus));
    return;
  }
  const json::Node metadata = set.object("metadata");
  metadata.set("name", name);
  metadata.set("namespace", deployment_.ref->ns());
  if (const json::Node labels = spec()["template"]["metadata"]["labels"])
    metadata.set("labels", labels);
  metadata.object("labels").set(kTemplateHash, hash);
  copy_annotations(deployment_.node["metadata"]["annotations"], metadata);
  metadata.object("annotations").set(kRevision, std::to_string(revision));
  metadata.object("annotations").set(kDesiredReplicas, std::to_string(replicas()));
  metadata.object("annotations").set(kMaxReplicas, std::to_string(replicas() + max_surge()));
  append_controller_reference(metadata.array("ownerReferences"), *deployment_.ref);
  const json::Node set_spec = set.object("spec");
  set_spec.set("replicas", fresh_replicas());
  if (spec()["minReadySeconds"].integer() > 0)
    set_spec.set("minReadySeconds", spec()["minReadySeconds"].integer());
  set_spec.set("selector", spec()["selector"]).object("matchLabels").set(kTemplateHash, hash);
  set_spec.set("template", spec()["template"])
      .object("metadata")
      .object("labels")
      .set(kTemplateHash, hash);
  api::Call call;
  call.key = {&api::kReplicaSet, std::string(deployment_.ref->ns()), name};
  call.body = json::write(set);
  plan_.calls.push_back(std::move(call));
  plan_.notes.push_back(
      {deployment_.ref, false, "ScalingReplicaSet",
       join({"Scaled up replica set ", name, " from 0 to ", std::to_string(fresh_replicas())})});
  Parsed next = parse(deployment_.ref);
  set_condition(next.node.object("status"),
                {"Progressing", "True", "NewReplicaSetCreated",
                 join({"Created new replica set \"", name, "\""})},
                now_.wall);
  plan_.calls.push_back(update_call(next, api::Subresource::kStatus));
}

bool Rollout::set_own_revision(int64_t revision) {
  const std::string wanted = std::to_string(revision);
  if (deployment_.node["metadata"]["annotations"][kRevision].string() == wanted) return false;
  Parsed next = parse(deployment_.ref);
  next.node["metadata"].object("annotations").set(kRevision, wanted);
  plan_.calls.push_back(update_call(next));
  return true;
}

// Pausing stops the clock of the progress deadline; the condition tells why (upstream
// checkPausedConditions).
bool Rollout::note_pause() {
  const json::Node status = deployment_.node["status"];
  const std::string_view reason = find_condition(status, "Progressing")["reason"].string();
  if (reason == "ProgressDeadlineExceeded" || !spec()["progressDeadlineSeconds"]) return false;
  const bool paused = spec()["paused"].boolean();
  if (paused == (reason == "DeploymentPaused")) return false;
  Parsed next = parse(deployment_.ref);
  if (paused)
    set_condition(next.node.object("status"),
                  {"Progressing", "Unknown", "DeploymentPaused", "Deployment is paused"},
                  now_.wall);
  else
    set_condition(next.node.object("status"),
                  {"Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed"},
                  now_.wall);
  plan_.calls.push_back(update_call(next, api::Subresource::kStatus));
  return true;
}

// Deletes the oldest sets without pods beyond spec.revisionHistoryLimit.
void Rollout::delete_history() {
  const int64_t limit = spec()["revisionHistoryLimit"].integer(10);
  std::vector<const Parsed*> history;
  for (const Parsed* set : old_) {
    if (!set->ref->deleting()) history.push_back(set);
  }
  std::stable_sort(history.begin(), history.end(), [](const Parsed* a, const Parsed* b) {
    return revision_of(*a) < revision_of(*b);
  });
  const int64_t surplus = static_cast<int64_t>(history.size()) - limit;
  for (int64_t i = 0; i < surplus; ++i) {
    const Parsed& set = *history[static_cast<size_t>(i)];
    const bool observed = set.node["status"]["observedGeneration"].integer() >=
                          set.node["metadata"]["generation"].integer();
    if (wanted_by(set) != 0 || set.node["status"]["replicas"].integer() != 0 || !observed) continue;
    plan_.calls.push_back(delete_call(*set.ref));
  }
}

bool Rollout::old_pods_run() const {
  bool runs = false;
  api::for_each(now_.state, api::kPod, deployment_.ref->ns(), [&](const api::ObjectRef& object) {
    if (runs) return;
    json::Tree tree;
    const json::Node pod = object->parse(tree);
    const std::string_view phase = pod["status"]["phase"].string();
    if (phase == "Succeeded" || phase == "Failed") return;
    for (const Parsed* set : old_)
      runs = runs || is_controlled_by(pod, set->ref->uid());
  });
  return runs;
}

}  // namespace coracle::controllers
