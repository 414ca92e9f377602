// SPDX-License-Identifier: GPL-2.0-or-later
// Volume sources that Coracle knows by name only: they are decoded, then refused (volume.cc).
#include "api/kinds/volume_plugins.h"

#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kAWSElasticBlockStoreVolumeSourceFields[] = {
    text("volumeID", 1).listed(),
    text("fsType", 2),
    int32("partition", 3),
    boolean("readOnly", 4),
};

constexpr Field kAzureDiskVolumeSourceFields[] = {
    text("diskName", 1).listed(), text("diskURI", 2).listed(),
    text("cachingMode", 3),       text("fsType", 4),
    boolean("readOnly", 5),       text("kind", 6),
};

constexpr Field kAzureFileVolumeSourceFields[] = {
    text("secretName", 1).listed(),
    text("shareName", 2).listed(),
    boolean("readOnly", 3),
};

constexpr Field kCSIVolumeSourceFields[] = {
    text("driver", 1).listed(),
    boolean("readOnly", 2),
    text("fsType", 3),
    map_of("volumeAttributes", 4, Type::kString),
    object("nodePublishSecretRef", 5, kLocalObjectReference),
};

constexpr Field kCephFSVolumeSourceFields[] = {
    list_of("monitors", 1, Type::kString).listed(),
    text("path", 2),
    text("user", 3),
    text("secretFile", 4),
    object("secretRef", 5, kLocalObjectReference),
    boolean("readOnly", 6),
};

constexpr Field kCinderVolumeSourceFields[] = {
    text("volumeID", 1).listed(),
    text("fsType", 2),
    boolean("readOnly", 3),
    object("secretRef", 4, kLocalObjectReference),
};

constexpr Field kVolumeResourceRequirementsFields[] = {
    map_of("limits", 1, Type::kQuantity),
    map_of("requests", 2, Type::kQuantity),
};
constexpr Message kVolumeResourceRequirements{
    "io.k8s.api.core.v1.VolumeResourceRequirements", kVolumeResourceRequirementsFields,
    "VolumeResourceRequirements tells how much storage is asked for."};

constexpr Field kPersistentVolumeClaimSpecFields[] = {
    list_of("accessModes", 1, Type::kString),
    object("resources", 2, kVolumeResourceRequirements),
    text("volumeName", 3),
    object("selector", 4, kLabelSelector),
    text("storageClassName", 5),
    text("volumeMode", 6),
    object("dataSource", 7, kTypedLocalObjectReference),
    object("dataSourceRef", 8, kTypedObjectReference),
    text("volumeAttributesClassName", 9),
};
constexpr Message kPersistentVolumeClaimSpec{"io.k8s.api.core.v1.PersistentVolumeClaimSpec",
                                             kPersistentVolumeClaimSpecFields,
                                             "PersistentVolumeClaimSpec asks for storage."};

constexpr Field kPersistentVolumeClaimTemplateFields[] = {
    object("metadata", 1, kObjectMeta),
    object("spec", 2, kPersistentVolumeClaimSpec).listed(),
};
constexpr Message kPersistentVolumeClaimTemplate{
    "io.k8s.api.core.v1.PersistentVolumeClaimTemplate", kPersistentVolumeClaimTemplateFields,
    "PersistentVolumeClaimTemplate describes claims that are to be made."};

constexpr Field kEphemeralVolumeSourceFields[] = {
    object("volumeClaimTemplate", 1, kPersistentVolumeClaimTemplate),
};

constexpr Field kFCVolumeSourceFields[] = {
    list_of("targetWWNs", 1, Type::kString),
    int32("lun", 2),
    text("fsType", 3),
    boolean("readOnly", 4),
    list_of("wwids", 5, Type::kString),
};

constexpr Field kFlexVolumeSourceFields[] = {
    text("driver", 1).listed(),
    text("fsType", 2),
    object("secretRef", 3, kLocalObjectReference),
    boolean("readOnly", 4),
    map_of("options", 5, Type::kString),
};

constexpr Field kFlockerVolumeSourceFields[] = {
    text("datasetName", 1),
    text("datasetUUID", 2),
};

constexpr Field kGCEPersistentDiskVolumeSourceFields[] = {
    text("pdName", 1).listed(),
    text("fsType", 2),
    int32("partition", 3),
    boolean("readOnly", 4),
};

constexpr Field kGitRepoVolumeSourceFields[] = {
    text("repository", 1).listed(),
    text("revision", 2),
    text("directory", 3),
};

constexpr Field kGlusterfsVolumeSourceFields[] = {
    text("endpoints", 1).listed(),
    text("path", 2).listed(),
    boolean("readOnly", 3),
};

constexpr Field kISCSIVolumeSourceFields[] = {
    text("targetPortal", 1).listed(),
    text("iqn", 2).listed(),
    int32("lun", 3).listed(),
    text("iscsiInterface", 4),
    text("fsType", 5),
    boolean("readOnly", 6),
    list_of("portals", 7, Type::kString),
    boolean("chapAuthDiscovery", 8),
    object("secretRef", 10, kLocalObjectReference),
    boolean("chapAuthSession", 11),
    text("initiatorName", 12),
};

constexpr Field kImageVolumeSourceFields[] = {
    text("reference", 1),
    text("pullPolicy", 2),
};

constexpr Field kNFSVolumeSourceFields[] = {
    text("server", 1).listed(),
    text("path", 2).listed(),
    boolean("readOnly", 3),
};

constexpr Field kPersistentVolumeClaimVolumeSourceFields[] = {
    text("claimName", 1).listed(),
    boolean("readOnly", 2),
};

constexpr Field kPhotonPersistentDiskVolumeSourceFields[] = {
    text("pdID", 1).listed(),
    text("fsType", 2),
};

constexpr Field kPortworxVolumeSourceFields[] = {
    text("volumeID", 1).listed(),
    text("fsType", 2),
    boolean("readOnly", 3),
};

constexpr Field kQuobyteVolumeSourceFields[] = {
    text("registry", 1).listed(),
    text("volume", 2).listed(),
    boolean("readOnly", 3),
    text("user", 4),
    text("group", 5),
    text("tenant", 6),
};

constexpr Field kRBDVolumeSourceFields[] = {
    list_of("monitors", 1, Type::kString).listed(),
    text("image", 2).listed(),
    text("fsType", 3),
    text("pool", 4),
    text("user", 5),
    text("keyring", 6),
    object("secretRef", 7, kLocalObjectReference),
    boolean("readOnly", 8),
};

constexpr Field kScaleIOVolumeSourceFields[] = {
    text("gateway", 1).listed(),
    text("system", 2).listed(),
    object("secretRef", 3, kLocalObjectReference).listed(),
    boolean("sslEnabled", 4),
    text("protectionDomain", 5),
    text("storagePool", 6),
    text("storageMode", 7),
    text("volumeName", 8),
    text("fsType", 9),
    boolean("readOnly", 10),
};

constexpr Field kStorageOSVolumeSourceFields[] = {
    text("volumeName", 1),
    text("volumeNamespace", 2),
    text("fsType", 3),
    boolean("readOnly", 4),
    object("secretRef", 5, kLocalObjectReference),
};

constexpr Field kVsphereVirtualDiskVolumeSourceFields[] = {
    text("volumePath", 1).listed(),
    text("fsType", 2),
    text("storagePolicyName", 3),
    text("storagePolicyID", 4),
};

}  // namespace

constinit const Message kAWSElasticBlockStoreVolumeSource{
    "io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource", kAWSElasticBlockStoreVolumeSourceFields};
constinit const Message kAzureDiskVolumeSource{"io.k8s.api.core.v1.AzureDiskVolumeSource",
                                               kAzureDiskVolumeSourceFields};
constinit const Message kAzureFileVolumeSource{"io.k8s.api.core.v1.AzureFileVolumeSource",
                                               kAzureFileVolumeSourceFields};
constinit const Message kCSIVolumeSource{"io.k8s.api.core.v1.CSIVolumeSource",
                                         kCSIVolumeSourceFields};
constinit const Message kCephFSVolumeSource{"io.k8s.api.core.v1.CephFSVolumeSource",
                                            kCephFSVolumeSourceFields};
constinit const Message kCinderVolumeSource{"io.k8s.api.core.v1.CinderVolumeSource",
                                            kCinderVolumeSourceFields};
constinit const Message kEphemeralVolumeSource{"io.k8s.api.core.v1.EphemeralVolumeSource",
                                               kEphemeralVolumeSourceFields};
constinit const Message kFCVolumeSource{"io.k8s.api.core.v1.FCVolumeSource", kFCVolumeSourceFields};
constinit const Message kFlexVolumeSource{"io.k8s.api.core.v1.FlexVolumeSource",
                                          kFlexVolumeSourceFields};
constinit const Message kFlockerVolumeSource{"io.k8s.api.core.v1.FlockerVolumeSource",
                                             kFlockerVolumeSourceFields};
constinit const Message kGCEPersistentDiskVolumeSource{
    "io.k8s.api.core.v1.GCEPersistentDiskVolumeSource", kGCEPersistentDiskVolumeSourceFields};
constinit const Message kGitRepoVolumeSource{"io.k8s.api.core.v1.GitRepoVolumeSource",
                                             kGitRepoVolumeSourceFields};
constinit const Message kGlusterfsVolumeSource{"io.k8s.api.core.v1.GlusterfsVolumeSource",
                                               kGlusterfsVolumeSourceFields};
constinit const Message kISCSIVolumeSource{"io.k8s.api.core.v1.ISCSIVolumeSource",
                                           kISCSIVolumeSourceFields};
constinit const Message kImageVolumeSource{"io.k8s.api.core.v1.ImageVolumeSource",
                                           kImageVolumeSourceFields};
constinit const Message kNFSVolumeSource{"io.k8s.api.core.v1.NFSVolumeSource",
                                         kNFSVolumeSourceFields};
constinit const Message kPersistentVolumeClaimVolumeSource{
    "io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource",
    kPersistentVolumeClaimVolumeSourceFields};
constinit const Message kPhotonPersistentDiskVolumeSource{
    "io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource", kPhotonPersistentDiskVolumeSourceFields};
constinit const Message kPortworxVolumeSource{"io.k8s.api.core.v1.PortworxVolumeSource",
                                              kPortworxVolumeSourceFields};
constinit const Message kQuobyteVolumeSource{"io.k8s.api.core.v1.QuobyteVolumeSource",
                                             kQuobyteVolumeSourceFields};
constinit const Message kRBDVolumeSource{"io.k8s.api.core.v1.RBDVolumeSource",
                                         kRBDVolumeSourceFields};
constinit const Message kScaleIOVolumeSource{"io.k8s.api.core.v1.ScaleIOVolumeSource",
                                             kScaleIOVolumeSourceFields};
constinit const Message kStorageOSVolumeSource{"io.k8s.api.core.v1.StorageOSVolumeSource",
                                               kStorageOSVolumeSourceFields};
constinit const Message kVsphereVirtualDiskVolumeSource{
    "io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource", kVsphereVirtualDiskVolumeSourceFields};

}  // namespace coracle::api
