// SPDX-License-Identifier: GPL-2.0-or-later
// The table of all kinds that are stored. A new kind is one file in kinds/ and one line here.
#include "api/kind.h"

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
    &kIngress,
    &kIngressClass,
};

}  // namespace

std::span<const Kind* const> all_kinds() {
  return kKinds;
}

}  // namespace coracle::api
