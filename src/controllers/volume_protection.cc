// SPDX-License-Identifier: GPL-2.0-or-later
// Claims that pods use and volumes that are bound stay until they no longer are (upstream
// pkg/controller/volume/pvcprotection, pvprotection).
#include "api/claims.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/rows.h"
#include "controllers/volumes.h"

namespace coracle::controllers {

bool uses_claim(json::Node pod, std::string_view claim) {
  for (const json::Node volume : pod["spec"]["volumes"]) {
    if (api::claim_of(volume, pod["metadata"]["name"].string()) == claim) return true;
  }
  return false;
}

bool has_finalizer(json::Node object, std::string_view name) {
  for (const json::Node each : object["metadata"]["finalizers"]) {
    if (each.string() == name) return true;
  }
  return false;
}

void remove_finalizer(json::Node object, std::string_view name) {
  const json::Node list = object["metadata"]["finalizers"];
  for (const json::Node each : list) {
    if (each.string() == name) list.remove_child(each);
  }
  if (list && list.size() == 0) object["metadata"].remove("finalizers");
}

namespace {

// A pod that has a node: the kubelet lets none begin that uses a claim being deleted.
bool is_used(const Now& now, const Parsed& claim) {
  bool used = false;
  api::for_each(now.state, api::kPod, claim.ref->ns(), [&](const api::ObjectRef& object) {
    if (used || object->text().find(claim.ref->name()) == std::string_view::npos) return;
    json::Tree tree;
    const json::Node pod = object->parse(tree);
    used = !pod["spec"]["nodeName"].string().empty() && uses_claim(pod, claim.ref->name());
  });
  return used;
}

Result<api::Plan> plan_protection(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef found = now.state.get(*key.kind, key.ns, key.name);
  if (!found) return plan;
  const Parsed object = parse(found);
  const bool is_claim = key.kind == &api::kPersistentVolumeClaim;
  if (!is_claim && key.kind != &api::kPersistentVolume) return plan;
  const std::string_view finalizer = is_claim ? kClaimProtection : kVolumeProtection;
  const bool has = has_finalizer(object.node, finalizer);
  if (has != found->deleting()) return plan;
  if (!has) {
    object.node["metadata"].array("finalizers").append(finalizer);
  } else {
    const bool used =
        is_claim ? is_used(now, object) : object.node["status"]["phase"].string() == "Bound";
    if (used) return plan;
    remove_finalizer(object.node, finalizer);
  }
  plan.calls.push_back(update_call(object));
  return plan;
}

void wake_claims(const api::Change& change, const api::State&, Keys& keys) {
  const bool gone = change.type == api::ChangeType::kDeleted;
  // Claims are let go of when a pod ends, not when it changes.
  if (!gone && change.before) return;
  const std::string_view text = change.after->text();
  if (text.find("\"persistentVolumeClaim\"") == std::string_view::npos &&
      text.find("\"ephemeral\"") == std::string_view::npos)
    return;
  json::Tree tree;
  for (std::string& claim : api::claims_of(change.after->parse(tree)))
    keys.insert({&api::kPersistentVolumeClaim, std::string(change.after->ns()), std::move(claim)});
}

constexpr Watch kWatches[] = {{&api::kPersistentVolumeClaim, wake_itself},
                              {&api::kPersistentVolume, wake_itself},
                              {&api::kPod, wake_claims}};

}  // namespace

const Controller kVolumeProtectionController{"persistentvolumeclaim-protection-controller",
                                             kWatches, plan_protection, nullptr};

}  // namespace coracle::controllers
