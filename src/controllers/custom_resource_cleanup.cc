// SPDX-License-Identifier: GPL-2.0-or-later
// A CustomResourceDefinition that is being deleted takes its objects with it, then lets go of its
// finalizer (apiextensions-apiserver pkg/controller/finalizer).
#include "api/custom_kinds.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr std::string_view kFinalizer = "customresourcecleanup.apiextensions.k8s.io";
constexpr size_t kDeletionsMax = 100;  // of one plan

bool drop_finalizer(json::Node metadata) {
  const json::Node finalizers = metadata["finalizers"];
  for (const json::Node each : finalizers) {
    if (each.string() != kFinalizer) continue;
    finalizers.remove_child(each);
    return true;
  }
  return false;
}

Result<api::Plan> plan(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef object = now.state.get(api::kCustomResourceDefinition, {}, key.name);
  if (!object || !object->deleting()) return plan;
  const Parsed definition = parse(object);
  const json::Node spec = definition.node["spec"];
  const api::CustomKind* kind =
      api::find_custom_kind(spec["group"].string(), spec["names"]["plural"].string(), {});
  size_t left = 0;
  if (kind != nullptr) {
    api::for_each(now.state, *kind, {}, [&](const api::ObjectRef& instance) {
      if (++left <= kDeletionsMax && !instance->deleting())
        plan.calls.push_back(delete_call(*instance));
    });
  }
  if (left > 0) {
    plan.again_after = seconds(1);
    return plan;
  }
  if (drop_finalizer(definition.node["metadata"])) plan.calls.push_back(update_call(definition));
  return plan;
}

constexpr Watch kWatches[] = {{&api::kCustomResourceDefinition, wake_itself}};

}  // namespace

const Controller kCustomResourceCleanupController{"customresourcecleanup-controller", kWatches,
                                                  plan, nullptr};

}  // namespace coracle::controllers
