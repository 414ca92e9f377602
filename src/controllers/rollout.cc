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

// Appends to the revisions that a set had before it was rolled back to; the oldest make room.
void remember_revision(json::Node annotations, int64_t revision) {
  constexpr size_t kHistoryBytesMax = 2000;
  std::string history(annotations[kRevisionHistory].string());
  if (!history.empty()) history += ',';
  history += std::to_string(revision);
  while (history.size() > kHistoryBytesMax)
    history.erase(0, history.find(',') + 1);
  annotations.set(kRevisionHistory, history);
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
  if (deployment_.ref->deleting()) {
    if (!keep_fresh_set()) write_status(Progress::kKeep);
    return;
  }
  if (note_pause()) return;
  if (spec()["paused"].boolean() || is_scaling()) return sync_paused_or_scaled();
  if (is_rolling()) return sync_rolling();
  return sync_recreate();
}

void Rollout::sync_paused_or_scaled() {
  if (keep_fresh_set()) return;
  if (!scale_proportionally() && spec()["paused"].boolean()) delete_history();
  write_status(Progress::kKeep);
}

void Rollout::sync_rolling() {
  if (fresh_ == nullptr) return create_fresh_set();
  if (keep_fresh_set()) return;
  if (!scale_fresh() && !scale_down_old() && is_complete(deployment_.node["status"]))
    delete_history();
  write_status(Progress::kJudge);
}

void Rollout::sync_recreate() {
  if (keep_fresh_set()) return;
  if (!scale_all_old_to_zero() && !old_pods_run()) {
    if (fresh_ == nullptr) return create_fresh_set();
    if (!scale_to(*fresh_, replicas()) && is_complete(deployment_.node["status"])) delete_history();
  }
  write_status(Progress::kJudge);
}

int64_t Rollout::next_revision() const {
  int64_t revision = 1;
  for (const Parsed* set : old_)
    revision = std::max(revision, revision_of(*set) + 1);
  return revision;
}

// Keeps annotations and revisions of the current set and of the deployment in step. True: a call
// was planned, the rest waits for it.
bool Rollout::keep_fresh_set() {
  if (fresh_ == nullptr) return false;
  const int64_t before = revision_of(*fresh_);
  const int64_t revision = std::max(before, next_revision());
  Parsed next = parse(fresh_->ref);
  const json::Node metadata = next.node["metadata"];
  bool changed = copy_annotations(deployment_.node["metadata"]["annotations"], metadata);
  if (before < revision) {
    const json::Node annotations = metadata.object("annotations");
    if (before > 0) remember_revision(annotations, before);
    annotations.set(kRevision, std::to_string(revision));
    changed = true;
  }
  const int64_t min_ready = spec()["minReadySeconds"].integer();
  if (next.node["spec"]["minReadySeconds"].integer() != min_ready) {
    next.node["spec"].set("minReadySeconds", min_ready);
    changed = true;
  }
  if (!changed) return note_found(revision);
  plan_.calls.push_back(update_call(next));
  return true;
}

// Through /status, as upstream does: annotations are written without a new generation.
bool Rollout::note_found(int64_t revision) {
  const Parsed next = parse(deployment_.ref);
  bool changed = set_revision(next.node, revision);
  if (has_deadline() && !find_condition(next.node["status"], "Progressing")) {
    replace_condition(next.node.object("status"),
                      {"Progressing", "True", "FoundNewReplicaSet",
                       join({"Found new replica set \"", fresh_->ref->name(), "\""})},
                      now_.wall, UpdateTime::kKept);
    changed = true;
  }
  if (changed) plan_.calls.push_back(update_call(next, api::Subresource::kStatus));
  return changed;
}

bool Rollout::set_revision(json::Node deployment, int64_t revision) const {
  const std::string wanted = std::to_string(revision);
  if (deployment["metadata"]["annotations"][kRevision].string() == wanted) return false;
  deployment["metadata"].object("annotations").set(kRevision, wanted);
  return true;
}

json::Node Rollout::write_fresh_set(json::Tree& tree, std::string_view hash) const {
  const json::Node set = tree.make_object();
  set.set("kind", "ReplicaSet");
  set.set("apiVersion", "apps/v1");
  const json::Node metadata = set.object("metadata");
  metadata.set("name", set_name(hash));
  metadata.set("namespace", deployment_.ref->ns());
  metadata.set("labels", spec()["template"]["metadata"]["labels"]);
  metadata.object("labels").set(kTemplateHash, hash);
  copy_annotations(deployment_.node["metadata"]["annotations"], metadata);
  const json::Node annotations = metadata.object("annotations");
  annotations.set(kRevision, std::to_string(next_revision()));
  annotations.set(kDesiredReplicas, std::to_string(replicas()));
  annotations.set(kMaxReplicas, std::to_string(replicas() + max_surge()));
  append_controller_reference(metadata.array("ownerReferences"), *deployment_.ref);
  const json::Node out = set.object("spec");
  out.set("replicas", fresh_replicas());
  if (spec()["minReadySeconds"].integer() > 0)
    out.set("minReadySeconds", spec()["minReadySeconds"].integer());
  out.set("selector", spec()["selector"]).object("matchLabels").set(kTemplateHash, hash);
  out.set("template", spec()["template"])
      .object("metadata")
      .object("labels")
      .set(kTemplateHash, hash);
  return set;
}

std::string Rollout::set_name(std::string_view hash) const {
  constexpr size_t kNameMax = 253;
  return join({deployment_.ref->name().substr(0, kNameMax - 1 - hash.size()), "-", hash});
}

void Rollout::create_fresh_set() {
  const int64_t collisions = deployment_.node["status"]["collisionCount"].integer();
  std::string source = json::write(spec()["template"]);
  if (collisions > 0) source += std::to_string(collisions);
  const std::string hash = safe_hash(source);
  const std::string name = set_name(hash);
  const Parsed next = parse(deployment_.ref);
  const json::Node status = next.node.object("status");
  if (now_.state.get(api::kReplicaSet, deployment_.ref->ns(), name)) {
    // Another template or another owner has the name: count up and hash again.
    status.set("collisionCount", collisions + 1);
    plan_.calls.push_back(update_call(next, api::Subresource::kStatus));
    return;
  }
  const std::string failed = join({"Failed to create new replica set \"", name, "\": "});
  plan_.slow_start = true;  // the status tells of the set only once it is made
  plan_.refused = api::Note{deployment_.ref, true, "ReplicaSetCreateError", failed};
  const bool told =
      find_condition(status, "Progressing")["reason"].string() == "ReplicaSetCreateError";
  if (now_.refusal != nullptr && has_deadline() && !told) {
    replace_condition(
        status, {"Progressing", "False", "ReplicaSetCreateError", failed + now_.refusal->message},
        now_.wall, UpdateTime::kKept);
    plan_.calls.push_back(update_call(next, api::Subresource::kStatus));
    plan_.calls.push_back(create_set_call(hash));
    return;
  }
  if (fresh_replicas() > 0) {
    plan_.add(
        create_set_call(hash),
        {deployment_.ref, false, "ScalingReplicaSet",
         join({"Scaled up replica set ", name, " from 0 to ", std::to_string(fresh_replicas())})});
  } else {
    plan_.calls.push_back(create_set_call(hash));
  }
  set_revision(next.node, next_revision());
  if (has_deadline())
    replace_condition(status,
                      {"Progressing", "True", "NewReplicaSetCreated",
                       join({"Created new replica set \"", name, "\""})},
                      now_.wall, UpdateTime::kKept);
  plan_.calls.push_back(update_call(next, api::Subresource::kStatus));
}

api::Call Rollout::create_set_call(std::string_view hash) const {
  json::Tree tree;
  api::Call call;
  call.key = {&api::kReplicaSet, std::string(deployment_.ref->ns()), set_name(hash)};
  call.body = json::write(write_fresh_set(tree, hash));
  return call;
}

// Pausing stops the clock of the progress deadline; the condition tells why (upstream
// checkPausedConditions).
bool Rollout::note_pause() {
  const json::Node status = deployment_.node["status"];
  const std::string_view reason = find_condition(status, "Progressing")["reason"].string();
  if (reason == "ProgressDeadlineExceeded" || !has_deadline()) return false;
  const bool paused = spec()["paused"].boolean();
  if (paused == (reason == "DeploymentPaused")) return false;
  const Parsed next = parse(deployment_.ref);
  replace_condition(
      next.node.object("status"),
      paused
          ? ConditionValue{"Progressing", "Unknown", "DeploymentPaused", "Deployment is paused"}
          : ConditionValue{"Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed"},
      now_.wall, UpdateTime::kKept);
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
  bool runs = std::any_of(old_.begin(), old_.end(), [](const Parsed* set) {
    return set->node["status"]["replicas"].integer() > 0;
  });
  api::for_each(now_.state, api::kPod, deployment_.ref->ns(), [&](const api::ObjectRef& object) {
    if (runs) return;
    json::Tree tree;
    const json::Node pod = object->parse(tree);
    if (has_ended(pod)) return;
    for (const Parsed* set : old_)
      runs = runs || is_controlled_by(pod, set->ref->uid());
  });
  return runs;
}

}  // namespace coracle::controllers
