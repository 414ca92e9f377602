// SPDX-License-Identifier: GPL-2.0-or-later
// Makes volumes that are directories of one node, for claims of classes with the provisioner
// coracle.io/local-path. The node that has the directory makes it when a pod first needs it, and
// removes it when the volume is deleted; only then it takes the finalizer away.
#include "api/claims.h"
#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/pods.h"
#include "controllers/rows.h"
#include "controllers/volumes.h"

namespace coracle::controllers {

namespace {

constexpr std::string_view kHostname = "kubernetes.io/hostname";
constexpr std::string_view kDirectory = "/var/lib/coracle/storage";

// Why the claim asks for what a directory is not; empty: it can be had.
std::string_view refusal(json::Node claim) {
  const json::Node spec = claim["spec"];
  if (spec["volumeMode"].string() == "Block") return "a directory is no block device";
  if (spec["selector"]) return "claim.spec.selector is not supported";
  if (spec["dataSource"] || spec["dataSourceRef"]) return "data sources are not supported";
  for (const json::Node mode : spec["accessModes"]) {
    if (mode.string() != "ReadWriteOnce" && mode.string() != "ReadWriteOncePod")
      return "only ReadWriteOnce and ReadWriteOncePod access modes are supported";
  }
  return {};
}

// The node that a pod was found a place on. Without waiting for one there is a choice only where
// there is a single node.
std::string chosen_node(const Now& now, json::Node claim, json::Node made_by) {
  const std::string_view selected = claim["metadata"]["annotations"][api::kSelectedNode].string();
  if (!selected.empty()) return std::string(selected);
  if (made_by["volumeBindingMode"].string() == "WaitForFirstConsumer") return {};
  std::string only;
  size_t nodes = 0;
  api::for_each(now.state, api::kNode, {}, [&](const api::ObjectRef& node) {
    only = node->name();
    ++nodes;
  });
  return nodes == 1 ? only : std::string();
}

void write_place(json::Node spec, std::string_view path, std::string_view hostname) {
  spec.object("local").set("path", path);
  const json::Node requirement = spec.object("nodeAffinity")
                                     .object("required")
                                     .array("nodeSelectorTerms")
                                     .append_object()
                                     .array("matchExpressions")
                                     .append_object();
  requirement.set("key", kHostname);
  requirement.set("operator", "In");
  requirement.array("values").append(hostname);
}

std::string_view hostname_of(json::Node node) {
  const json::Node metadata = node["metadata"];
  return metadata["labels"][kHostname].string(metadata["name"].string());
}

api::Call create_volume(const Parsed& claim, json::Node made_by, json::Node node) {
  const std::string name = join({"pvc-", claim.ref->uid()});
  json::Tree tree;
  const json::Node volume = tree.make_object();
  volume.set("kind", "PersistentVolume");
  volume.set("apiVersion", "v1");
  const json::Node metadata = volume.object("metadata");
  metadata.set("name", std::string_view(name));
  metadata.object("annotations").set(api::kProvisionedBy, api::kLocalPath);
  metadata.array("finalizers").append(kVolumeProtection);
  metadata["finalizers"].append(api::kLocalPath);
  const json::Node spec = volume.object("spec");
  spec.object("capacity").set("storage", claim.node["spec"]["resources"]["requests"]["storage"]);
  spec.set("accessModes", claim.node["spec"]["accessModes"]);
  spec.set("persistentVolumeReclaimPolicy", made_by["reclaimPolicy"].string("Delete"));
  spec.set("storageClassName", api::storage_class_of(claim.node));
  spec.set("volumeMode", "Filesystem");
  const std::string_view directory =
      node["metadata"]["annotations"][api::kStorageDirectory].string(kDirectory);
  write_place(spec, join({directory, "/", name}), hostname_of(node));
  const json::Node reference = spec.object("claimRef");
  reference.set("kind", "PersistentVolumeClaim");
  reference.set("apiVersion", "v1");
  reference.set("namespace", claim.ref->ns());
  reference.set("name", claim.ref->name());
  reference.set("uid", claim.ref->uid());
  reference.set("resourceVersion", std::string_view(std::to_string(claim.ref->version())));
  return create_call(api::kPersistentVolume, volume);
}

void fail_provisioning(const Parsed& claim, std::string_view why, api::Plan& plan) {
  plan.notes.push_back({claim.ref,
                        true,
                        "ProvisioningFailed",
                        join({"failed to provision volume with StorageClass \"",
                              api::storage_class_of(claim.node), "\": ", why}),
                        {}});
}

void provision(const Now& now, const Parsed& claim, json::Node made_by, api::Plan& plan) {
  const std::string_view why = refusal(claim.node);
  if (!why.empty()) return fail_provisioning(claim, why, plan);
  const std::string name = chosen_node(now, claim.node, made_by);
  if (name.empty()) {
    if (made_by["volumeBindingMode"].string() == "WaitForFirstConsumer") return;
    return fail_provisioning(claim,
                             "no node was specified; volumeBindingMode WaitForFirstConsumer "
                             "lets the scheduler choose one",
                             plan);
  }
  const api::ObjectRef node = now.state.get(api::kNode, {}, name);
  if (!node) {  // the scheduler shall choose again
    claim.node["metadata"]["annotations"].remove(api::kSelectedNode);
    plan.calls.push_back(update_call(claim));
    return;
  }
  plan.add(create_volume(claim, made_by, parse(node).node),
           {claim.ref,
            false,
            "ProvisioningSucceeded",
            join({"Successfully provisioned volume pvc-", claim.ref->uid()}),
            {}});
}

void plan_claim(const Now& now, const Parsed& claim, api::Plan& plan) {
  if (claim.ref->deleting() || !claim.node["spec"]["volumeName"].string().empty() ||
      claim.node["metadata"]["annotations"][kStorageProvisioner].string() != api::kLocalPath ||
      now.state.get(api::kPersistentVolume, {}, join({"pvc-", claim.ref->uid()})))
    return;
  const api::ObjectRef made_by =
      now.state.get(api::kStorageClass, {}, api::storage_class_of(claim.node));
  if (made_by) provision(now, claim, parse(made_by).node, plan);
}

bool is_host_there(const Now& now, json::Node volume) {
  const json::Node term = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"].first();
  const std::string_view host = term["matchExpressions"].first()["values"].first().string();
  bool found = false;
  api::for_each(now.state, api::kNode, {}, [&](const api::ObjectRef& object) {
    json::Tree tree;
    if (!found) found = hostname_of(object->parse(tree)) == host;
  });
  return found;
}

void plan_volume(const Now& now, const Parsed& volume, api::Plan& plan) {
  if (volume.node["metadata"]["annotations"][api::kProvisionedBy].string() != api::kLocalPath)
    return;
  const std::string_view phase = volume.node["status"]["phase"].string();
  const bool remove = volume.node["spec"]["persistentVolumeReclaimPolicy"].string() == "Delete";
  if (!volume.ref->deleting()) {
    if (remove && phase == "Released") plan.calls.push_back(delete_call(*volume.ref));
    return;
  }
  const bool held = phase == "Bound" || !has_finalizer(volume.node, api::kLocalPath);
  if (held || (remove && is_host_there(now, volume.node))) return;
  remove_finalizer(volume.node, api::kLocalPath);
  plan.calls.push_back(update_call(volume));
}

Result<api::Plan> plan_local_path(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef object = now.state.get(*key.kind, key.ns, key.name);
  if (!object) return plan;
  if (key.kind == &api::kPersistentVolume)
    plan_volume(now, parse(object), plan);
  else if (key.kind == &api::kPersistentVolumeClaim)
    plan_claim(now, parse(object), plan);
  return plan;
}

void wake_for_node(const api::Change& change, const api::State& state, Keys& keys) {
  if (change.type == api::ChangeType::kModified) return;
  const bool gone = change.type == api::ChangeType::kDeleted;
  const api::Kind& kind = gone ? api::kPersistentVolume : api::kPersistentVolumeClaim;
  api::for_each(state, kind, {}, [&](const api::ObjectRef& object) {
    if (object->text().find(api::kLocalPath) != std::string_view::npos)
      keys.insert({&kind, std::string(object->ns()), std::string(object->name())});
  });
}

constexpr Watch kWatches[] = {{&api::kPersistentVolumeClaim, wake_itself},
                              {&api::kPersistentVolume, wake_itself},
                              {&api::kNode, wake_for_node}};

}  // namespace

const Controller kLocalPathController{"coracle.io/local-path", kWatches, plan_local_path, nullptr};

}  // namespace coracle::controllers
