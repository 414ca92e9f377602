// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/claims.h"

#include <algorithm>

#include "api/quantity.h"
#include "api/selector.h"
#include "base/bytes.h"

namespace coracle::api {

namespace {

constexpr std::string_view kOldClass = "volume.beta.kubernetes.io/storage-class";

std::string_view storage_of(json::Node list) {
  return list["storage"].string("0");
}

bool has_modes(json::Node have, json::Node wanted) {
  for (const json::Node mode : wanted) {
    bool found = false;
    for (const json::Node each : have)
      found = found || each.string() == mode.string();
    if (!found) return false;
  }
  return true;
}

// volumeMode is filled in by default.
bool same_mode(json::Node volume, json::Node claim) {
  constexpr std::string_view kFilesystem = "Filesystem";
  return volume["volumeMode"].string(kFilesystem) == claim["volumeMode"].string(kFilesystem);
}

}  // namespace

std::string claim_of(json::Node volume, std::string_view pod_name) {
  if (const json::Node named = volume["persistentVolumeClaim"])
    return std::string(named["claimName"].string());
  return volume["ephemeral"] ? join({pod_name, "-", volume["name"].string()}) : std::string();
}

std::vector<std::string> claims_of(json::Node pod) {
  std::vector<std::string> claims;
  for (const json::Node volume : pod["spec"]["volumes"]) {
    std::string claim = claim_of(volume, pod["metadata"]["name"].string());
    if (!claim.empty() && std::find(claims.begin(), claims.end(), claim) == claims.end())
      claims.push_back(std::move(claim));
  }
  return claims;
}

std::string_view storage_class_of(json::Node object) {
  const std::string_view old = object["metadata"]["annotations"][kOldClass].string();
  return old.empty() ? object["spec"]["storageClassName"].string() : old;
}

bool is_bound(json::Node claim) {
  return !claim["spec"]["volumeName"].string().empty() &&
         claim["metadata"]["annotations"][kBindCompleted];
}

bool waits_for_consumer(const State& state, json::Node claim) {
  const std::string_view name = storage_class_of(claim);
  const ObjectRef found = name.empty() ? ObjectRef() : state.get(kStorageClass, {}, name);
  json::Tree tree;
  return found && found->parse(tree)["volumeBindingMode"].string() == "WaitForFirstConsumer";
}

bool is_reserved_for(json::Node volume, json::Node claim) {
  const json::Node wanted = volume["spec"]["claimRef"];
  const json::Node metadata = claim["metadata"];
  if (wanted["name"].string() != metadata["name"].string() ||
      wanted["namespace"].string() != metadata["namespace"].string())
    return false;
  const std::string_view uid = wanted["uid"].string();
  return uid.empty() || uid == metadata["uid"].string();
}

std::string_view mismatch(json::Node volume, json::Node claim) {
  const json::Node has = volume["spec"];
  const json::Node wants = claim["spec"];
  if (compare_quantities(storage_of(has["capacity"]), storage_of(wants["resources"]["requests"])) <
      0)
    return "requested PV is too small";
  if (storage_class_of(volume) != storage_class_of(claim)) return "storageClassName does not match";
  if (!same_mode(has, wants)) return "incompatible volumeMode";
  if (!has_modes(has["accessModes"], wants["accessModes"])) return "incompatible accessMode";
  return {};
}

ObjectRef find_volume(const State& state, json::Node claim, const VolumeTest* test) {
  ObjectRef best;
  std::string best_size;
  bool reserved = false;
  const json::Node wanted = claim["spec"]["selector"];
  const LabelSelector selector = wanted ? LabelSelector::from_object(wanted) : LabelSelector();
  for_each(state, kPersistentVolume, {}, [&](const ObjectRef& object) {
    if (reserved) return;
    json::Tree tree;
    const json::Node volume = object->parse(tree);
    if (!mismatch(volume, claim).empty()) return;
    if (volume["spec"]["claimRef"]) {
      if (!is_reserved_for(volume, claim)) return;
      reserved = test == nullptr || test->passes(volume);
      if (reserved) best = object;
      return;
    }
    if (object->deleting() || volume["status"]["phase"].string() != "Available" ||
        !selector.matches(volume["metadata"]["labels"]) ||
        (test != nullptr && !test->passes(volume)))
      return;
    const std::string_view size = storage_of(volume["spec"]["capacity"]);
    if (best && compare_quantities(size, best_size) >= 0) return;
    best = object;
    best_size = size;
  });
  return best;
}

}  // namespace coracle::api
