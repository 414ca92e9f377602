// SPDX-License-Identifier: GPL-2.0-or-later
// Garbage collector: follows ownerReferences (upstream pkg/controller/garbagecollector). One key is
// one object, looked at in both roles: as a dependent (are its owners gone?) and as an owner that
// waits for its dependents (foreground, orphan).
#include <vector>

#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr std::string_view kForeground = "foregroundDeletion";
constexpr std::string_view kOrphan = "orphan";
constexpr size_t kCallsPerPlan = 256;

bool has_finalizer(json::Node object, std::string_view name) {
  for (const json::Node finalizer : object["metadata"]["finalizers"]) {
    if (finalizer.string() == name) return true;
  }
  return false;
}

std::vector<api::ObjectRef> dependents_of(const api::State& state, std::string_view uid) {
  struct Collect final : api::Visitor {
    bool visit(const api::ObjectRef& object) override {
      found.push_back(object);
      return found.size() < kCallsPerPlan;
    }
    std::vector<api::ObjectRef> found;
  };
  Collect collect;
  state.list_owned_by(uid, collect);
  return std::move(collect.found);
}

json::Node reference_to(json::Node object, std::string_view uid) {
  for (const json::Node reference : object["metadata"]["ownerReferences"]) {
    if (reference["uid"].string() == uid) return reference;
  }
  return {};
}

enum class OwnerState : uint8_t { kThere, kGone, kWaitsForDependents, kUnknown };

OwnerState look_at_owner(const api::State& state, json::Node reference, std::string_view ns) {
  const std::string_view api_version = reference["apiVersion"].string();
  const size_t slash = api_version.find('/');
  const std::string_view group =
      slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
  const std::string_view version =
      slash == std::string_view::npos ? api_version : api_version.substr(slash + 1);
  const api::Kind* kind = api::find_kind_by_name(group, version, reference["kind"].string());
  if (kind == nullptr)
    return OwnerState::kUnknown;  // never delete because of a kind that is not served
  // A cluster-scoped dependent cannot have an owner in a namespace: upstream reports it and does
  // nothing.
  if (kind->namespaced && ns.empty()) return OwnerState::kUnknown;
  const api::ObjectRef owner =
      state.get(*kind, kind->namespaced ? ns : std::string_view(), reference["name"].string());
  if (!owner || owner->uid() != reference["uid"].string()) return OwnerState::kGone;
  if (!owner->deleting()) return OwnerState::kThere;
  json::Tree tree;
  return has_finalizer(owner->parse(tree), kForeground) ? OwnerState::kWaitsForDependents
                                                        : OwnerState::kThere;
}

api::Call drop_references(const Parsed& object, const std::vector<std::string_view>& uids) {
  json::Tree tree;
  const json::Node kept = tree.make_object().object("metadata").array("ownerReferences");
  for (const json::Node reference : object.node["metadata"]["ownerReferences"]) {
    bool drop = false;
    for (const std::string_view uid : uids)
      drop = drop || reference["uid"].string() == uid;
    if (!drop) kept.append(reference);
  }
  if (kept.size() == 0) tree.root()["metadata"].set_null("ownerReferences");
  api::Call call;
  call.verb = api::CallVerb::kMergePatch;
  call.key = {&object.ref->kind(), std::string(object.ref->ns()), std::string(object.ref->name())};
  call.body = json::write(tree.root());
  call.expected_version = object.ref->version();
  call.expected_uid = std::string(object.ref->uid());
  return call;
}

api::Call drop_finalizer(const Parsed& object, std::string_view name) {
  const Parsed next = parse(object.ref);
  const json::Node finalizers = next.node["metadata"]["finalizers"];
  for (const json::Node finalizer : finalizers) {
    if (finalizer.string() == name) finalizers.remove_child(finalizer);
  }
  return update_call(next);
}

void plan_as_dependent(const Now& now, const Parsed& object, api::Plan& plan) {
  std::vector<std::string_view> dangling;
  size_t solid = 0;
  size_t waiting = 0;
  for (const json::Node reference : object.node["metadata"]["ownerReferences"]) {
    switch (look_at_owner(now.state, reference, object.ref->ns())) {
      case OwnerState::kGone:
        dangling.push_back(reference["uid"].string());
        break;
      case OwnerState::kWaitsForDependents:
        ++waiting;
        break;
      case OwnerState::kThere:
      case OwnerState::kUnknown:
        ++solid;
        break;
    }
  }
  if (dangling.empty() && waiting == 0) return;
  if (solid > 0) {
    for (const json::Node reference : object.node["metadata"]["ownerReferences"]) {
      if (look_at_owner(now.state, reference, object.ref->ns()) ==
          OwnerState::kWaitsForDependents) {
        dangling.push_back(reference["uid"].string());
      }
    }
    if (!dangling.empty()) plan.calls.push_back(drop_references(object, dangling));
    return;
  }
  if (object.ref->deleting()) return;
  api::Call call = delete_call(*object.ref);
  // The policy of the deletion is that of the object's own finalizers; below a foreground owner it
  // is foreground.
  if (has_finalizer(object.node, kOrphan))
    call.propagation = api::Propagation::kOrphan;
  else if (waiting > 0 && !dependents_of(now.state, object.ref->uid()).empty())
    call.propagation = api::Propagation::kForeground;
  plan.calls.push_back(std::move(call));
}

void plan_orphaning(const Now& now, const Parsed& owner, api::Plan& plan) {
  for (const api::ObjectRef& dependent : dependents_of(now.state, owner.ref->uid())) {
    plan.calls.push_back(drop_references(parse(dependent), {owner.ref->uid()}));
  }
  if (plan.calls.empty()) plan.calls.push_back(drop_finalizer(owner, kOrphan));
}

void plan_foreground(const Now& now, const Parsed& owner, api::Plan& plan) {
  bool blocked = false;
  for (const api::ObjectRef& dependent : dependents_of(now.state, owner.ref->uid())) {
    const Parsed parsed = parse(dependent);
    blocked =
        blocked || reference_to(parsed.node, owner.ref->uid())["blockOwnerDeletion"].boolean();
    if (!dependent->deleting()) plan_as_dependent(now, parsed, plan);
  }
  if (!blocked) plan.calls.push_back(drop_finalizer(owner, kForeground));
}

Result<api::Plan> plan_garbage(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef ref = now.state.get(*key.kind, key.ns, key.name);
  if (!ref) return plan;
  const Parsed object = parse(ref);
  if (ref->deleting() && has_finalizer(object.node, kOrphan))
    plan_orphaning(now, object, plan);
  else if (ref->deleting() && has_finalizer(object.node, kForeground))
    plan_foreground(now, object, plan);
  else
    plan_as_dependent(now, object, plan);
  return plan;
}

api::Key key_of(const api::Object& object) {
  return {&object.kind(), std::string(object.ns()), std::string(object.name())};
}

bool mentions_owners(const api::Object& object) {
  return object.text().find("\"ownerReferences\":[") != std::string_view::npos;
}

// An object with owners or one that is going looks at itself; one that went wakes all it owned, and
// its owners, which may wait for it.
void wake(const api::Change& change, const api::State& state, Keys& keys) {
  const api::Object& object = *change.after;
  const bool owned = mentions_owners(object);
  if (change.type != api::ChangeType::kDeleted && (owned || object.deleting()))
    keys.insert(key_of(object));
  if (change.type == api::ChangeType::kDeleted || object.deleting()) {
    for (const api::ObjectRef& dependent : dependents_of(state, object.uid()))
      keys.insert(key_of(*dependent));
  }
  if (change.type == api::ChangeType::kAdded || !owned) return;
  json::Tree tree;
  for (const json::Node reference :
       (change.before ? *change.before : object).parse(tree)["metadata"]["ownerReferences"]) {
    const std::string_view api_version = reference["apiVersion"].string();
    const size_t slash = api_version.find('/');
    const api::Kind* kind =
        slash == std::string_view::npos
            ? api::find_kind_by_name({}, api_version, reference["kind"].string())
            : api::find_kind_by_name(api_version.substr(0, slash), api_version.substr(slash + 1),
                                     reference["kind"].string());
    if (kind == nullptr) continue;
    const api::ObjectRef owner = state.get(
        *kind, kind->namespaced ? object.ns() : std::string_view(), reference["name"].string());
    if (owner && owner->deleting()) keys.insert(key_of(*owner));
  }
}

// After a change of leader: everything that has owners or is on its way out.
void first_keys(const api::State& state, Keys& keys) {
  for (const api::Kind* kind : api::all_kinds()) {
    api::for_each(state, *kind, {}, [&](const api::ObjectRef& object) {
      if (object->deleting() || mentions_owners(*object)) keys.insert(key_of(*object));
    });
  }
}

constexpr Watch kWatches[] = {{nullptr, wake}};

}  // namespace

const Controller kGarbageCollector{"garbage-collector-controller", kWatches, plan_garbage,
                                   first_keys};

}  // namespace coracle::controllers
