// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/controllers/cluster.h"

#include <algorithm>

#include "api/processing.h"
#include "base/bytes.h"
#include "json/merge.h"

namespace coracle::testing {

namespace {

bool has_finalizers(json::Node object) {
  return object["metadata"]["finalizers"].size() > 0 || object["spec"]["finalizers"].size() > 0;
}

void add_finalizer(json::Node object, std::string_view name) {
  for (const json::Node finalizer : object["metadata"]["finalizers"]) {
    if (finalizer.string() == name) return;
  }
  object["metadata"].array("finalizers").append(name);
}

// A pod on a node goes when its kubelet says so.
bool waits_for_kubelet(const api::Kind& kind, json::Node object) {
  return &kind == &api::kPod && !object["spec"]["nodeName"].string().empty();
}

std::string refusal_of(const api::Call& call) {
  return join({call.key.kind->plural, " \"", call.key.name, "\""});
}

}  // namespace

api::ObjectRef Cluster::get(const api::Kind& kind,
                            std::string_view ns,
                            std::string_view name) const {
  const auto found = objects_.find(Place{kind.plural, std::string(ns), std::string(name)});
  return found == objects_.end() ? api::ObjectRef() : found->second;
}

void Cluster::list(const api::Kind& kind, std::string_view ns, api::Visitor& visitor) const {
  for (const auto& [place, object] : objects_) {
    if (std::get<0>(place) != kind.plural || (!ns.empty() && std::get<1>(place) != ns)) continue;
    if (!visitor.visit(object)) return;
  }
}

void Cluster::list_owned_by(std::string_view uid, api::Visitor& visitor) const {
  for (const auto& [place, object] : objects_) {
    json::Tree tree;
    for (const json::Node reference : object->parse(tree)["metadata"]["ownerReferences"]) {
      if (reference["uid"].string() != uid) continue;
      if (!visitor.visit(object)) return;
      break;
    }
  }
}

std::vector<api::ObjectRef> Cluster::all() const {
  std::vector<api::ObjectRef> out;
  for (const auto& [place, object] : objects_)
    out.push_back(object);
  return out;
}

api::ObjectRef Cluster::store(const api::Kind& kind, json::Node object) {
  const json::Node metadata = object["metadata"];
  const Place place{kind.plural, std::string(metadata["namespace"].string()),
                    std::string(metadata["name"].string())};
  const api::ObjectRef before = get(kind, std::get<1>(place), std::get<2>(place));
  Result<api::ObjectRef> sealed = api::seal(kind, object, ++version_);
  ASSERT(sealed);
  objects_[place] = *sealed;
  changes_.push_back(
      {before ? api::ChangeType::kModified : api::ChangeType::kAdded, version_, before, *sealed});
  return *sealed;
}

void Cluster::put(const api::Kind& kind, json::Node object) {
  object.set("kind", kind.name);
  object.set("apiVersion", api::group_version(kind));
  const json::Node metadata = object.object("metadata");
  if (!metadata["uid"]) metadata.set("uid", join({metadata["name"].string(), "-uid"}));
  if (!metadata["creationTimestamp"]) metadata.set("creationTimestamp", rfc3339(now));
  store(kind, object);
}

void Cluster::remove(const api::Object& object) {
  const Place place{object.kind().plural, std::string(object.ns()), std::string(object.name())};
  const api::ObjectRef before = objects_[place];
  objects_.erase(place);
  changes_.push_back({api::ChangeType::kDeleted, ++version_, before, before});
}

Result<api::ObjectRef> Cluster::apply(const api::Call& call) {
  if (call.verb == api::CallVerb::kCreate) return create(call);
  const api::ObjectRef stored = get(*call.key.kind, call.key.ns, call.key.name);
  if (!stored) return fail(Code::kNotFound, refusal_of(call) + " not found");
  if ((call.expected_version > 0 && call.expected_version != stored->version()) ||
      (!call.expected_uid.empty() && call.expected_uid != stored->uid())) {
    return fail(Code::kConflict, refusal_of(call) + ": the object has been modified");
  }
  return call.verb == api::CallVerb::kDelete ? end(call, stored) : change(call, stored);
}

Result<api::ObjectRef> Cluster::create(const api::Call& call) {
  const api::Kind& kind = *call.key.kind;
  json::Tree tree;
  const json::Node body = TRY(tree.parse(call.body));
  if (call.subresource == api::Subresource::kBinding) {
    const api::ObjectRef pod = get(kind, call.key.ns, call.key.name);
    if (!pod) return fail(Code::kNotFound, refusal_of(call) + " not found");
    if (refused_kind == &kind) return fail(Code::kForbidden, refusal_of(call) + refused_with);
    json::Tree pod_tree;
    const json::Node object = pod->parse(pod_tree);
    if (!object["spec"]["nodeName"].string().empty())
      return fail(Code::kConflict, refusal_of(call) + " is already assigned to a node");
    object.object("spec").set("nodeName", body["target"]["name"].string());
    return store(kind, object);
  }
  if (refused_kind == &kind) {
    return fail(Code::kForbidden, join({refusal_of(call), " is forbidden: ", refused_with}));
  }
  if (get(kind, call.key.ns, call.key.name))
    return fail(Code::kAlreadyExists, refusal_of(call) + " already exists");
  const json::Node metadata = body["metadata"];
  metadata.set("uid", join({"u", std::to_string(++uids_)}));
  metadata.set("creationTimestamp", rfc3339(now));
  if (kind.bumps_generation) metadata.set("generation", 1);
  return store(kind, body);
}

Result<api::ObjectRef> Cluster::change(const api::Call& call, const api::ObjectRef& stored) {
  const api::Kind& kind = *call.key.kind;
  json::Tree old_tree;
  const json::Node old = stored->parse(old_tree);
  json::Tree tree;
  json::Tree patch_tree;
  json::Node next;
  if (call.verb == api::CallVerb::kUpdate) {
    next = TRY(tree.parse(call.body));
  } else {
    next = tree.make_root(old);
    const json::Node patch = TRY(patch_tree.parse(call.body));
    if (call.verb == api::CallVerb::kMergePatch)
      json::merge_patch(next, patch);
    else
      TRY(json::strategic_merge_patch(next, patch, api::merge_schema(kind)));
  }
  if (call.subresource == api::Subresource::kStatus)
    next.set("spec", old["spec"]);
  else if (kind.has_status)
    next.set("status", old["status"]);
  if (kind.bumps_generation && !json::equal(next["spec"], old["spec"]))
    next["metadata"].set("generation", old["metadata"]["generation"].integer() + 1);
  if (stored->deleting() && !has_finalizers(next) && !waits_for_kubelet(kind, next)) {
    remove(*stored);
    return stored;
  }
  return store(kind, next);
}

Result<api::ObjectRef> Cluster::end(const api::Call& call, const api::ObjectRef& stored) {
  const api::Kind& kind = *call.key.kind;
  json::Tree tree;
  const json::Node object = stored->parse(tree);
  if (call.propagation == api::Propagation::kForeground)
    add_finalizer(object, "foregroundDeletion");
  if (call.propagation == api::Propagation::kOrphan) add_finalizer(object, "orphan");
  if (!has_finalizers(object) && !waits_for_kubelet(kind, object)) {
    remove(*stored);
    return stored;
  }
  if (!stored->deleting()) object["metadata"].set("deletionTimestamp", rfc3339(now));
  return store(kind, object);
}

void ClusterClient::submit(api::Call call, api::Caller& caller, uint64_t token) {
  if (call.key.kind == &api::kEvent) {
    json::Tree tree;
    const auto body = tree.parse(call.body);
    if (body && call.verb == api::CallVerb::kCreate) {
      const json::Node event = *body;
      events.push_back(
          join({event["type"].string(), " ", event["reason"].string(), " ",
                event["involvedObject"]["name"].string(), ": ", event["message"].string()}));
    }
  } else {
    submitted.push_back(call);
  }
  waiting_.push_back({std::move(call), &caller, token});
  clock_.at_turn_end(*this);
}

void ClusterClient::forget(api::Caller& caller) {
  std::erase_if(waiting_, [&](const Waiting& one) { return one.caller == &caller; });
}

void ClusterClient::tell() {
  for (const api::Change& change : cluster_.take_changes()) {
    for (api::Feed* feed : feeds_)
      feed->on_change(change);
  }
}

void ClusterClient::release() {
  hold = false;
  clock_.at_turn_end(*this);
}

void ClusterClient::on_turn_end() {
  if (hold) return;
  std::deque<Waiting> now = std::exchange(waiting_, {});
  const auto calls = std::count_if(
      now.begin(), now.end(), [](const Waiting& one) { return one.call.key.kind != &api::kEvent; });
  if (calls > 0) rounds.push_back(static_cast<size_t>(calls));
  while (!now.empty()) {
    Waiting one = std::move(now.front());
    now.pop_front();
    Result<api::ObjectRef> answer = cluster_.apply(one.call);
    tell();
    one.caller->on_answer(one.token, std::move(answer));
  }
}

}  // namespace coracle::testing
