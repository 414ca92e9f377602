// SPDX-License-Identifier: GPL-2.0-or-later
// The controllers that table.cc lists; each is defined in the file of its name.
#pragma once

#include "controllers/controller.h"

namespace coracle::controllers {

extern const Controller kReplicaSetController;
extern const Controller kDeploymentController;
extern const Controller kEndpointSliceController;
extern const Controller kEndpointsController;
extern const Controller kEndpointSliceMirroringController;
extern const Controller kNamespaceController;
extern const Controller kServiceAccountController;
extern const Controller kRootCaController;
extern const Controller kGarbageCollector;
extern const Controller kNodeLifecycleController;
extern const Controller kTaintEvictionController;
extern const Controller kResourceQuotaController;
extern const Controller kDisruptionController;
extern const Controller kCronJobController;
extern const Controller kTtlAfterFinishedController;
extern const Controller kJobController;
extern const Controller kStatefulSetController;
extern const Controller kReplicationControllerController;
extern const Controller kDaemonSetController;
extern const Controller kPodGarbageCollector;
extern const Controller kNodeIpamController;
extern const Controller kClusterRoleAggregationController;
extern const Controller kCustomResourceCleanupController;
extern const Controller kTokenCleaner;
extern const Controller kAutoscalerController;
extern const Controller kVolumeBindingController;
extern const Controller kVolumeProtectionController;
extern const Controller kLocalPathController;
extern const Controller kEphemeralVolumeController;

}  // namespace coracle::controllers
