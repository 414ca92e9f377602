// SPDX-License-Identifier: GPL-2.0-or-later
// Claims and the volumes they are bound to, as the binder, the scheduler and the node see them
// (upstream pkg/volume/persistentvolume, component-helpers/storage/volume).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "json/tree.h"

namespace coracle::api {

inline constexpr std::string_view kLocalPath = "coracle.io/local-path";  // provisioner, finalizer
inline constexpr std::string_view kSelectedNode = "volume.kubernetes.io/selected-node";
inline constexpr std::string_view kBindCompleted = "pv.kubernetes.io/bind-completed";
inline constexpr std::string_view kBoundByController = "pv.kubernetes.io/bound-by-controller";
inline constexpr std::string_view kProvisionedBy = "pv.kubernetes.io/provisioned-by";
// Of a Node: the directory below which its local-path volumes lie.
inline constexpr std::string_view kStorageDirectory = "coracle.io/storage-directory";

// The claim that a volume of a pod names, or that is made for it; empty: it has none.
std::string claim_of(json::Node volume, std::string_view pod_name);
std::vector<std::string> claims_of(json::Node pod);

// Of a claim or a volume; empty: none.
std::string_view storage_class_of(json::Node object);
bool is_bound(json::Node claim);  // a volume is named and the binder is done with it
// The class says that a volume is chosen only when a pod needs it.
bool waits_for_consumer(const State& state, json::Node claim);

// Whether spec.claimRef means this claim; one without a uid means any claim of that name.
bool is_reserved_for(json::Node volume, json::Node claim);
// Why the volume cannot serve the claim; empty: it can. Who has it and where it lies is not asked.
std::string_view mismatch(json::Node volume, json::Node claim);
// The smallest volume that serves the claim and is free or reserved for it; null: none. `reaches`
// (may be null) says whether the volume can be used where it is wanted.
class VolumeTest {
 public:
  virtual bool passes(json::Node volume) const = 0;

 protected:
  ~VolumeTest() = default;
};
ObjectRef find_volume(const State& state, json::Node claim, const VolumeTest* test);

}  // namespace coracle::api
