// SPDX-License-Identifier: GPL-2.0-or-later
// Volume sources that Coracle knows by name only: they are decoded, then refused.
#pragma once

#include "api/schema.h"

namespace coracle::api {

extern const Message kAWSElasticBlockStoreVolumeSource, kAzureDiskVolumeSource,
    kAzureFileVolumeSource, kCSIVolumeSource, kCephFSVolumeSource, kCinderVolumeSource,
    kEphemeralVolumeSource, kFCVolumeSource, kFlexVolumeSource, kFlockerVolumeSource,
    kGCEPersistentDiskVolumeSource, kGitRepoVolumeSource, kGlusterfsVolumeSource,
    kISCSIVolumeSource, kImageVolumeSource, kNFSVolumeSource, kPersistentVolumeClaimVolumeSource,
    kPhotonPersistentDiskVolumeSource, kPortworxVolumeSource, kQuobyteVolumeSource,
    kRBDVolumeSource, kScaleIOVolumeSource, kStorageOSVolumeSource, kVsphereVirtualDiskVolumeSource,
    kHostPathVolumeSource, kPersistentVolumeClaimSpec;

}  // namespace coracle::api
