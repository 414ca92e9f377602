// SPDX-License-Identifier: GPL-2.0-or-later
// Pods and claims of a StatefulSet (upstream pkg/controller/statefulset/stateful_set_utils.go,
// stateful_pod_control.go).
#include "base/bytes.h"
#include "controllers/stateful.h"

namespace coracle::controllers {

namespace {

constexpr std::string_view kPodName = "statefulset.kubernetes.io/pod-name";
constexpr std::string_view kPodIndex = "apps.kubernetes.io/pod-index";

std::string claim_name(json::Node model, std::string_view pod) {
  return join({model["metadata"]["name"].string(), "-", pod});
}

json::Node owner_reference(json::Node object, std::string_view uid) {
  for (const json::Node reference : object["metadata"]["ownerReferences"]) {
    if (reference["uid"].string() == uid) return reference;
  }
  return {};
}

// Volumes that a claim template names come from the claim, whatever the pod template says of them.
void mount_claims(json::Node spec, json::Node models, std::string_view pod) {
  if (models.size() == 0) return;
  json::Tree tree;
  const json::Node volumes = tree.detached_array();
  for (const json::Node model : models) {
    const json::Node volume = volumes.append_object();
    volume.set("name", model["metadata"]["name"].string());
    volume.object("persistentVolumeClaim").set("claimName", claim_name(model, pod));
  }
  for (const json::Node volume : spec["volumes"]) {
    bool claimed = false;
    for (const json::Node model : models)
      claimed = claimed || model["metadata"]["name"].string() == volume["name"].string();
    if (!claimed) volumes.append(volume);
  }
  spec.set("volumes", volumes);
}

}  // namespace

std::string Stateful::pod_name(int64_t ordinal) const {
  return join({set_.ref->name(), "-", std::to_string(ordinal)});
}

const Parsed& Stateful::revision_for(int64_t ordinal) const {
  const bool rolling = spec()["updateStrategy"]["type"].string() != "OnDelete";
  return rolling && ordinal < start() + partition() ? current() : revisions_.current();
}

json::Node Stateful::write_pod(json::Tree& tree, int64_t ordinal) const {
  const std::string name = pod_name(ordinal);
  const Parsed& revision = revision_for(ordinal);
  const json::Node pod = new_pod(tree, *set_.ref, Revisions::model_of(revision));
  const json::Node metadata = pod["metadata"];
  metadata.set("name", name);
  metadata.set("generateName", join({set_.ref->name(), "-"}));
  metadata.object("labels").set(kPodName, name);
  metadata["labels"].set(kPodIndex, std::string_view(std::to_string(ordinal)));
  metadata["labels"].set(kRevisionHash, revision.ref->name());
  pod["spec"].set("hostname", name);
  if (const std::string_view service = spec()["serviceName"].string(); !service.empty())
    pod["spec"].set("subdomain", service);
  mount_claims(pod["spec"], spec()["volumeClaimTemplates"], name);
  return pod;
}

void Stateful::create(int64_t ordinal) {
  const std::string name = pod_name(ordinal);
  // A pod of somebody else has the name: it must go first, and its going wakes nobody here.
  if (now_.state.get(api::kPod, set_.ref->ns(), name)) {
    plan_.again_after = seconds(10);
    return;
  }
  create_claims(name);
  json::Tree tree;
  const std::string what = join({"create Pod ", name, " in StatefulSet ", set_.ref->name()});
  if (!plan_.refused)
    plan_.refused = api::Note{set_.ref, true, "FailedCreate", what + " failed error: ", {}};
  plan_.add(create_call(api::kPod, write_pod(tree, ordinal)),
            {set_.ref, false, "SuccessfulCreate", what + " successful", {}});
}

void Stateful::remove(const Parsed& pod) {
  const std::string what =
      join({"delete Pod ", pod.ref->name(), " in StatefulSet ", set_.ref->name()});
  if (!plan_.refused)
    plan_.refused = api::Note{set_.ref, true, "FailedDelete", what + " failed error: ", {}};
  plan_.add(delete_call(*pod.ref), {set_.ref, false, "SuccessfulDelete", what + " successful", {}});
}

// The label by which Services and people find this very pod.
bool Stateful::fix_identity(const Parsed& pod) {
  const std::string_view name = pod.ref->name();
  const std::string index = std::to_string(ordinal_of(set_.ref->name(), name));
  const json::Node labels = pod.node["metadata"]["labels"];
  if (labels[kPodName].string() == name && labels[kPodIndex].string() == index) return false;
  json::Tree tree;
  const json::Node wanted = tree.make_object().object("metadata").object("labels");
  wanted.set(kPodName, name);
  wanted.set(kPodIndex, std::string_view(index));
  const std::string what = join({"update Pod ", name, " in StatefulSet ", set_.ref->name()});
  plan_.add(merge_patch_call(pod, json::write(tree.root())),
            {set_.ref, false, "SuccessfulUpdate", what + " successful", {}});
  return true;
}

bool Stateful::deletes(std::string_view when) const {
  return spec()["persistentVolumeClaimRetentionPolicy"][when].string() == "Delete";
}

// True: some were missing and are made now.
bool Stateful::create_claims(const std::string& pod_name) {
  bool missing = false;
  for (const json::Node model : spec()["volumeClaimTemplates"]) {
    const std::string name = claim_name(model, pod_name);
    if (now_.state.get(api::kPersistentVolumeClaim, set_.ref->ns(), name)) continue;
    create_claim(model, pod_name, name);
    missing = true;
  }
  return missing;
}

void Stateful::create_claim(json::Node model,
                            const std::string& pod_name,
                            const std::string& name) {
  json::Tree tree;
  const json::Node claim = tree.make_root(model);
  claim.set("kind", "PersistentVolumeClaim");
  claim.set("apiVersion", "v1");
  claim.remove("status");
  const json::Node metadata = claim.object("metadata");
  metadata.set("name", name);
  metadata.set("namespace", set_.ref->ns());
  for (const json::Node label : spec()["selector"]["matchLabels"])
    metadata.object("labels").set(label.key(), label.string());
  if (deletes("whenDeleted"))
    append_controller_reference(metadata.array("ownerReferences"), *set_.ref);
  const std::string what =
      join({"create Claim ", name, " Pod ", pod_name, " in StatefulSet ", set_.ref->name()});
  plan_.add(create_call(api::kPersistentVolumeClaim, claim),
            {set_.ref, false, "SuccessfulCreate", what + " success", {}});
}

// Who takes the claims along: the set if it says so when it is deleted, the pod when it is scaled
// away.
void Stateful::keep_claims() {
  for (const json::Node model : spec()["volumeClaimTemplates"]) {
    for (const Replica& replica : replicas_) {
      if (replica.pod != nullptr) keep_claim(replica, false, model);
    }
    for (const Replica& replica : condemned_)
      keep_claim(replica, true, model);
  }
}

void Stateful::keep_claim(const Replica& replica, bool condemned, json::Node model) {
  const api::ObjectRef object = now_.state.get(api::kPersistentVolumeClaim, set_.ref->ns(),
                                               claim_name(model, replica.pod->ref->name()));
  if (!object || object->deleting()) return;
  const Parsed claim = parse(object);
  const bool with_pod = deletes("whenScaled") && condemned;
  set_owner(claim.node, *set_.ref, deletes("whenDeleted") && !with_pod);
  set_owner(claim.node, *replica.pod->ref, with_pod);
  const Parsed before = parse(object);
  if (!json::equal(claim.node, before.node)) plan_.calls.push_back(update_call(claim));
}

void Stateful::set_owner(json::Node claim, const api::Object& owner, bool wanted) const {
  const json::Node have = owner_reference(claim, owner.uid());
  const json::Node metadata = claim["metadata"];
  if (wanted == bool{have}) return;
  if (wanted) return append_controller_reference(metadata.array("ownerReferences"), owner);
  metadata["ownerReferences"].remove_child(have);
  if (metadata["ownerReferences"].size() == 0) metadata.remove("ownerReferences");
}

}  // namespace coracle::controllers
