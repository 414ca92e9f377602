// SPDX-License-Identifier: GPL-2.0-or-later
// The table of all kinds that are stored. A new kind is one file in kinds/ and one line here.
#include <algorithm>
#include <vector>

#include "api/custom_kinds.h"
#include "api/kind.h"
#include "base/limits.h"

namespace coracle::api {
namespace {

constexpr const Kind* kKinds[] = {
    &kConfigMap,
    &kEndpoints,
    &kEvent,
    &kLimitRange,
    &kNamespace,
    &kNode,
    &kPersistentVolumeClaim,
    &kPersistentVolume,
    &kPod,
    &kPodTemplate,
    &kReplicationController,
    &kResourceQuota,
    &kSecret,
    &kService,
    &kServiceAccount,
    &kEndpointSlice,
    &kLease,
    &kControllerRevision,
    &kDaemonSet,
    &kDeployment,
    &kReplicaSet,
    &kStatefulSet,
    &kCronJob,
    &kJob,
    &kPodDisruptionBudget,
    &kClusterRoleBinding,
    &kClusterRole,
    &kRoleBinding,
    &kRole,
    &kPriorityClass,
    &kStorageClass,
    &kCustomResourceDefinition,
    &kIngress,
    &kIngressClass,
    &kHorizontalPodAutoscaler,
    &kNetworkPolicy,
    &kRuntimeClass,
};

constexpr const Kind* kTwins[] = {&kHorizontalPodAutoscalerV1, &kEventsEvent};

}  // namespace

std::span<const Kind* const> twin_kinds() {
  return kTwins;
}

std::span<const Kind* const> all_kinds() {
  const std::vector<CustomKind*>& customs = custom_kinds();
  if (customs.empty()) return kKinds;
  // Grows in place: whoever walks it may meet new kinds on the way.
  static std::vector<const Kind*> all;
  static size_t seen = 0;
  if (all.empty()) {
    all.reserve(std::size(kKinds) + limits::kCustomKindsMax);
    all.assign(std::begin(kKinds), std::end(kKinds));
  }
  for (; seen < customs.size(); ++seen) {
    const Kind* kind = customs[seen];
    const bool known = std::any_of(all.begin(), all.end(),
                                   [&](const Kind* each) { return same_resource(*each, *kind); });
    if (!known) all.push_back(kind);
  }
  return all;
}

}  // namespace coracle::api
