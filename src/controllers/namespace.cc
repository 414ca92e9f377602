// SPDX-License-Identifier: GPL-2.0-or-later
// Namespace life cycle: empties a namespace that is being deleted, Pods first, then lets go of it
// (upstream pkg/controller/namespace/deletion/namespaced_resources_deleter.go).
#include <map>

#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/pods.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr size_t kDeletesPerPlan = 256;

// What is left, counted as the conditions tell it; sorted, so that they change only when it does.
struct Remains {
  std::map<std::string, size_t> kinds;  // "pods." -> 2
  std::map<std::string, size_t, std::less<>> finalizers;
  bool empty() const { return kinds.empty(); }
};

template <class Counts>
std::string tell(const Counts& counts, std::string_view between) {
  std::string out;
  for (const auto& [what, number] : counts)
    out += join(
        {out.empty() ? "" : ", ", what, between, std::to_string(number), " resource instances"});
  return out;
}

// Deletes what is not being deleted yet; counts what is left.
bool empty_kind(
    const Now& now, const api::Kind& kind, std::string_view ns, api::Plan& plan, Remains& remains) {
  size_t left = 0;
  api::for_each(now.state, kind, ns, [&](const api::ObjectRef& object) {
    ++left;
    json::Tree tree;
    for (const json::Node finalizer : object->parse(tree)["metadata"]["finalizers"])
      ++remains.finalizers[std::string(finalizer.string())];
    if (!object->deleting() && plan.calls.size() < kDeletesPerPlan)
      plan.calls.push_back(delete_call(*object));
  });
  if (left > 0) remains.kinds[join({kind.plural, ".", kind.group})] = left;
  return left == 0;
}

Remains empty(const Now& now, std::string_view ns, api::Plan& plan) {
  Remains remains;
  // Ordered deletion (KEP-5080): nothing that pods may need goes before the pods.
  if (!empty_kind(now, api::kPod, ns, plan, remains)) return remains;
  for (const api::Kind* kind : api::all_kinds()) {
    // Events go last and never hold a namespace up by being written during its end.
    if (kind->namespaced && kind != &api::kPod && kind != &api::kEvent)
      empty_kind(now, *kind, ns, plan, remains);
  }
  if (remains.empty()) empty_kind(now, api::kEvent, ns, plan, remains);
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
  };
  set("NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered",
      {{}, {}, {}, "All resources successfully discovered"});
  set("NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions",
      {{}, {}, {}, "All legacy kube types successfully parsed"});
  set("NamespaceDeletionContentFailure", false, "ContentDeleted",
      {{}, {}, {}, "All content successfully deleted, may be waiting on finalization"});
  const bool some = !remains.kinds.empty();
  set("NamespaceContentRemaining", some, "ContentRemoved",
      {{},
       {},
       "SomeResourcesRemain",
       some ? "Some resources are remaining: " + tell(remains.kinds, " has ")
            : "All content successfully removed"});
  const bool held = !remains.finalizers.empty();
  set("NamespaceFinalizersRemaining", held, "ContentHasNoFinalizers",
      {{},
       {},
       "SomeFinalizersRemain",
       held ? "Some content in the namespace has finalizers remaining: " +
                  tell(remains.finalizers, " in ")
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
  if (!remains.empty()) {
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
