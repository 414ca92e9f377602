// SPDX-License-Identifier: GPL-2.0-or-later
// Every active namespace has a ServiceAccount "default" and a ConfigMap "kube-root-ca.crt"
// (upstream pkg/controller/serviceaccount, pkg/controller/certificates/rootcacertpublisher).
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr std::string_view kDefaultAccount = "default";
constexpr std::string_view kRootCa = "kube-root-ca.crt";

bool is_active(const api::State& state, std::string_view ns) {
  const api::ObjectRef object = state.get(api::kNamespace, {}, ns);
  return object && !object->deleting();
}

api::Call create(const api::Kind& kind,
                 std::string_view ns,
                 std::string_view name,
                 json::Tree& tree) {
  const json::Node root = tree.root();
  root.set("kind", kind.name);
  root.set("apiVersion", api::group_version(kind));
  root.object("metadata").set("name", name);
  root.object("metadata").set("namespace", ns);
  api::Call call;
  call.key = {&kind, std::string(ns), std::string(name)};
  call.body = json::write(root);
  return call;
}

Result<api::Plan> plan_account(const Now& now, const api::Key& key) {
  api::Plan plan;
  if (!is_active(now.state, key.name) ||
      now.state.get(api::kServiceAccount, key.name, kDefaultAccount))
    return plan;
  json::Tree tree;
  tree.make_object();
  plan.calls.push_back(create(api::kServiceAccount, key.name, kDefaultAccount, tree));
  return plan;
}

Result<api::Plan> plan_root_ca(const Now& now, const api::Key& key) {
  api::Plan plan;
  if (!is_active(now.state, key.name)) return plan;
  const api::ObjectRef existing = now.state.get(api::kConfigMap, key.name, kRootCa);
  if (existing) {
    const Parsed map = parse(existing);
    const json::Node data = map.node["data"];
    if (data.size() == 1 && data["ca.crt"].string() == now.ca_pem) return plan;
    map.node.object("data").clear();
    map.node["data"].set("ca.crt", now.ca_pem);
    plan.calls.push_back(update_call(map));
    return plan;
  }
  json::Tree tree;
  const json::Node root = tree.make_object();
  root.object("metadata")
      .object("annotations")
      .set("kubernetes.io/description",
           "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
           "endpoints such as the "
           "internal service IP or kubernetes.default.svc. No other usage is guaranteed across "
           "distributions of Kubernetes "
           "clusters.");
  root.object("data").set("ca.crt", now.ca_pem);
  plan.calls.push_back(create(api::kConfigMap, key.name, kRootCa, tree));
  return plan;
}

void wake_namespace(const api::Change& change, const api::State&, Keys& keys) {
  keys.insert({&api::kNamespace, {}, std::string(change.after->name())});
}

void wake_for_account(const api::Change& change, const api::State&, Keys& keys) {
  if (change.after->name() == kDefaultAccount)
    keys.insert({&api::kNamespace, {}, std::string(change.after->ns())});
}

void wake_for_root_ca(const api::Change& change, const api::State&, Keys& keys) {
  if (change.after->name() == kRootCa)
    keys.insert({&api::kNamespace, {}, std::string(change.after->ns())});
}

constexpr Watch kAccountWatches[] = {{&api::kNamespace, wake_namespace},
                                     {&api::kServiceAccount, wake_for_account}};
constexpr Watch kRootCaWatches[] = {{&api::kNamespace, wake_namespace},
                                    {&api::kConfigMap, wake_for_root_ca}};

}  // namespace

const Controller kServiceAccountController{"service-account-controller", kAccountWatches,
                                           plan_account, nullptr};
const Controller kRootCaController{"root-ca-cert-publisher-controller", kRootCaWatches,
                                   plan_root_ca, nullptr};

}  // namespace coracle::controllers
