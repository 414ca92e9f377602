// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/rbac_defaults.h"

#include "base/bytes.h"
#include "json/writer.h"

namespace coracle::apiserver {
namespace {

// Comma-separated sets; "-" is the core group. Rows of one role follow each other.
struct Row {
  std::string_view role;
  std::string_view verbs = {};
  std::string_view groups = {};
  std::string_view resources = {};
  std::string_view names = {};
  std::string_view urls = {};
};

constexpr std::string_view kRead = "get,list,watch";
constexpr std::string_view kWrite = "create,delete,deletecollection,patch,update";
constexpr std::string_view kAll = "create,delete,deletecollection,get,list,patch,update,watch";
constexpr std::string_view kToAdmin = "system:aggregate-to-admin";
constexpr std::string_view kToEdit = "system:aggregate-to-edit";
constexpr std::string_view kToView = "system:aggregate-to-view";
constexpr std::string_view kManager = "system:kube-controller-manager";
constexpr std::string_view kScheduler = "system:kube-scheduler";
constexpr std::string_view kNode = "system:node";

constexpr Row kRows[] = {
    {"cluster-admin", "*", "*", "*"},
    {"cluster-admin", "*", "", "", "", "*"},
    {"admin"},
    {"edit"},
    {"view"},
    {kToAdmin, "create", "authorization.k8s.io", "localsubjectaccessreviews"},
    {kToAdmin, kAll, "rbac.authorization.k8s.io", "rolebindings,roles"},
    {kToEdit, kRead, "-",
     "pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy"},
    {kToEdit, "impersonate", "-", "serviceaccounts"},
    {kToEdit, kWrite, "-", "pods,pods/attach,pods/exec,pods/portforward,pods/proxy"},
    {kToEdit, "create", "-", "pods/eviction"},
    {kToEdit, kWrite, "-",
     "configmaps,events,persistentvolumeclaims,replicationcontrollers,"
     "replicationcontrollers/scale,secrets,serviceaccounts,services,services/proxy"},
    {kToEdit, "create", "-", "serviceaccounts/token"},
    {kToEdit, kWrite, "apps",
     "daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,"
     "replicasets/scale,statefulsets,statefulsets/scale"},
    {kToEdit, kWrite, "autoscaling", "horizontalpodautoscalers"},
    {kToEdit, kWrite, "batch", "cronjobs,jobs"},
    {kToEdit, kWrite, "policy", "poddisruptionbudgets"},
    {kToEdit, kWrite, "networking.k8s.io", "ingresses,networkpolicies"},
    {kToEdit, kAll, "coordination.k8s.io", "leases"},
    {kToView, kRead, "-",
     "configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,"
     "replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,"
     "services/status"},
    {kToView, kRead, "-",
     "bindings,events,limitranges,namespaces/status,pods/log,pods/status,"
     "replicationcontrollers/status,resourcequotas,resourcequotas/status"},
    {kToView, kRead, "-", "namespaces"},
    {kToView, kRead, "discovery.k8s.io", "endpointslices"},
    {kToView, kRead, "apps",
     "controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,"
     "deployments/status,replicasets,replicasets/scale,replicasets/status,statefulsets,"
     "statefulsets/scale,statefulsets/status"},
    {kToView, kRead, "autoscaling", "horizontalpodautoscalers,horizontalpodautoscalers/status"},
    {kToView, kRead, "metrics.k8s.io", "nodes,pods"},
    {kToView, kRead, "batch", "cronjobs,cronjobs/status,jobs,jobs/status"},
    {kToView, kRead, "policy", "poddisruptionbudgets,poddisruptionbudgets/status"},
    {kToView, kRead, "networking.k8s.io", "ingresses,ingresses/status,networkpolicies"},
    {"system:auth-delegator", "create", "authentication.k8s.io", "tokenreviews"},
    {"system:auth-delegator", "create", "authorization.k8s.io", "subjectaccessreviews"},
    {"system:basic-user", "create", "authorization.k8s.io",
     "selfsubjectaccessreviews,selfsubjectrulesreviews"},
    {"system:basic-user", "create", "authentication.k8s.io", "selfsubjectreviews"},
    {"system:certificates.k8s.io:certificatesigningrequests:nodeclient", "create",
     "certificates.k8s.io", "certificatesigningrequests/nodeclient"},
    {"system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", "create",
     "certificates.k8s.io", "certificatesigningrequests/selfnodeclient"},
    {"system:certificates.k8s.io:kube-apiserver-client-approver", "approve", "certificates.k8s.io",
     "signers", "kubernetes.io/kube-apiserver-client"},
    {"system:certificates.k8s.io:kube-apiserver-client-kubelet-approver", "approve",
     "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client-kubelet"},
    {"system:certificates.k8s.io:kubelet-serving-approver", "approve", "certificates.k8s.io",
     "signers", "kubernetes.io/kubelet-serving"},
    {"system:discovery", "get", "", "", "",
     "/api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/"},
    {kManager, "create,patch,update", "-,events.k8s.io", "events"},
    {kManager, "create", "coordination.k8s.io", "leases"},
    {kManager, "get,update", "coordination.k8s.io", "leases", "kube-controller-manager"},
    {kManager, "create", "-", "secrets,serviceaccounts"},
    {kManager, "delete", "-", "secrets"},
    {kManager, "get", "-", "configmaps,namespaces,secrets,serviceaccounts"},
    {kManager, "update", "-", "secrets,serviceaccounts"},
    {kManager, "create", "authentication.k8s.io", "tokenreviews"},
    {kManager, "create", "authorization.k8s.io", "subjectaccessreviews"},
    {kManager, "list,watch", "*", "*"},
    {kManager, "create", "-", "serviceaccounts/token"},
    {"system:kube-dns", "list,watch", "-", "endpoints,services"},
    {kScheduler, "create,patch,update", "-,events.k8s.io", "events"},
    {kScheduler, "create", "coordination.k8s.io", "leases"},
    {kScheduler, "get,update", "coordination.k8s.io", "leases", "kube-scheduler"},
    {kScheduler, kRead, "-",
     "namespaces,nodes,persistentvolumeclaims,persistentvolumes,replicationcontrollers,services"},
    {kScheduler, "delete,get,list,watch", "-", "pods"},
    {kScheduler, "create", "-", "bindings,pods/binding"},
    {kScheduler, "patch,update", "-", "pods/status"},
    {kScheduler, kRead, "apps", "replicasets,statefulsets"},
    {kScheduler, kRead, "policy", "poddisruptionbudgets"},
    {kScheduler, kRead, "storage.k8s.io", "csidrivers,csinodes,csistoragecapacities"},
    {"system:monitoring", "get", "", "", "",
     "/healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*"},
    {kNode, "create", "authentication.k8s.io", "tokenreviews"},
    {kNode, "create", "authorization.k8s.io", "localsubjectaccessreviews,subjectaccessreviews"},
    {kNode, kRead, "-", "services"},
    {kNode, "create,get,list,watch", "-", "nodes"},
    {kNode, "patch,update", "-", "nodes/status"},
    {kNode, "patch,update", "-", "nodes"},
    {kNode, "create,patch,update", "-,events.k8s.io", "events"},
    {kNode, kRead, "-", "pods"},
    {kNode, "create,delete", "-", "pods"},
    {kNode, "patch,update", "-", "pods/status"},
    {kNode, "create", "-", "pods/eviction"},
    {kNode, kRead, "-", "configmaps,secrets"},
    {kNode, "get", "-", "persistentvolumeclaims,persistentvolumes"},
    {kNode, "get", "-", "endpoints"},
    {kNode, "create,get,list,watch", "certificates.k8s.io", "certificatesigningrequests"},
    {kNode, "create,delete,get,patch,update", "coordination.k8s.io", "leases"},
    {kNode, "get", "storage.k8s.io", "volumeattachments"},
    {kNode, "create", "-", "serviceaccounts/token"},
    {"system:node-bootstrapper", "create,get,list,watch", "certificates.k8s.io",
     "certificatesigningrequests"},
    {"system:node-problem-detector", "get", "-", "nodes"},
    {"system:node-problem-detector", "patch", "-", "nodes/status"},
    {"system:node-problem-detector", "create,patch,update", "-,events.k8s.io", "events"},
    {"system:node-proxier", "list,watch", "-", "endpoints,services"},
    {"system:node-proxier", kRead, "-", "nodes"},
    {"system:node-proxier", "create,patch,update", "-,events.k8s.io", "events"},
    {"system:node-proxier", "list,watch", "discovery.k8s.io", "endpointslices"},
    {"system:persistent-volume-provisioner", "create,delete,get,list,watch", "-",
     "persistentvolumes"},
    {"system:persistent-volume-provisioner", "get,list,update,watch", "-",
     "persistentvolumeclaims"},
    {"system:persistent-volume-provisioner", kRead, "storage.k8s.io", "storageclasses"},
    {"system:persistent-volume-provisioner", "watch", "-", "events"},
    {"system:persistent-volume-provisioner", "create,patch,update", "-,events.k8s.io", "events"},
    {"system:public-info-viewer", "get", "", "", "", "/healthz,/livez,/readyz,/version,/version/"},
    {"system:service-account-issuer-discovery", "get", "", "", "",
     "/.well-known/openid-configuration,/.well-known/openid-configuration/,/openid/v1/jwks,"
     "/openid/v1/jwks/"},
    {"system:volume-scheduler", "get,list,patch,update,watch", "-", "persistentvolumes"},
    {"system:volume-scheduler", kRead, "storage.k8s.io", "storageclasses"},
    {"system:volume-scheduler", "get,list,patch,update,watch", "-", "persistentvolumeclaims"},
};

// Which label makes a role part of which other.
struct Aggregated {
  std::string_view role;
  std::string_view into;     // the label that it carries
  std::string_view gathers;  // the label of the roles that it gathers
};
constexpr Aggregated kAggregated[] = {
    {"admin", "", "aggregate-to-admin"},
    {"edit", "aggregate-to-admin", "aggregate-to-edit"},
    {"view", "aggregate-to-edit", "aggregate-to-view"},
    {kToAdmin, "aggregate-to-admin", ""},
    {kToEdit, "aggregate-to-edit", ""},
    {kToView, "aggregate-to-view", ""},
};

struct Given {
  std::string_view role;
  std::string_view kind;
  std::string_view subjects;
};
constexpr Given kGiven[] = {
    {"cluster-admin", "Group", "system:masters"},
    {"system:basic-user", "Group", "system:authenticated"},
    {"system:discovery", "Group", "system:authenticated"},
    {kManager, "User", kManager},
    {"system:kube-dns", "ServiceAccount", "kube-dns"},
    {kScheduler, "User", kScheduler},
    {"system:monitoring", "Group", "system:monitoring"},
    {kNode, "", ""},
    {"system:node-proxier", "User", "system:kube-proxy"},
    {"system:public-info-viewer", "Group", "system:authenticated,system:unauthenticated"},
    {"system:service-account-issuer-discovery", "Group", "system:serviceaccounts"},
    {"system:volume-scheduler", "User", kScheduler},
};

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

const Aggregated* aggregation(std::string_view role) {
  for (const Aggregated& each : kAggregated) {
    if (each.role == role) return &each;
  }
  return nullptr;
}

void write_set(json::Writer& out, std::string_view name, std::string_view set) {
  if (set.empty()) return;
  out.key(name);
  out.begin_array();
  for (std::string_view word : split(set, ','))
    out.value(word == "-" ? std::string_view() : word);
  out.end_array();
}

void write_head(json::Writer& out, std::string_view kind, std::string_view name) {
  out.member("kind", kind);
  out.member("apiVersion", "rbac.authorization.k8s.io/v1");
  out.key("metadata");
  out.begin_object();
  out.member("name", name);
  out.key("annotations");
  out.begin_object();
  out.member("rbac.authorization.kubernetes.io/autoupdate", "true");
  out.end_object();
  out.key("labels");
  out.begin_object();
  out.member("kubernetes.io/bootstrapping", "rbac-defaults");
  const Aggregated* part = aggregation(name);
  const bool labelled = kind == "ClusterRole" && part != nullptr && !part->into.empty();
  if (labelled) out.member(join({"rbac.authorization.k8s.io/", part->into}), "true");
  out.end_object();
  out.end_object();
}

void write_rule(json::Writer& out, const Row& row) {
  out.begin_object();
  write_set(out, "apiGroups", row.groups);
  write_set(out, "resources", row.resources);
  write_set(out, "resourceNames", row.names);
  write_set(out, "nonResourceURLs", row.urls);
  write_set(out, "verbs", row.verbs);
  out.end_object();
}

void write_aggregation(json::Writer& out, std::string_view label) {
  out.key("aggregationRule");
  out.begin_object();
  out.key("clusterRoleSelectors");
  out.begin_array();
  out.begin_object();
  out.key("matchLabels");
  out.begin_object();
  out.member(join({"rbac.authorization.k8s.io/", label}), "true");
  out.end_object();
  out.end_object();
  out.end_array();
  out.end_object();
}

DefaultObject role_object(std::string_view name) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  write_head(out, "ClusterRole", name);
  const Aggregated* part = aggregation(name);
  if (part != nullptr && !part->gathers.empty()) write_aggregation(out, part->gathers);
  out.key("rules");
  out.begin_array();
  for (const Row& row : kRows) {
    if (row.role == name && !row.verbs.empty()) write_rule(out, row);
  }
  out.end_array();
  out.end_object();
  return {&api::kClusterRole, std::string(name), std::move(text)};
}

void write_subject(json::Writer& out, std::string_view kind, std::string_view name) {
  out.begin_object();
  out.member("kind", kind);
  out.member("name", name);
  if (kind == "ServiceAccount") {
    out.member("namespace", "kube-system");
  } else {
    out.member("apiGroup", kGroup);
  }
  out.end_object();
}

DefaultObject binding_object(const Given& given) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  write_head(out, "ClusterRoleBinding", given.role);
  out.key("roleRef");
  out.begin_object();
  out.member("apiGroup", kGroup);
  out.member("kind", "ClusterRole");
  out.member("name", given.role);
  out.end_object();
  if (!given.kind.empty()) {
    out.key("subjects");
    out.begin_array();
    for (std::string_view name : split(given.subjects, ','))
      write_subject(out, given.kind, name);
    out.end_array();
  }
  out.end_object();
  return {&api::kClusterRoleBinding, std::string(given.role), std::move(text)};
}

}  // namespace

std::vector<DefaultObject> rbac_defaults() {
  std::vector<DefaultObject> all;
  std::string_view last;
  for (const Row& row : kRows) {
    if (row.role != last) all.push_back(role_object(row.role));
    last = row.role;
  }
  for (const Given& given : kGiven)
    all.push_back(binding_object(given));
  return all;
}

}  // namespace coracle::apiserver
