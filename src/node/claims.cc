// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/claims.h"

#include "api/claims.h"
#include "api/node_terms.h"
#include "base/bytes.h"
#include "node/users.h"

namespace coracle::node {

namespace {

bool is_owned_by(json::Node claim, std::string_view uid) {
  for (const json::Node owner : claim["metadata"]["ownerReferences"]) {
    if (owner["controller"].boolean() && owner["uid"].string() == uid) return true;
  }
  return false;
}

// The name of the volume that the claim is bound to.
Result<std::string> bound_name(const VolumeContext& context,
                               json::Node volume,
                               const api::ObjectRef& object) {
  const json::Node pod = context.pod["metadata"];
  json::Tree tree;
  const json::Node claim = object->parse(tree);
  if (volume["ephemeral"] && !is_owned_by(claim, pod["uid"].string()))
    return fail(Code::kConflict,
                join({"PVC ", object->ns(), "/", object->name(), " was not created for pod ",
                      object->ns(), "/", pod["name"].string(), " (pod is not owner)"}));
  if (object->deleting()) return fail(Code::kConflict, "PVC is being deleted");
  if (claim["status"]["phase"].string() != "Bound")
    return fail(Code::kConflict, "PVC is not bound");
  std::string name(claim["spec"]["volumeName"].string());
  if (name.empty()) return fail(Code::kConflict, "PVC has empty pvc.Spec.VolumeName");
  return name;
}

Result<json::Node> find_volume_of(const VolumeContext& context,
                                  json::Node volume,
                                  const api::ObjectRef& claim,
                                  json::Tree& tree) {
  const std::string name = TRY(bound_name(context, volume, claim));
  const api::ObjectRef object = context.state.get(api::kPersistentVolume, {}, name);
  if (!object)
    return fail(Code::kNotFound,
                join({"failed to fetch PV ", name, " from API server: persistentvolumes \"", name,
                      "\" not found"}));
  const json::Node found = object->parse(tree);
  if (found["spec"]["claimRef"]["uid"].string() != claim->uid())
    return fail(Code::kConflict, join({"found PV object ", name,
                                       " with an incorrect pv.Spec.ClaimRef.UID that does not "
                                       "match PVC UID ",
                                       claim->uid()}));
  return found;
}

bool reaches_here(const VolumeContext& context, json::Node volume) {
  const json::Node required = volume["spec"]["nodeAffinity"]["required"];
  if (!required) return true;
  const api::ObjectRef node = context.state.get(api::kNode, {}, context.place.node_name);
  json::Tree tree;
  return node && api::any_term_matches(required["nodeSelectorTerms"], node->parse(tree));
}

Result<> make_provisioned(const VolumeContext& context, const std::string& path) {
  constexpr uint32_t kOpen = 0777;  // whoever the containers run as
  TRY(context.disk.make_directories(path.substr(0, path.rfind('/')), 0711));
  TRY(context.disk.make_directories(path, kOpen));
  const std::unique_ptr<port::Tree> tree = TRY(context.disk.tree(path));
  return tree->set_mode(".", kOpen);
}

Result<> set_up(const VolumeContext& context, json::Node found) {
  const json::Node spec = found["spec"];
  if (spec["volumeMode"].string() == "Block")
    return fail(Code::kBadRequest, "volumes of mode Block are not supported");
  if (spec["hostPath"]) return check_host_path(context, spec["hostPath"]);
  if (!spec["local"])
    return fail(Code::kBadRequest,
                "no volume plugin matched: only hostPath and local volumes are supported");
  const std::string path(spec["local"]["path"].string());
  if (context.disk.stat(path)) return {};
  if (found["metadata"]["annotations"][api::kProvisionedBy].string() != api::kLocalPath)
    return fail(Code::kNotFound, join({"path \"", path, "\" does not exist"}));
  return make_provisioned(context, path);
}

}  // namespace

bool is_claim(json::Node volume) {
  return volume["persistentVolumeClaim"] || volume["ephemeral"];
}

Result<json::Node> claimed_volume(const VolumeContext& context,
                                  json::Node volume,
                                  json::Tree& tree) {
  const json::Node pod = context.pod["metadata"];
  const std::string name = api::claim_of(volume, pod["name"].string());
  const std::string_view ns = pod["namespace"].string();
  const api::ObjectRef claim = context.state.get(api::kPersistentVolumeClaim, ns, name);
  const auto explained = [&](const Error& error) {
    return fail(error.code, join({"error processing PVC ", ns, "/", name, ": ", error.message}));
  };
  if (!claim)
    return explained(fail(Code::kNotFound, join({"failed to fetch PVC from API server: "
                                                 "persistentvolumeclaims \"",
                                                 name, "\" not found"})));
  Result<json::Node> found = find_volume_of(context, volume, claim, tree);
  return found ? found : Result<json::Node>(explained(found.error()));
}

std::string claimed_path(json::Node persistent_volume) {
  const json::Node spec = persistent_volume["spec"];
  return std::string((spec["hostPath"] ? spec["hostPath"] : spec["local"])["path"].string());
}

Result<> prepare_claim(const VolumeContext& context, json::Node volume) {
  json::Tree tree;
  const Result<json::Node> found = claimed_volume(context, volume, tree);
  const std::string_view own = volume["name"].string();
  if (!found)
    return fail(found.error().code,
                join({"Unable to attach or mount volumes: unmounted volumes=[", own,
                      "], unattached volumes=[], failed to process volumes=[", own,
                      "]: ", found.error().message}));
  const std::string_view name = (*found)["metadata"]["name"].string();
  if (!reaches_here(context, *found))
    return fail(Code::kConflict, join({"MountVolume.NodeAffinity check failed for volume \"", name,
                                       "\" : no matching NodeSelectorTerms"}));
  const Result<> ready = set_up(context, *found);
  if (ready) return {};
  return fail(ready.error().code, join({"MountVolume.SetUp failed for volume \"", name,
                                        "\" : ", ready.error().message}));
}

std::vector<GroupVolume> group_volumes(const VolumeContext& context) {
  std::vector<GroupVolume> volumes;
  if (!fs_group(context.pod)) return volumes;
  for (const json::Node volume : context.pod["spec"]["volumes"]) {
    if (!is_claim(volume) || volume["persistentVolumeClaim"]["readOnly"].boolean()) continue;
    json::Tree tree;
    const Result<json::Node> found = claimed_volume(context, volume, tree);
    if (found && (*found)["spec"]["local"])
      volumes.push_back({std::string(volume["name"].string()), claimed_path(*found)});
  }
  return volumes;
}

}  // namespace coracle::node
