// SPDX-License-Identifier: GPL-2.0-or-later
// ResourceQuota: counts what a namespace uses (upstream pkg/controller/resourcequota).
#include <set>

#include "api/quota.h"
#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

Result<api::Plan> plan_quota(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef object = now.state.get(api::kResourceQuota, key.ns, key.name);
  if (!object || object->deleting()) return plan;
  const Parsed quota = parse(object);
  const Parsed next = parse(object);
  const json::Node hard = quota.node["spec"]["hard"];
  api::QuotaUsage usage;
  for (const api::Kind* kind : api::all_kinds()) {
    if (!kind->namespaced || !api::quota_counts(hard, *kind)) continue;
    api::for_each(now.state, *kind, key.ns, [&](const api::ObjectRef& each) {
      json::Tree tree;
      const json::Node node = each->parse(tree);
      if (api::quota_covers(quota.node, *kind, node)) api::add_quota_usage(*kind, node, usage);
    });
  }
  const json::Node status = next.node.object("status");
  status.set("hard", hard);
  status.object("used").clear();
  for (const json::Node limit : hard) {
    const auto used = usage.find(limit.key());
    status["used"].set(limit.key(),
                       api::quota_quantity(limit.key(), used == usage.end() ? 0 : used->second));
  }
  if (!json::equal(status, quota.node["status"]))
    plan.calls.push_back(update_call(next, api::Subresource::kStatus));
  return plan;
}

bool says_ended(const api::Object& object) {
  return object.text().find("\"phase\":\"Succeeded\"") != std::string_view::npos ||
         object.text().find("\"phase\":\"Failed\"") != std::string_view::npos;
}

// Pods count until they end; what their status says besides is no matter.
void wake_quotas(const api::Change& change, const api::State& state, Keys& keys) {
  const api::Object& object = *change.after;
  if (object.ns().empty() || &object.kind() == &api::kEvent || &object.kind() == &api::kLease)
    return;
  if (change.type == api::ChangeType::kModified) {
    const bool measured =
        &object.kind() == &api::kService || &object.kind() == &api::kPersistentVolumeClaim;
    const bool ended =
        &object.kind() == &api::kPod && says_ended(object) != says_ended(*change.before);
    if (&object.kind() == &api::kResourceQuota) return wake_itself(change, state, keys);
    if (!measured && !ended) return;
  }
  api::for_each(state, api::kResourceQuota, object.ns(), [&](const api::ObjectRef& quota) {
    keys.insert({&api::kResourceQuota, std::string(quota->ns()), std::string(quota->name())});
  });
}

void first_keys(const api::State& state, Keys& keys) {
  api::for_each(state, api::kResourceQuota, {}, [&](const api::ObjectRef& quota) {
    keys.insert({&api::kResourceQuota, std::string(quota->ns()), std::string(quota->name())});
  });
}

constexpr Watch kWatches[] = {{nullptr, wake_quotas}};

}  // namespace

const Controller kResourceQuotaController{"resourcequota-controller", kWatches, plan_quota,
                                          first_keys};

}  // namespace coracle::controllers
