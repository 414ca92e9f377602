// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/node_restriction.h"

#include "api/claims.h"
#include "api/node_terms.h"
#include "apiserver/admission.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kRestricted = "node-restriction.kubernetes.io/";

// A label below node-restriction.kubernetes.io belongs to the administrators.
bool restricted_labels_changed(json::Node labels, json::Node old) {
  for (const json::Node label : labels) {
    const bool restricted = label.key().find(kRestricted) != std::string_view::npos;
    if (restricted && old[label.key()].string() != label.string()) return true;
  }
  for (const json::Node label : old) {
    const bool restricted = label.key().find(kRestricted) != std::string_view::npos;
    if (restricted && !labels[label.key()]) return true;
  }
  return false;
}

Result<> own_node(const Request& request, std::string_view node) {
  if (request.name != node) {
    return forbidden(request, join({"node \"", node, "\" is not allowed to modify node \"",
                                    request.name, "\""}));
  }
  const json::Node old = request.old;
  if (restricted_labels_changed(request.object["metadata"]["labels"], old["metadata"]["labels"])) {
    return forbidden(request, join({"node \"", node, "\" is not allowed to modify labels with the ",
                                    kRestricted, " prefix"}));
  }
  // CVE-2025-5187: an owner that does not exist has the garbage collector delete the node.
  if (old && !json::equal(request.object["metadata"]["ownerReferences"],
                          old["metadata"]["ownerReferences"])) {
    return forbidden(request,
                     join({"node \"", node, "\" is not allowed to modify ownerReferences"}));
  }
  if (old && !json::equal(request.object["spec"]["taints"], old["spec"]["taints"]) &&
      (request.object["spec"]["taints"].size() > 0 || old["spec"]["taints"].size() > 0)) {
    return forbidden(request, join({"node \"", node, "\" is not allowed to modify taints"}));
  }
  return {};
}

Result<> own_pod(const Request& request, std::string_view node) {
  if (request.creating()) {
    const bool mirror =
        static_cast<bool>(request.object["metadata"]["annotations"]["kubernetes.io/config.mirror"]);
    if (!mirror) {
      return forbidden(request, join({"pod does not have \"kubernetes.io/config.mirror\" "
                                      "annotation, node \"",
                                      node, "\" can only create mirror pods"}));
    }
    if (request.object["spec"]["nodeName"].string() == node) return {};
    return forbidden(request, join({"node \"", node,
                                    "\" can only create pods with spec.nodeName "
                                    "set to itself"}));
  }
  if (request.subresource == api::Subresource::kStatus &&
      request.old["spec"]["nodeName"].string() == node) {
    return {};
  }
  return forbidden(request, join({"node \"", node,
                                  "\" can only update pod status for pods with "
                                  "spec.nodeName set to itself"}));
}

// Of a volume that is a directory of this node, and was deleted: its finalizer goes when the
// directory is gone. Nothing else of a volume is a node's to change.
Result<> own_volume(Parts& parts, const Request& request, std::string_view node) {
  const json::Node before = request.old["metadata"];
  const json::Node after = request.object["metadata"];
  bool released =
      before["deletionTimestamp"] && before["finalizers"].size() == after["finalizers"].size() + 1;
  for (const json::Node left : after["finalizers"]) {
    bool known = false;
    for (const json::Node each : before["finalizers"])
      known = known || each.string() == left.string();
    released = released && known && left.string() != api::kLocalPath;
  }
  const json::Node spec = request.old["spec"];
  const bool same = json::equal(spec, request.object["spec"]) &&
                    json::equal(before["annotations"], after["annotations"]) &&
                    json::equal(before["labels"], after["labels"]);
  const api::ObjectRef self = parts.store.get(api::kNode, {}, node);
  json::Tree tree;
  const bool here =
      self && api::any_term_matches(spec["nodeAffinity"]["required"]["nodeSelectorTerms"],
                                    self->parse(tree));
  if (released && same && here) return {};
  return forbidden(request, join({"node \"", node,
                                  "\" can only remove the finalizer of deleted volumes that are "
                                  "directories of its own"}));
}

}  // namespace

Result<> admit_node_write(Parts& parts, Request& request) {
  const std::string_view node = request.user.node();
  if (node.empty()) return {};
  if (request.kind == &api::kNode) return own_node(request, node);
  if (request.kind == &api::kPod) return own_pod(request, node);
  if (request.kind == &api::kPersistentVolume) return own_volume(parts, request, node);
  if (request.kind == &api::kLease) {
    if (request.ns == "kube-node-lease" && request.name == node) return {};
    return forbidden(request,
                     "can only access node lease with the same name as the requesting "
                     "node");
  }
  return {};
}

Result<> admit_node_delete(Parts& parts, Request& request) {
  const std::string_view node = request.user.node();
  if (node.empty() || request.kind != &api::kPod) return {};
  const api::ObjectRef stored = parts.store.get(api::kPod, request.ns, request.name);
  if (!stored) return {};  // 404 comes later
  json::Tree tree;
  if (stored->parse(tree)["spec"]["nodeName"].string() == node) return {};
  return forbidden(request, join({"node \"", node,
                                  "\" can only delete pods with spec.nodeName set "
                                  "to itself"}));
}

Result<> admit_node_token(Parts& parts, const Request& request, json::Node body) {
  const std::string_view node = request.user.node();
  if (node.empty()) return {};
  const json::Node bound = body["spec"]["boundObjectRef"];
  if (bound["kind"].string() != "Pod") {
    return forbidden(request, "node requested token not bound to a pod");
  }
  const api::ObjectRef pod = parts.store.get(api::kPod, request.ns, bound["name"].string());
  json::Tree tree;
  const json::Node spec = pod ? pod->parse(tree)["spec"] : json::Node();
  if (spec["nodeName"].string() == node && spec["serviceAccountName"].string() == request.name) {
    return {};
  }
  return forbidden(request, "node requested token bound to a pod scheduled on a different node");
}

}  // namespace coracle::apiserver
