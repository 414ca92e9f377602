// SPDX-License-Identifier: GPL-2.0-or-later
// Namespace life cycle: empties a namespace that is being deleted, Pods first, then lets go of it
// (upstream pkg/controller/namespace/deletion/namespaced_resources_deleter.go).
#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/pods.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr size_t kDeletesPerPlan = 256;

struct Remains {
  size_t objects = 0;
  size_t with_finalizers = 0;
  std::string kinds;       // "pods. has 2 resource instances, ..."
  std::string finalizers;  // names of finalizers that still hold objects
};

// Deletes what is not being deleted yet; counts what is left.
size_t empty_kind(
    const Now& now, const api::Kind& kind, std::string_view ns, api::Plan& plan, Remains& remains) {
  size_t left = 0;
  api::for_each(now.state, kind, ns, [&](const api::ObjectRef& object) {
    ++left;
    if (!object->deleting()) {
      if (plan.calls.size() < kDeletesPerPlan) plan.calls.push_back(delete_call(*object));
      return;
    }
    json::Tree tree;
    const json::Node finalizers = object->parse(tree)["metadata"]["finalizers"];
    if (finalizers.size() == 0) return;
    ++remains.with_finalizers;
    const std::string_view first = finalizers.first().string();
    if (remains.finalizers.find(first) == std::string::npos) {
      remains.finalizers +=
          join({remains.finalizers.empty() ? "" : ", ", first, " in 1 resource instances"});
    }
  });
  if (left > 0) {
    remains.kinds += join({remains.kinds.empty() ? "" : ", ", kind.plural, ".", kind.group, " has ",
                           std::to_string(left), " resource instances"});
  }
  remains.objects += left;
  return left;
}

Remains empty(const Now& now, std::string_view ns, api::Plan& plan) {
  Remains remains;
  // Ordered deletion (KEP-5080): nothing that pods may need goes before the pods.
  if (empty_kind(now, api::kPod, ns, plan, remains) > 0) return remains;
  for (const api::Kind* kind : api::all_kinds()) {
    // Events go last and never hold a namespace up by being written during its end.
    if (kind->namespaced && kind != &api::kPod && kind != &api::kEvent)
      empty_kind(now, *kind, ns, plan, remains);
  }
  if (remains.objects == 0) empty_kind(now, api::kEvent, ns, plan, remains);
  return remains;
}

void report(const Now& now, const Parsed& ns, const Remains& remains, api::Plan& plan) {
  const Parsed next = parse(ns.ref);
  const json::Node status = next.node.object("status");
  const auto set = [&](std::string_view type, bool bad, std::string_view good_reason,
                       ConditionValue value) {
    value.type = type;
    value.status = bad ? "True" : "False";
    if (!bad) value.reason = good_reason;
    set_condition(status, value, now.wall);
    find_condition(status, type).remove("lastUpdateTime");
  };
  set("NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered",
      {{}, {}, {}, "All resources successfully discovered"});
  set("NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions",
      {{}, {}, {}, "All legacy kube types successfully parsed"});
  set("NamespaceDeletionContentFailure", false, "ContentDeleted",
      {{}, {}, {}, "All content successfully deleted, may be waiting on finalization"});
  set("NamespaceContentRemaining", remains.objects > 0, "ContentRemoved",
      {{},
       {},
       "SomeResourcesRemain",
       remains.objects > 0 ? "Some resources are remaining: " + remains.kinds
                           : "All content successfully removed"});
  set("NamespaceFinalizersRemaining", remains.with_finalizers > 0, "ContentHasNoFinalizers",
      {{},
       {},
       "SomeFinalizersRemain",
       remains.with_finalizers > 0
           ? "Some content in the namespace has finalizers remaining: " + remains.finalizers
           : "All content-preserving finalizers finished"});
  if (!json::equal(status, ns.node["status"]))
    plan.calls.push_back(update_call(next, api::Subresource::kStatus));
}

Result<api::Plan> plan_namespace(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef object = now.state.get(api::kNamespace, {}, key.name);
  if (!object || !object->deleting()) return plan;
  const Parsed ns = parse(object);
  const Remains remains = empty(now, key.name, plan);
  if (remains.objects > 0) {
    report(now, ns, remains, plan);
    return plan;
  }
  const Parsed next = parse(object);
  const json::Node finalizers = next.node.object("spec").array("finalizers");
  for (const json::Node finalizer : finalizers) {
    if (finalizer.string() == "kubernetes") finalizers.remove_child(finalizer);
  }
  plan.calls.push_back(update_call(next, api::Subresource::kFinalize));
  return plan;
}

void wake_deleting_namespace(const api::Change& change, const api::State& state, Keys& keys) {
  if (change.after->ns().empty()) return;
  const api::ObjectRef ns = state.get(api::kNamespace, {}, change.after->ns());
  if (ns && ns->deleting()) keys.insert({&api::kNamespace, {}, std::string(ns->name())});
}

constexpr Watch kWatches[] = {
    {&api::kNamespace, wake_itself},
    {nullptr, wake_deleting_namespace},
};

}  // namespace

const Controller kNamespaceController{"namespace-controller", kWatches, plan_namespace, nullptr};

}  // namespace coracle::controllers
