// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/volumes.h"

#include <algorithm>

#include "api/claims.h"
#include "api/quantity.h"
#include "base/bytes.h"

namespace coracle::scheduler {

namespace {

constexpr std::string_view kZoneLabels[] = {
    "topology.kubernetes.io/zone", "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region"};
constexpr const char* kNothingToBind = "node(s) didn't find available persistent volumes to bind";

bool is_exclusive(json::Node claim) {
  for (const json::Node mode : claim["spec"]["accessModes"]) {
    if (mode.string() == "ReadWriteOncePod") return true;
  }
  return false;
}

// Placed pods that use the claim.
bool has_user(const Board& board, std::string_view ns, const std::string& claim) {
  for (const Shape* shape : board.shapes_in(ns)) {
    if (shape->counts.empty()) continue;
    for (const ClaimNeed& need : shape->needs.claims) {
      if (need.name == claim) return true;
    }
  }
  return false;
}

// "a__b": a volume may lie in several zones.
bool is_among(const std::string* value, std::string_view values) {
  if (value == nullptr) return false;
  while (!values.empty()) {
    const size_t end = std::min(values.find("__"), values.size());
    if (values.substr(0, end) == *value) return true;
    values.remove_prefix(std::min(end + 2, values.size()));
  }
  return false;
}

NodeTerm read_topology(json::Node term) {
  NodeTerm out;
  for (const json::Node each : term["matchLabelExpressions"]) {
    NodeTerm::Requirement requirement{std::string(each["key"].string()), "In", {}};
    for (const json::Node value : each["values"])
      requirement.values.emplace_back(value.string());
    out.labels.push_back(std::move(requirement));
  }
  return out;
}

bool any_matches(const std::vector<NodeTerm>& terms, const NodeOffer& node) {
  return std::any_of(terms.begin(), terms.end(),
                     [&](const NodeTerm& term) { return term_matches(term, node); });
}

api::Call patch(const api::Object& object, json::Node body) {
  api::Call call;
  call.verb = api::CallVerb::kMergePatch;
  call.key = {&object.kind(), std::string(object.ns()), std::string(object.name())};
  call.body = json::write(body);
  call.expected_version = object.version();
  call.expected_uid = std::string(object.uid());
  return call;
}

api::Call reserve(const api::Object& volume, const api::Object& claim) {
  json::Tree tree;
  const json::Node body = tree.make_object();
  body.object("metadata").object("annotations").set(api::kBoundByController, "yes");
  const json::Node reference = body.object("spec").object("claimRef");
  reference.set("kind", "PersistentVolumeClaim");
  reference.set("apiVersion", "v1");
  reference.set("namespace", claim.ns());
  reference.set("name", claim.name());
  reference.set("uid", claim.uid());
  return patch(volume, body);
}

api::Call select(const api::Object& claim, const std::string& node) {
  json::Tree tree;
  const json::Node body = tree.make_object();
  body.object("metadata").object("annotations").set(api::kSelectedNode, std::string_view(node));
  return patch(claim, body);
}

}  // namespace

PodVolumes::PodVolumes(const Board& board, const Shape& pod) {
  if (board.state() == nullptr) return;
  for (const ClaimNeed& need : pod.needs.claims) {
    read_claim(*board.state(), pod.ns, need);
    if (!problem_.empty()) return;
    const api::ObjectRef object =
        board.state()->get(api::kPersistentVolumeClaim, pod.ns, need.name);
    json::Tree tree;
    if (object && is_exclusive(object->parse(tree)))
      taken_ = taken_ || has_user(board, pod.ns, need.name);
  }
}

void PodVolumes::read_claim(const api::State& state, std::string_view ns, const ClaimNeed& need) {
  const api::ObjectRef object = state.get(api::kPersistentVolumeClaim, ns, need.name);
  if (!object) {
    problem_ = need.is_made ? join({"waiting for ephemeral volume controller to create the "
                                    "persistentvolumeclaim \"",
                                    need.name, "\""})
                            : join({"persistentvolumeclaim \"", need.name, "\" not found"});
    return;
  }
  if (object->deleting()) {
    problem_ = join({"persistentvolumeclaim \"", need.name, "\" is being deleted"});
    return;
  }
  json::Tree tree;
  const json::Node claim = object->parse(tree);
  if (claim["status"]["phase"].string() == "Lost") {
    problem_ =
        join({"persistentvolumeclaim \"", need.name, "\" bound to non-existent persistentvolume \"",
              claim["spec"]["volumeName"].string(), "\""});
  } else if (api::is_bound(claim)) {
    read_bound(state, claim);
  } else if (claim["spec"]["volumeName"].string().empty() &&
             api::waits_for_consumer(state, claim)) {
    read_waiting(state, object, claim);
  } else {
    problem_ = "pod has unbound immediate PersistentVolumeClaims";
  }
}

PodVolumes::Volume PodVolumes::read_volume(const api::ObjectRef& object, json::Node volume) {
  const json::Node required = volume["spec"]["nodeAffinity"]["required"];
  Volume out{object,
             std::string(volume["spec"]["capacity"]["storage"].string("0")),
             false,
             !static_cast<bool>(required),
             {}};
  for (const json::Node term : required["nodeSelectorTerms"])
    out.terms.push_back(read_term(term));
  return out;
}

void PodVolumes::read_bound(const api::State& state, json::Node claim) {
  const api::ObjectRef object =
      state.get(api::kPersistentVolume, {}, claim["spec"]["volumeName"].string());
  if (!object) {
    missing_ = true;
    return;
  }
  json::Tree tree;
  const json::Node volume = object->parse(tree);
  bound_.push_back(read_volume(object, volume));
  for (const std::string_view key : kZoneLabels) {
    if (const json::Node value = volume["metadata"]["labels"][key])
      zones_.push_back({std::string(key), std::string(value.string())});
  }
}

void PodVolumes::read_waiting(const api::State& state,
                              const api::ObjectRef& object,
                              json::Node claim) {
  Waiting waiting;
  waiting.object = object;
  waiting.selected = std::string(claim["metadata"]["annotations"][api::kSelectedNode].string());
  read_class(state, claim, waiting);
  const json::Node wanted = claim["spec"]["selector"];
  const auto selector = wanted ? api::LabelSelector::from_object(wanted) : api::LabelSelector();
  api::for_each(state, api::kPersistentVolume, {}, [&](const api::ObjectRef& each) {
    json::Tree tree;
    const json::Node volume = each->parse(tree);
    const bool reserved = bool{volume["spec"]["claimRef"]} && api::is_reserved_for(volume, claim);
    const bool is_free = !volume["spec"]["claimRef"] && !each->deleting() &&
                         volume["status"]["phase"].string() == "Available" &&
                         selector.matches(volume["metadata"]["labels"]);
    if ((!reserved && !is_free) || !api::mismatch(volume, claim).empty()) return;
    waiting.volumes.push_back(read_volume(each, volume));
    waiting.volumes.back().reserved = reserved;
  });
  std::sort(waiting.volumes.begin(), waiting.volumes.end(), [](const Volume& a, const Volume& b) {
    if (a.reserved != b.reserved) return a.reserved;
    return api::compare_quantities(a.size, b.size) < 0;
  });
  waiting_.push_back(std::move(waiting));
}

void PodVolumes::read_class(const api::State& state, json::Node claim, Waiting& waiting) {
  const api::ObjectRef object = state.get(api::kStorageClass, {}, api::storage_class_of(claim));
  if (!object) return;
  json::Tree tree;
  const json::Node made_by = object->parse(tree);
  waiting.makes = made_by["provisioner"].string() != "kubernetes.io/no-provisioner";
  for (const json::Node term : made_by["allowedTopologies"])
    waiting.topologies.push_back(read_topology(term));
}

bool PodVolumes::reaches(const Volume& volume, const NodeOffer& node) {
  return volume.anywhere || any_matches(volume.terms, node);
}

bool PodVolumes::match(const NodeOffer& node, std::vector<const Volume*>& chosen) const {
  for (const Waiting& waiting : waiting_) {
    if (!waiting.selected.empty()) {
      if (waiting.selected != node.name) return false;
      chosen.push_back(nullptr);
      continue;
    }
    const auto fits = [&](const Volume& volume) {
      const bool used = std::any_of(chosen.begin(), chosen.end(), [&](const Volume* other) {
        return other != nullptr && other->object->name() == volume.object->name();
      });
      return !used && volume.reserved == waiting.volumes[0].reserved && reaches(volume, node);
    };
    const auto found = std::find_if(waiting.volumes.begin(), waiting.volumes.end(), fits);
    const bool there = found != waiting.volumes.end();
    const bool reserved = !waiting.volumes.empty() && waiting.volumes[0].reserved;
    const bool may_be_made = waiting.makes && !reserved &&
                             (waiting.topologies.empty() || any_matches(waiting.topologies, node));
    if (!there && !may_be_made) return false;
    chosen.push_back(there ? &*found : nullptr);
  }
  return true;
}

const char* PodVolumes::unbindable(const NodeOffer& node) const {
  if (missing_) return "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
  for (const Volume& volume : bound_) {
    if (!reaches(volume, node)) return "node(s) didn't match PersistentVolume's node affinity";
  }
  std::vector<const Volume*> chosen;
  return match(node, chosen) ? nullptr : kNothingToBind;
}

const char* PodVolumes::out_of_zone(const NodeOffer& node) const {
  for (const Zone& zone : zones_) {
    if (!is_among(node.label(zone.key), zone.values)) return "node(s) had no available volume zone";
  }
  return nullptr;
}

std::vector<api::Call> PodVolumes::calls(const NodeOffer& node) const {
  std::vector<api::Call> calls;
  std::vector<const Volume*> chosen;
  if (!match(node, chosen)) return calls;
  for (size_t i = 0; i < waiting_.size(); ++i) {
    const Waiting& waiting = waiting_[i];
    if (!waiting.selected.empty()) continue;
    if (chosen[i] != nullptr && chosen[i]->reserved) continue;
    if (chosen[i] != nullptr)
      calls.push_back(reserve(*chosen[i]->object, *waiting.object));
    else
      calls.push_back(select(*waiting.object, node.name));
  }
  return calls;
}

bool PodVolumes::is_withdrawn(std::string_view node) const {
  return !problem_.empty() ||
         std::any_of(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) {
           const bool reserved = !waiting.volumes.empty() && waiting.volumes[0].reserved;
           return !reserved && waiting.selected != node;
         });
}

}  // namespace coracle::scheduler
