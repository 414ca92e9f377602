// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/owners.h"

#include "base/bytes.h"

namespace coracle::controllers {

namespace {

// No vowels and no digits that look like letters: generated names spell nothing.
constexpr std::string_view kSafe = "bcdfghjklmnpqrstvwxz2456789";

uint64_t fnv1a(std::string_view text, uint64_t seed = 14'695'981'039'346'656'037u) {
  for (const char c : text)
    seed = (seed ^ static_cast<uint8_t>(c)) * 1'099'511'628'211u;
  return seed;
}

api::Call adopt_call(const Parsed& object, const api::Object& owner) {
  json::Tree tree;
  const json::Node references = tree.make_object().object("metadata").array("ownerReferences");
  for (const json::Node reference : object.node["metadata"]["ownerReferences"])
    references.append(reference);
  append_controller_reference(references, owner);
  return merge_patch_call(object, json::write(tree.root()));
}

api::Call release_call(const Parsed& object, std::string_view owner_uid) {
  json::Tree tree;
  const json::Node references = tree.make_object().object("metadata").array("ownerReferences");
  for (const json::Node reference : object.node["metadata"]["ownerReferences"]) {
    if (reference["uid"].string() != owner_uid) references.append(reference);
  }
  return merge_patch_call(object, json::write(tree.root()));
}

std::string name_suffix(std::string_view uid, uint64_t version, size_t index) {
  uint64_t hash = fnv1a(join({std::to_string(version), "/", std::to_string(index)}), fnv1a(uid));
  hash ^= hash >> 32;
  std::string suffix;
  for (int i = 0; i < 5; ++i, hash /= kSafe.size())
    suffix += kSafe[hash % kSafe.size()];
  return suffix;
}

}  // namespace

Parsed parse(const api::ObjectRef& object) {
  Parsed parsed;
  parsed.ref = object;
  parsed.tree = std::make_unique<json::Tree>();
  parsed.node = object->parse(*parsed.tree);
  return parsed;
}

json::Node controller_of(json::Node object) {
  for (const json::Node reference : object["metadata"]["ownerReferences"]) {
    if (reference["controller"].boolean()) return reference;
  }
  return {};
}

bool is_controlled_by(json::Node object, std::string_view uid) {
  return !uid.empty() && controller_of(object)["uid"].string() == uid;
}

void append_controller_reference(json::Node array, const api::Object& owner) {
  const json::Node reference = array.append_object();
  reference.set("apiVersion", api::group_version(owner.kind()));
  reference.set("kind", owner.kind().name);
  reference.set("name", owner.name());
  reference.set("uid", owner.uid());
  reference.set("controller", true);
  reference.set("blockOwnerDeletion", true);
}

std::vector<Parsed> claim(const api::State& state,
                          const api::Kind& kind,
                          const Parsed& owner,
                          const api::LabelSelector& selector,
                          api::Plan& plan,
                          bool (*may_adopt)(const api::Object& owner, const api::Object& orphan)) {
  std::vector<Parsed> claimed;
  const bool owner_deleting = owner.ref->deleting();
  api::for_each(state, kind, owner.ref->ns(), [&](const api::ObjectRef& object) {
    Parsed candidate = parse(object);
    const bool matches = selector.matches(candidate.node["metadata"]["labels"]);
    const json::Node controller = controller_of(candidate.node);
    if (controller) {
      if (controller["uid"].string() != owner.ref->uid()) return;
      if (matches)
        claimed.push_back(std::move(candidate));
      else if (!owner_deleting)
        plan.calls.push_back(release_call(candidate, owner.ref->uid()));
      return;
    }
    if (may_adopt != nullptr && !may_adopt(*owner.ref, *object)) return;
    if (matches && !owner_deleting && !object->deleting())
      plan.calls.push_back(adopt_call(candidate, *owner.ref));
  });
  return claimed;
}

api::Call merge_patch_call(const Parsed& object, std::string body) {
  api::Call call;
  call.verb = api::CallVerb::kMergePatch;
  call.key = {&object.ref->kind(), std::string(object.ref->ns()), std::string(object.ref->name())};
  call.body = std::move(body);
  call.expected_version = object.ref->version();
  call.expected_uid = std::string(object.ref->uid());
  return call;
}

api::Call update_call(const Parsed& object, api::Subresource subresource) {
  api::Call call;
  call.verb = api::CallVerb::kUpdate;
  call.subresource = subresource;
  call.key = {&object.ref->kind(), std::string(object.ref->ns()), std::string(object.ref->name())};
  call.body = json::write(object.node);
  call.expected_version = object.ref->version();
  call.expected_uid = std::string(object.ref->uid());
  return call;
}

api::Call delete_call(const api::Object& object) {
  api::Call call;
  call.verb = api::CallVerb::kDelete;
  call.key = {&object.kind(), std::string(object.ns()), std::string(object.name())};
  call.expected_uid = std::string(object.uid());
  call.propagation = api::Propagation::kBackground;
  return call;
}

std::string free_name(const api::State& state,
                      const api::Kind& kind,
                      const api::Object& owner,
                      size_t index) {
  constexpr size_t kBaseMax = 58;  // apiserver names.SimpleNameGenerator
  constexpr size_t kOtherOwners = 1'000'000;
  std::string base = join({owner.name(), "-"});
  if (base.size() > kBaseMax) base.resize(kBaseMax);
  while (true) {
    std::string name = base + name_suffix(owner.uid(), state.version(), index);
    if (!state.get(kind, owner.ns(), name)) return name;
    index += kOtherOwners;
  }
}

std::string safe_hash(std::string_view text) {
  const uint64_t hash = fnv1a(text);
  const std::string digits = std::to_string(static_cast<uint32_t>(hash ^ hash >> 32));
  std::string out;
  for (const char c : digits)
    out += kSafe[static_cast<uint8_t>(c) % kSafe.size()];
  return out;
}

}  // namespace coracle::controllers
