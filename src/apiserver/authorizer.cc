// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/authorizer.h"

#include <algorithm>

#include "api/claims.h"
#include "api/selector.h"
#include "apiserver/rbac.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr Rule kAnything[] = {{"*", "*", "*"}, {"*", "", "", "*"}};

constexpr Rule kScheduler[] = {
    {"get,list,watch", "*", "*"},
    {"create,patch,update", "-,events.k8s.io", "events"},
    {"create,get,update,patch", "coordination.k8s.io", "leases"},
    {"delete", "-", "pods"},
    {"create", "-", "bindings,pods/binding"},
    {"patch,update", "-", "pods/status"},
};
constexpr Rule kProxy[] = {
    {"get,list,watch", "-", "services,endpoints,nodes,namespaces,pods"},
    {"get,list,watch", "discovery.k8s.io", "endpointslices"},
    {"get,list,watch", "networking.k8s.io", "networkpolicies"},
    {"create,patch,update", "-,events.k8s.io", "events"},
};
constexpr Rule kNodes[] = {
    {"create", "authentication.k8s.io", "tokenreviews"},
    {"create", "authorization.k8s.io", "subjectaccessreviews,localsubjectaccessreviews"},
    {"get,list,watch", "-", "services,endpoints,namespaces,pods"},
    {"get,list,watch", "discovery.k8s.io", "endpointslices"},
    {"get,list,watch", "networking.k8s.io", "networkpolicies"},
    {"create,get,list,watch,update,patch", "-", "nodes"},
    {"get,update,patch", "-", "nodes/status"},
    {"create,patch,update", "-,events.k8s.io", "events"},
    {"create,delete", "-", "pods"},
    {"get,update,patch", "-", "pods/status"},
    {"create", "-", "pods/eviction"},
    {"get,list,watch", "-", "secrets,configmaps,persistentvolumeclaims,persistentvolumes"},
    {"patch,update", "-", "persistentvolumes"},  // see node_restriction
    {"get", "-", "serviceaccounts"},
    {"create", "-", "serviceaccounts/token"},
    {"get,create,update,patch,delete", "coordination.k8s.io", "leases"},
};

constexpr Grant kGrants[] = {
    {"system:masters", kAnything},
    {"system:kube-controller-manager", kAnything},
    {"system:kube-scheduler", kScheduler},
    {"system:kube-proxy", kProxy},
};

bool path_matches(std::string_view patterns, std::string_view path) {
  for (std::string_view pattern : split(patterns, ',')) {
    if (pattern == "*" || pattern == path) return true;
    if (pattern.ends_with("/*") && path.starts_with(pattern.substr(0, pattern.size() - 1))) {
      return true;
    }
  }
  return false;
}

bool rule_allows(const Rule& rule, const Attributes& asked) {
  if (!set_contains(rule.verbs, asked.verb)) return false;
  if (asked.resource.empty()) return path_matches(rule.paths, asked.path);
  if (rule.resources.empty()) return false;
  if (!set_contains(rule.groups, asked.group.empty() ? "-" : asked.group)) return false;
  if (asked.subresource.empty()) return set_contains(rule.resources, asked.resource);
  return set_contains(rule.resources, join({asked.resource, "/", asked.subresource}));
}

bool any_allows(std::span<const Rule> rules, const Attributes& asked) {
  for (const Rule& rule : rules) {
    if (rule_allows(rule, asked)) return true;
  }
  return false;
}

bool applies(const Grant& grant, const User& user) {
  return user.name == grant.subject || user.in(grant.subject);
}

WordSet words_of(std::string_view set) {
  WordSet words;
  if (set.empty()) return words;
  for (std::string_view word : split(set, ','))
    words.add(word == "-" ? std::string_view() : word);
  return words;
}

PolicyRule policy_of(const Rule& rule) {
  return {words_of(rule.verbs),
          words_of(rule.groups),
          words_of(rule.resources),
          {},
          words_of(rule.paths)};
}

bool source_names(json::Node source, std::string_view resource, std::string_view name) {
  if (resource == "secrets") {
    return source["secret"]["secretName"].string() == name ||
           source["secret"]["name"].string() == name;
  }
  return source["configMap"]["name"].string() == name;
}

bool volumes_name(json::Node volumes, std::string_view resource, std::string_view name) {
  for (const json::Node volume : volumes) {
    if (source_names(volume, resource, name)) return true;
    for (const json::Node source : volume["projected"]["sources"]) {
      if (source_names(source, resource, name)) return true;
    }
  }
  return false;
}

bool environment_names(json::Node container, std::string_view resource, std::string_view name) {
  const char* from = resource == "secrets" ? "secretRef" : "configMapRef";
  const char* key = resource == "secrets" ? "secretKeyRef" : "configMapKeyRef";
  for (const json::Node source : container["envFrom"]) {
    if (source[from]["name"].string() == name) return true;
  }
  for (const json::Node variable : container["env"]) {
    if (variable["valueFrom"][key]["name"].string() == name) return true;
  }
  return false;
}

// plugin/pkg/auth/authorizer/node/graph.go: the edges from a Pod to what it reads.
bool pod_needs(json::Node pod, std::string_view resource, std::string_view name) {
  const json::Node spec = pod["spec"];
  if (resource == "persistentvolumeclaims") {
    const std::vector<std::string> claims = api::claims_of(pod);
    return std::find(claims.begin(), claims.end(), name) != claims.end();
  }
  if (resource == "serviceaccounts") return spec["serviceAccountName"].string() == name;
  if (volumes_name(spec["volumes"], resource, name)) return true;
  for (const char* list : {"containers", "initContainers", "ephemeralContainers"}) {
    for (const json::Node container : spec[list]) {
      if (environment_names(container, resource, name)) return true;
    }
  }
  if (resource != "secrets") return false;
  for (const json::Node pull : spec["imagePullSecrets"]) {
    if (pull["name"].string() == name) return true;
  }
  return false;
}

struct NeedSearch final : api::Visitor {
  std::string_view node;
  std::string_view resource;
  std::string_view name;
  bool found = false;

  bool visit(const api::ObjectRef& object) override {
    // Cheap refusal before a tree is built: both words must occur in the text.
    if (object->text().find(node) == std::string_view::npos) return true;
    if (object->text().find(name) == std::string_view::npos) return true;
    json::Tree tree;
    const json::Node pod = object->parse(tree);
    found = pod["spec"]["nodeName"].string() == node && pod_needs(pod, resource, name);
    return !found;
  }
};

// registry/core/pod: a node follows the Pods that are bound to it, and no others
// (AuthorizeNodeWithSelectors).
bool selects_node(std::string_view selector, std::string_view node) {
  const Result<api::FieldSelector> fields = api::FieldSelector::parse(api::kPod, selector);
  return fields && fields->required("spec.nodeName") == node;
}

bool is_pod_bound(std::string_view resource) {
  return resource == "secrets" || resource == "configmaps" || resource == "serviceaccounts" ||
         resource == "persistentvolumeclaims";
}

Error forbidden(const User& user, const Attributes& asked, std::string_view reason) {
  std::string text;
  if (asked.resource.empty()) {
    text = join(
        {"forbidden: User \"", user.name, "\" cannot ", asked.verb, " path \"", asked.path, "\""});
  } else {
    const std::string resource = qualified_resource(asked.group, asked.resource);
    std::string named = resource;
    if (!asked.name.empty()) named = join({resource, " \"", asked.name, "\""});
    const std::string sub =
        asked.subresource.empty() ? std::string() : join({"/", asked.subresource});
    const std::string where = asked.ns.empty() ? std::string("at the cluster scope")
                                               : join({"in the namespace \"", asked.ns, "\""});
    text =
        join({named, " is forbidden: User \"", user.name, "\" cannot ", asked.verb, " resource \"",
              asked.resource, sub, "\" in API group \"", asked.group, "\" ", where});
  }
  if (!reason.empty()) text += join({": ", reason});
  return fail(Code::kForbidden, text);
}

}  // namespace

bool set_contains(std::string_view set, std::string_view word) {
  if (set == "*") return true;
  for (std::string_view member : split(set, ',')) {
    if (member == word) return true;
  }
  return false;
}

std::vector<PolicyRule> Authorizer::rules_for(const User& user, std::string_view ns) const {
  std::vector<PolicyRule> all;
  for (const Grant& grant : kGrants) {
    if (!applies(grant, user)) continue;
    for (const Rule& rule : grant.rules)
      all.push_back(policy_of(rule));
  }
  const Rules held = rbac_.rules_for(user, ns);
  all.insert(all.end(), held.begin(), held.end());
  return all;
}

Attributes attributes_of(const Request& request) {
  Attributes asked;
  asked.verb = verb_name(request.verb);
  if (request.resource.empty()) {
    asked.path = request.http.path;
    if (request.verb == Verb::kList || request.verb == Verb::kWatch) asked.verb = "get";
    return asked;
  }
  asked.group = request.group;
  asked.resource = request.resource;
  asked.subresource = request.subresource_text;
  asked.ns = request.ns;
  asked.name = request.name;
  // A namespace is in itself (apiserver pkg/endpoints/request/requestinfo.go): who has a Role there
  // may be allowed to read it.
  if (asked.resource == "namespaces" && asked.group.empty()) asked.ns = request.name;
  asked.fields = request.options.field_selector;
  return asked;
}

Decision Authorizer::decide(const User& user, const Attributes& attributes) const {
  // apiserver pkg/server/options: --authorization-always-allow-paths
  const std::string_view path = attributes.resource.empty() ? attributes.path : "";
  if (path == "/healthz" || path == "/livez" || path == "/readyz") return {true, {}};
  for (const Grant& grant : kGrants) {
    if (applies(grant, user) && any_allows(grant.rules, attributes)) return {true, {}};
  }
  if (const std::string_view node = user.node(); !node.empty()) {
    Decision decision = decide_node(node, attributes);
    if (decision.allowed || !rbac_.allows(user, attributes)) return decision;
  } else if (!rbac_.allows(user, attributes)) {
    return {};
  }
  return {true, {}};
}

// plugin/pkg/auth/authorizer/node/node_authorizer.go
Decision Authorizer::decide_node(std::string_view node, const Attributes& asked) const {
  if (!any_allows(kNodes, asked)) return {};
  if (asked.resource == "nodes" && asked.verb == "get" && asked.name != node) {
    return {false,
            join({"node '", node, "' cannot read '", asked.name, "', only its own Node object"})};
  }
  if (asked.resource == "leases" && asked.ns != "kube-node-lease") {
    return {false, "can only access leases in the \"kube-node-lease\" system namespace"};
  }
  if (asked.resource == "leases" && asked.verb != "create" && asked.name != node) {
    return {false, "can only access node lease with the same name as the requesting node"};
  }
  if (asked.resource == "pods" && asked.subresource.empty()) return decide_pods(node, asked);
  if (!is_pod_bound(asked.resource)) return {true, {}};
  if (asked.name.empty()) return {false, "No Object name found"};
  NeedSearch search;
  search.node = node;
  search.resource = asked.resource;
  search.name = asked.name;
  state_.list(api::kPod, asked.ns, search);
  if (search.found) return {true, {}};
  return {false, join({"no relationship found between node '", node, "' and this object"})};
}

// Creating and deleting is judged at admission, where the Pod is known.
Decision Authorizer::decide_pods(std::string_view node, const Attributes& asked) const {
  if (asked.verb == "create" || asked.verb == "delete") return {true, {}};
  if (asked.verb != "get") {
    if (selects_node(asked.fields, node)) return {true, {}};
    return {false, "can only list/watch pods with spec.nodeName field selector"};
  }
  const api::ObjectRef pod = state_.get(api::kPod, asked.ns, asked.name);
  json::Tree tree;
  const bool own = !pod || pod->parse(tree)["spec"]["nodeName"].string() == node;
  if (own) return {true, {}};
  return {false, join({"no relationship found between node '", node, "' and this object"})};
}

Result<> Authorizer::authorize(const Request& request) const {
  Attributes asked = attributes_of(request);
  std::string selected;
  // A list or watch of one name is a read of that name (how a kubelet follows one ConfigMap).
  if (asked.name.empty() && request.kind != nullptr && !request.options.field_selector.empty()) {
    const Result<api::FieldSelector> selector =
        api::FieldSelector::parse(*request.kind, request.options.field_selector);
    if (selector) selected = std::string(selector->required("metadata.name"));
    if (!request.user.node().empty()) asked.name = selected;
  }
  const Decision decision = decide(request.user, asked);
  if (decision.allowed) return {};
  return forbidden(request.user, asked, decision.reason);
}

}  // namespace coracle::apiserver
