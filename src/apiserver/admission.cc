// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/admission.h"

#include <span>

#include "apiserver/custom_resources.h"
#include "apiserver/limit_ranger.h"
#include "apiserver/node_restriction.h"
#include "apiserver/pod_admission.h"
#include "apiserver/pod_security.h"
#include "apiserver/quotas.h"
#include "apiserver/rbac_admission.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

using Admit = Result<> (*)(Parts& parts, Request& request);

struct AdmissionRule {
  std::string_view name;
  const api::Kind* kind;  // null: all
  bool create;
  bool update;
  Admit admit;
};

constexpr std::string_view kImmortal[] = {"default", "kube-system", "kube-public"};

// plugin/pkg/admission/namespace/lifecycle
Result<> namespace_lifecycle(Parts& parts, Request& request) {
  if (!request.kind->namespaced) return {};
  const api::ObjectRef ns = parts.store.get(api::kNamespace, {}, request.ns);
  if (!ns) {
    request.about = About{"", "namespaces", request.ns};
    return not_found("namespaces", request.ns);
  }
  if (!request.creating() || !ns->deleting()) return {};
  Error error = forbidden(request, join({"unable to create new content in namespace ", request.ns,
                                         " because it is being terminated"}));
  error.causes.push_back({"NamespaceTerminating",
                          join({"namespace ", request.ns, " is being terminated"}),
                          "metadata.namespace"});
  return error;
}

// plugin/pkg/admission/storage/storageobjectinuseprotection: from the very start, so that nothing
// that is in use can slip away.
Result<> protect_storage(Parts&, Request& request) {
  const bool is_claim = request.kind == &api::kPersistentVolumeClaim;
  const std::string_view name =
      is_claim ? "kubernetes.io/pvc-protection" : "kubernetes.io/pv-protection";
  const json::Node finalizers = request.object.object("metadata").array("finalizers");
  for (const json::Node each : finalizers) {
    if (each.string() == name) return {};
  }
  finalizers.append(name);
  return {};
}

constexpr AdmissionRule kRules[] = {
    {"NamespaceLifecycle", nullptr, true, true, namespace_lifecycle},
    {"LimitRanger", &api::kPod, true, false, admit_limits},
    {"LimitRanger", &api::kPersistentVolumeClaim, true, true, admit_claim_limits},
    {"DefaultStorageClass", &api::kPersistentVolumeClaim, true, false, admit_storage_class},
    {"StorageObjectInUseProtection", &api::kPersistentVolumeClaim, true, false, protect_storage},
    {"StorageObjectInUseProtection", &api::kPersistentVolume, true, false, protect_storage},
    {"ServiceAccount", &api::kPod, true, false, admit_service_account},
    {"DefaultTolerationSeconds", &api::kPod, true, true, admit_tolerations},
    {"Priority", &api::kPod, true, true, admit_priority},
    {"RuntimeClass", &api::kPod, true, false, admit_runtime_class},
    {"NodeRestriction", nullptr, true, true, admit_node_write},
    {"CustomResource", nullptr, true, true, admit_custom},
    {"CustomResourceDefinition", &api::kCustomResourceDefinition, true, true, admit_definition},
    {"RoleEscalation", &api::kRole, true, true, admit_role},
    {"RoleEscalation", &api::kClusterRole, true, true, admit_role},
    {"BindingEscalation", &api::kRoleBinding, true, true, admit_binding},
    {"BindingEscalation", &api::kClusterRoleBinding, true, true, admit_binding},
};

Result<> admit_quota(Parts& parts, Request& request) {
  return parts.quotas.admit(request);
}

// The last word is the quota's: nothing that is refused may hold a share of it.
constexpr AdmissionRule kWholeRules[] = {
    {"PodSecurity", &api::kNamespace, true, true, admit_security_labels},
    {"PodSecurity", nullptr, true, true, admit_pod_security},
    {"ResourceQuota", nullptr, true, true, admit_quota},
};

Result<> run(std::span<const AdmissionRule> rules, Parts& parts, Request& request) {
  for (const AdmissionRule& rule : rules) {
    if (rule.kind != nullptr && rule.kind != request.kind) continue;
    if (request.creating() ? !rule.create : !rule.update) continue;
    TRY(rule.admit(parts, request));
  }
  return {};
}

}  // namespace

Error forbidden(const Request& request, std::string_view why) {
  const std::string resource = qualified_resource(request.group, request.resource);
  if (request.name.empty()) return fail(Code::kForbidden, join({resource, " is forbidden: ", why}));
  return fail(Code::kForbidden, join({resource, " \"", request.name, "\" is forbidden: ", why}));
}

Result<> admit(Parts& parts, Request& request) {
  return run(kRules, parts, request);
}

Result<> admit_whole(Parts& parts, Request& request) {
  return run(kWholeRules, parts, request);
}

Result<> admit_delete(Parts& parts, Request& request) {
  if (request.kind == &api::kNamespace) {
    for (const std::string_view name : kImmortal) {
      if (request.name == name) return forbidden(request, "this namespace may not be deleted");
    }
  }
  return admit_node_delete(parts, request);
}

}  // namespace coracle::apiserver
