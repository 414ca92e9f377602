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

bool has_dependents(const api::State& state, std::string_view uid) {
  return !dependents_of(state, uid).empty();
}

json::Node reference_to(json::Node object, std::string_view uid) {
  for (const json::Node reference : object["metadata"]["ownerReferences"]) {
    if (reference["uid"].string() == uid) return reference;
  }
  return {};
}

const api::Kind* kind_of(json::Node reference) {
  const std::string_view api_version = reference["apiVersion"].string();
  const size_t slash = api_version.find('/');
  const bool core = slash == std::string_view::npos;
  const api::Kind* kind = api::find_kind_by_name(core ? "" : api_version.substr(0, slash),
                                                 core ? api_version : api_version.substr(slash + 1),
                                                 reference["kind"].string());
  return kind == nullptr ? nullptr : &api::stored_kind(*kind);
}

enum class OwnerState : uint8_t { kThere, kGone, kWaitsForDependents, kUnknown };

OwnerState look_at_owner(const api::State& state, json::Node reference, std::string_view ns) {
  const api::Kind* kind = kind_of(reference);
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
  return merge_patch_call(object, json::write(tree.root()));
}

api::Call drop_finalizer(const Parsed& object, std::string_view name) {
  const Parsed next = parse(object.ref);
  const json::Node finalizers = next.node["metadata"]["finalizers"];
  for (const json::Node finalizer : finalizers) {
    if (finalizer.string() == name) finalizers.remove_child(finalizer);
  }
  return update_call(next);
}

// A dependent that waits for `object` itself closes a circle: then its owners stop waiting for it.
bool is_in_circle(const Now& now, const Parsed& object) {
  for (const api::ObjectRef& dependent : dependents_of(now.state, object.ref->uid())) {
    json::Tree tree;
    if (dependent->deleting() && has_finalizer(dependent->parse(tree), kForeground)) return true;
  }
  return false;
}

api::Call unblock_owners(const Parsed& object) {
  json::Tree tree;
  const json::Node references = tree.make_object().object("metadata").array("ownerReferences");
  for (const json::Node reference : object.node["metadata"]["ownerReferences"])
    references.append(reference).set("blockOwnerDeletion", false);
  return merge_patch_call(object, json::write(tree.root()));
}

bool blocks_owners(json::Node object) {
  for (const json::Node reference : object["metadata"]["ownerReferences"]) {
    if (reference["blockOwnerDeletion"].boolean()) return true;
  }
  return false;
}

// Upstream attemptToDeleteItem.
void plan_as_dependent(const Now& now, const Parsed& object, api::Plan& plan) {
  if (object.ref->deleting()) return;
  std::vector<std::string_view> dangling;
  std::vector<std::string_view> waiting;
  size_t solid = 0;
  for (const json::Node reference : object.node["metadata"]["ownerReferences"]) {
    switch (look_at_owner(now.state, reference, object.ref->ns())) {
      case OwnerState::kGone:
        dangling.push_back(reference["uid"].string());
        break;
      case OwnerState::kWaitsForDependents:
        waiting.push_back(reference["uid"].string());
        break;
      case OwnerState::kThere:
      case OwnerState::kUnknown:
        ++solid;
        break;
    }
  }
  if (dangling.empty() && waiting.empty()) return;
  if (solid > 0) {
    dangling.insert(dangling.end(), waiting.begin(), waiting.end());
    plan.calls.push_back(drop_references(object, dangling));
    return;
  }
  api::Call call = delete_call(*object.ref);
  if (!waiting.empty() && has_dependents(now.state, object.ref->uid())) {
    call.propagation = api::Propagation::kForeground;
    if (blocks_owners(object.node) && is_in_circle(now, object)) {
      plan.calls.push_back(unblock_owners(object));
      return;
    }
  } else if (has_finalizer(object.node, kOrphan)) {
    call.propagation = api::Propagation::kOrphan;
  } else if (has_finalizer(object.node, kForeground)) {
    call.propagation = api::Propagation::kForeground;
  }
  plan.calls.push_back(std::move(call));
}

void plan_orphaning(const Now& now, const Parsed& owner, api::Plan& plan) {
  for (const api::ObjectRef& dependent : dependents_of(now.state, owner.ref->uid())) {
    plan.calls.push_back(drop_references(parse(dependent), {owner.ref->uid()}));
  }
  if (plan.calls.empty()) plan.calls.push_back(drop_finalizer(owner, kOrphan));
}

// The dependents were woken by the owner's deletion and see to themselves.
void plan_foreground(const Now& now, const Parsed& owner, api::Plan& plan) {
  const std::vector<api::ObjectRef> dependents = dependents_of(now.state, owner.ref->uid());
  bool blocked = dependents.size() >= kCallsPerPlan;  // there may be more
  for (const api::ObjectRef& dependent : dependents) {
    json::Tree tree;
    const json::Node reference = reference_to(dependent->parse(tree), owner.ref->uid());
    blocked = blocked || reference["blockOwnerDeletion"].boolean();
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

// Owners that are going may wait for this dependent.
void wake_owners(const api::Object& dependent, const api::State& state, Keys& keys) {
  if (!mentions_owners(dependent)) return;
  json::Tree tree;
  for (const json::Node reference : dependent.parse(tree)["metadata"]["ownerReferences"]) {
    const api::Kind* kind = kind_of(reference);
    if (kind == nullptr) continue;
    const api::ObjectRef owner = state.get(
        *kind, kind->namespaced ? dependent.ns() : std::string_view(), reference["name"].string());
    if (owner && owner->deleting()) keys.insert(key_of(*owner));
  }
}

// An object with owners or one that is going looks at itself; one that goes wakes all it owns; one
// that changed wakes the owners that it has or had.
void wake(const api::Change& change, const api::State& state, Keys& keys) {
  const api::Object& object = *change.after;
  const bool deleted = change.type == api::ChangeType::kDeleted;
  if (!deleted && (mentions_owners(object) || object.deleting())) keys.insert(key_of(object));
  if (deleted || object.deleting()) {
    struct Wake final : api::Visitor {
      explicit Wake(Keys& woken) : keys(woken) {}
      bool visit(const api::ObjectRef& dependent) override {
        keys.insert(key_of(*dependent));
        return true;
      }
      Keys& keys;
    } visitor(keys);
    state.list_owned_by(object.uid(), visitor);
  }
  if (change.before) wake_owners(*change.before, state, keys);
  if (deleted) wake_owners(object, state, keys);
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
