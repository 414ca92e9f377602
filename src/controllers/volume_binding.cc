// SPDX-License-Identifier: GPL-2.0-or-later
// Brings claims and volumes together (upstream pkg/controller/volume/persistentvolume). Keys are
// claims and volumes; a plan writes each object once, and the change wakes whoever goes on.
#include "api/claims.h"
#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/rows.h"
#include "controllers/volumes.h"

namespace coracle::controllers {

namespace {

using api::Subresource;

constexpr std::string_view kInTree = "kubernetes.io/";

// --- One claim

class ClaimPlan {
 public:
  ClaimPlan(const Now& now, const api::ObjectRef& object)
      : now_(now),
        claim_(parse(object)),
        next_(parse(object)) {}

  api::Plan plan() {
    if (claim_.node["metadata"]["annotations"][api::kBindCompleted])
      keep();
    else if (volume_name().empty())
      look();
    else
      take_named();
    return std::move(plan_);
  }

 private:
  std::string_view volume_name() const { return claim_.node["spec"]["volumeName"].string(); }
  Parsed volume_named() const {
    const api::ObjectRef found = now_.state.get(api::kPersistentVolume, {}, volume_name());
    return found ? parse(found) : Parsed{};
  }
  void note(bool warning, const char* reason, std::string message) {
    plan_.notes.push_back({claim_.ref, warning, reason, std::move(message), {}});
  }
  void look();
  void take_named();
  void keep();
  void bind(const Parsed& volume);
  void finish(const Parsed& volume);
  void set_phase(std::string_view phase, const Parsed* volume);
  void lose(const char* reason, const char* message);
  void wait_for_consumer();
  void ask_provisioner(std::string_view class_name);

  const Now& now_;
  Parsed claim_;
  Parsed next_;
  api::Plan plan_;
};

void ClaimPlan::look() {
  const bool placed = bool{claim_.node["metadata"]["annotations"][api::kSelectedNode]};
  const bool delayed = !placed && api::waits_for_consumer(now_.state, claim_.node);
  // Only what is reserved for it already; the rest is for the scheduler to say.
  struct Reserved final : api::VolumeTest {
    bool passes(json::Node volume) const override { return bool{volume["spec"]["claimRef"]}; }
  };
  const Reserved reserved;
  const api::ObjectRef found =
      api::find_volume(now_.state, claim_.node, delayed ? &reserved : nullptr);
  if (found) return bind(parse(found));
  const std::string_view name = api::storage_class_of(claim_.node);
  if (delayed)
    wait_for_consumer();
  else if (!name.empty())
    ask_provisioner(name);
  else
    note(false, "FailedBinding",
         "no persistent volumes available for this claim and no storage class is set");
  if (plan_.calls.empty()) set_phase("Pending", nullptr);
}

void ClaimPlan::wait_for_consumer() {
  std::string pods;
  api::for_each(now_.state, api::kPod, claim_.ref->ns(), [&](const api::ObjectRef& object) {
    if (object->text().find(claim_.ref->name()) == std::string_view::npos) return;
    json::Tree tree;
    const json::Node pod = object->parse(tree);
    if (!uses_claim(pod, claim_.ref->name())) return;
    pods += join({pods.empty() ? "" : ",", object->name()});
  });
  if (pods.empty())
    note(false, "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
  else
    note(false, "WaitForPodScheduled", join({"waiting for pod ", pods, " to be scheduled"}));
}

void ClaimPlan::ask_provisioner(std::string_view class_name) {
  const api::ObjectRef found = now_.state.get(api::kStorageClass, {}, class_name);
  if (!found) {
    return note(true, "ProvisioningFailed",
                join({"storageclass.storage.k8s.io \"", class_name, "\" not found"}));
  }
  json::Tree tree;
  const json::Node by = found->parse(tree)["provisioner"];
  if (by.string().starts_with(kInTree)) {
    return note(true, "ProvisioningFailed", join({"no volume plugin matched name: ", by.string()}));
  }
  const json::Node notes = next_.node["metadata"].object("annotations");
  if (by.string() != api::kLocalPath) {
    note(false, "ExternalProvisioning",
         join({"Waiting for a volume to be created either by the external provisioner '",
               by.string(),
               "' or manually by the system administrator. If volume creation is delayed, please "
               "verify that the provisioner is running and correctly registered."}));
  }
  if (notes[kStorageProvisioner].string() == by.string()) return;
  notes.set(kOldStorageProvisioner, by.string());
  notes.set(kStorageProvisioner, by.string());
  plan_.calls.push_back(update_call(next_));
}

void ClaimPlan::take_named() {
  const Parsed volume = volume_named();
  if (!volume.node) return set_phase("Pending", nullptr);
  if (!volume.node["spec"]["claimRef"]) {
    const std::string_view why = api::mismatch(volume.node, claim_.node);
    if (why.empty()) return bind(volume);
    note(true, "VolumeMismatch",
         join({"Cannot bind to requested volume \"", volume_name(), "\": ", why}));
    return set_phase("Pending", nullptr);
  }
  if (api::is_reserved_for(volume.node, claim_.node)) return bind(volume);
  note(true, "FailedBinding",
       join({"volume \"", volume_name(), "\" already bound to a different claim."}));
  set_phase("Pending", nullptr);
}

void ClaimPlan::keep() {
  if (volume_name().empty())
    return lose("ClaimLost",
                "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  const Parsed volume = volume_named();
  if (!volume.node)
    return lose("ClaimLost",
                "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  if (!volume.node["spec"]["claimRef"] || api::is_reserved_for(volume.node, claim_.node))
    return bind(volume);
  lose("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
}

// The volume first: whoever gets it there has it.
void ClaimPlan::bind(const Parsed& volume) {
  const json::Node spec = volume.node["spec"];
  if (spec["claimRef"]["uid"].string() == claim_.ref->uid() &&
      spec["claimRef"]["name"].string() == claim_.ref->name())
    return finish(volume);
  const json::Node reference = spec.object("claimRef");
  if (reference.size() == 0)
    volume.node["metadata"].object("annotations").set(api::kBoundByController, "yes");
  reference.set("kind", "PersistentVolumeClaim");
  reference.set("namespace", claim_.ref->ns());
  reference.set("name", claim_.ref->name());
  reference.set("uid", claim_.ref->uid());
  reference.set("apiVersion", "v1");
  reference.set("resourceVersion", std::string_view(std::to_string(claim_.ref->version())));
  plan_.calls.push_back(update_call(volume));
}

void ClaimPlan::finish(const Parsed& volume) {
  const json::Node notes = next_.node["metadata"].object("annotations");
  const bool named = volume_name() == volume.ref->name();
  if (named && notes[api::kBindCompleted]) return set_phase("Bound", &volume);
  if (!named) {
    next_.node["spec"].set("volumeName", volume.ref->name());
    notes.set(api::kBoundByController, "yes");
  }
  notes.set(api::kBindCompleted, "yes");
  plan_.calls.push_back(update_call(next_));
}

void ClaimPlan::lose(const char* reason, const char* message) {
  if (claim_.node["status"]["phase"].string() != "Lost") note(true, reason, message);
  set_phase("Lost", nullptr);
}

void ClaimPlan::set_phase(std::string_view phase, const Parsed* volume) {
  const json::Node status = next_.node.object("status");
  status.set("phase", phase);
  if (volume == nullptr) {
    status.remove("accessModes");
    status.remove("capacity");
  } else {
    status.set("accessModes", volume->node["spec"]["accessModes"]);
    if (!status["capacity"] || claim_.node["status"]["phase"].string() != "Bound")
      status.set("capacity", volume->node["spec"]["capacity"]);
  }
  if (!json::equal(status, claim_.node["status"]))
    plan_.calls.push_back(update_call(next_, Subresource::kStatus));
}

// --- One volume

class VolumePlan {
 public:
  VolumePlan(const Now& now, const api::ObjectRef& object)
      : now_(now),
        volume_(parse(object)),
        next_(parse(object)) {}

  api::Plan plan() {
    const json::Node reference = volume_.node["spec"]["claimRef"];
    if (!reference || reference["uid"].string().empty()) {
      set_phase("Available");
      return std::move(plan_);
    }
    const api::ObjectRef claim = now_.state.get(
        api::kPersistentVolumeClaim, reference["namespace"].string(), reference["name"].string());
    if (!claim || claim->uid() != reference["uid"].string())
      release();
    else
      follow(parse(claim));
    return std::move(plan_);
  }

 private:
  void follow(const Parsed& claim);
  void release();
  void unbind();
  void set_phase(std::string_view phase, std::string_view message = {});
  void fail_reclaim(const char* reason, const std::string& message);

  const Now& now_;
  Parsed volume_;
  Parsed next_;
  api::Plan plan_;
};

void VolumePlan::follow(const Parsed& claim) {
  const std::string_view wanted = claim.node["spec"]["volumeName"].string();
  if (wanted == volume_.ref->name()) return set_phase("Bound");
  if (wanted.empty()) return;  // the claim's own plan goes on
  // The claim took another volume.
  const json::Node notes = volume_.node["metadata"]["annotations"];
  const bool made = bool{notes[api::kProvisionedBy]};
  if (made && volume_.node["spec"]["persistentVolumeReclaimPolicy"].string() == "Delete")
    return release();
  unbind();
}

void VolumePlan::unbind() {
  const json::Node notes = next_.node["metadata"]["annotations"];
  if (notes[api::kBoundByController]) {
    next_.node["spec"].remove("claimRef");
    notes.remove(api::kBoundByController);
  } else {
    next_.node["spec"]["claimRef"].remove("uid");
    next_.node["spec"]["claimRef"].remove("resourceVersion");
  }
  plan_.calls.push_back(update_call(next_));
}

void VolumePlan::release() {
  const std::string_view phase = volume_.node["status"]["phase"].string();
  if (phase != "Released" && phase != "Failed") return set_phase("Released");
  if (phase == "Failed" || volume_.ref->deleting()) return;
  const std::string_view policy =
      volume_.node["spec"]["persistentVolumeReclaimPolicy"].string("Retain");
  const bool made = bool{volume_.node["metadata"]["annotations"][api::kProvisionedBy]};
  if (policy == "Recycle")
    return fail_reclaim("VolumeFailedRecycle", "No recycler plugin found for the volume!");
  // What a provisioner made, it takes away.
  if (policy != "Delete" || made || volume_.node["spec"]["csi"]) return;
  fail_reclaim("VolumeFailedDelete",
               join({"error getting deleter volume plugin for volume \"", volume_.ref->name(),
                     "\": no deletable volume plugin matched"}));
}

void VolumePlan::fail_reclaim(const char* reason, const std::string& message) {
  plan_.notes.push_back({volume_.ref, true, reason, message, {}});
  set_phase("Failed", message);
}

void VolumePlan::set_phase(std::string_view phase, std::string_view message) {
  const json::Node status = next_.node.object("status");
  if (status["phase"].string() == phase && status["message"].string() == message) return;
  if (status["phase"].string() != phase) status.set("lastPhaseTransitionTime", rfc3339(now_.wall));
  status.set("phase", phase);
  if (message.empty())
    status.remove("message");
  else
    status.set("message", message);
  plan_.calls.push_back(update_call(next_, Subresource::kStatus));
}

Result<api::Plan> plan_binding(const Now& now, const api::Key& key) {
  const api::ObjectRef object = now.state.get(*key.kind, key.ns, key.name);
  if (!object) return api::Plan{};
  if (key.kind == &api::kPersistentVolume) return VolumePlan(now, object).plan();
  return ClaimPlan(now, object).plan();
}

// --- What wakes whom

void wake_reserved(const api::Object& volume, Keys& keys) {
  json::Tree tree;
  const json::Node reference = volume.parse(tree)["spec"]["claimRef"];
  if (!reference) return;
  keys.insert({&api::kPersistentVolumeClaim, std::string(reference["namespace"].string()),
               std::string(reference["name"].string())});
}

// Claims that look for a volume: all, or those of one class.
void wake_seekers(const api::State& state, std::string_view class_name, Keys& keys) {
  api::for_each(state, api::kPersistentVolumeClaim, {}, [&](const api::ObjectRef& object) {
    json::Tree tree;
    const json::Node claim = object->parse(tree);
    if (!api::is_bound(claim) && api::storage_class_of(claim) == class_name)
      keys.insert(
          {&api::kPersistentVolumeClaim, std::string(object->ns()), std::string(object->name())});
  });
}

void wake_for_volume(const api::Change& change, const api::State& state, Keys& keys) {
  keys.insert({&api::kPersistentVolume, {}, std::string(change.after->name())});
  if (change.before) wake_reserved(*change.before, keys);
  wake_reserved(*change.after, keys);
  json::Tree tree;
  const json::Node volume = change.after->parse(tree);
  const bool is_free = volume["status"]["phase"].string() == "Available";
  if (is_free || change.type == api::ChangeType::kDeleted)
    wake_seekers(state, api::storage_class_of(volume), keys);
  if (change.type != api::ChangeType::kDeleted) return;
  // A claim that is bound to it may name it without being named by it.
  api::for_each(state, api::kPersistentVolumeClaim, {}, [&](const api::ObjectRef& object) {
    json::Tree claim_tree;
    if (object->parse(claim_tree)["spec"]["volumeName"].string() == change.after->name())
      keys.insert(
          {&api::kPersistentVolumeClaim, std::string(object->ns()), std::string(object->name())});
  });
}

void wake_for_claim(const api::Change& change, const api::State& state, Keys& keys) {
  const api::Object& claim = *change.after;
  keys.insert({&api::kPersistentVolumeClaim, std::string(claim.ns()), std::string(claim.name())});
  json::Tree tree;
  const std::string_view volume = claim.parse(tree)["spec"]["volumeName"].string();
  if (!volume.empty()) keys.insert({&api::kPersistentVolume, {}, std::string(volume)});
  if (change.type != api::ChangeType::kDeleted) return;
  api::for_each(state, api::kPersistentVolume, {}, [&](const api::ObjectRef& object) {
    json::Tree volume_tree;
    const json::Node reference = object->parse(volume_tree)["spec"]["claimRef"];
    if (reference["uid"].string() == claim.uid())
      keys.insert({&api::kPersistentVolume, {}, std::string(object->name())});
  });
}

void wake_for_class(const api::Change& change, const api::State& state, Keys& keys) {
  wake_seekers(state, change.after->name(), keys);
}

constexpr Watch kWatches[] = {{&api::kPersistentVolumeClaim, wake_for_claim},
                              {&api::kPersistentVolume, wake_for_volume},
                              {&api::kStorageClass, wake_for_class}};

}  // namespace

const Controller kVolumeBindingController{"persistentvolume-controller", kWatches, plan_binding,
                                          nullptr};

}  // namespace coracle::controllers
