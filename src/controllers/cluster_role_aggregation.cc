// SPDX-License-Identifier: GPL-2.0-or-later
// A ClusterRole with an aggregationRule has the rules of the ClusterRoles that it selects (upstream
// pkg/controller/clusterroleaggregation).
#include "api/selector.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

bool selected(json::Node selectors, json::Node labels) {
  for (const json::Node selector : selectors) {
    if (api::LabelSelector::from_object(selector).matches(labels)) return true;
  }
  return false;
}

bool contains(json::Node rules, json::Node rule) {
  for (const json::Node each : rules) {
    if (json::equal(each, rule)) return true;
  }
  return false;
}

Result<api::Plan> plan(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef object = now.state.get(api::kClusterRole, {}, key.name);
  if (!object || object->deleting()) return plan;
  const Parsed role = parse(object);
  const json::Node selectors = role.node["aggregationRule"]["clusterRoleSelectors"];
  if (selectors.size() == 0) return plan;
  json::Tree gathered;
  const json::Node rules = gathered.make_object().array("rules");
  api::for_each(now.state, api::kClusterRole, {}, [&](const api::ObjectRef& other) {
    if (other->name() == key.name) return;
    json::Tree tree;
    const json::Node from = other->parse(tree);
    if (!selected(selectors, from["metadata"]["labels"])) return;
    for (const json::Node rule : from["rules"]) {
      if (!contains(rules, rule)) rules.append(rule);
    }
  });
  if (json::equal(role.node["rules"], rules)) return plan;
  role.node.set("rules", rules);
  plan.calls.push_back(update_call(role));
  return plan;
}

void wake(const api::Change&, const api::State& state, Keys& keys) {
  api::for_each(state, api::kClusterRole, {}, [&keys](const api::ObjectRef& role) {
    if (role->text().find("\"aggregationRule\"") != std::string_view::npos)
      keys.insert({&api::kClusterRole, {}, std::string(role->name())});
  });
}

constexpr Watch kWatches[] = {{&api::kClusterRole, wake}};

}  // namespace

const Controller kClusterRoleAggregationController{"clusterrole-aggregation-controller", kWatches,
                                                   plan, nullptr};

}  // namespace coracle::controllers
