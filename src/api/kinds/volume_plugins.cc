// SPDX-License-Identifier: GPL-2.0-or-later
// Volume sources that Coracle knows by name only: they are decoded, then refused (volume.cc).
#include "api/kinds/volume_plugins.h"

#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kAWSElasticBlockStoreVolumeSourceFields[] = {
    text("volumeID", 1).listed().about("Identity of the volume."),
    text("fsType", 2).about("File system of the volume."),
    int32("partition", 3).or_zero().about("Partition to mount, if not the whole volume."),
    boolean("readOnly", 4).or_zero().about("If true, the volume cannot be written to."),
};

constexpr Field kAzureDiskVolumeSourceFields[] = {
    text("diskName", 1).listed().about("Name of the disk."),
    text("diskURI", 2).listed().about("Address of the disk."),
    text("cachingMode", 3).about("How the host caches."),
    text("fsType", 4).about("File system of the volume."),
    boolean("readOnly", 5).about("If true, the volume cannot be written to."),
    text("kind", 6).about("Whether the disk is shared, dedicated or managed."),
};

constexpr Field kAzureFileVolumeSourceFields[] = {
    text("secretName", 1).listed().about("Secret with the account."),
    text("shareName", 2).listed().about("Name of the share."),
    boolean("readOnly", 3).or_zero().about("If true, the volume cannot be written to."),
};

constexpr Field kCSIVolumeSourceFields[] = {
    text("driver", 1).listed().about("Name of the driver."),
    boolean("readOnly", 2).about("If true, the volume cannot be written to."),
    text("fsType", 3).about("File system of the volume."),
    map_of("volumeAttributes", 4, Type::kString).about("Settings for the driver."),
    object("nodePublishSecretRef", 5, kLocalObjectReference).about("Secret for the driver."),
};

constexpr Field kCephFSVolumeSourceFields[] = {
    list_of("monitors", 1, Type::kString).listed().about("Addresses of the monitors."),
    text("path", 2).about("Path to mount."),
    text("user", 3).about("User to log in as."),
    text("secretFile", 4).about("Path of the key ring."),
    object("secretRef", 5, kLocalObjectReference).about("Secret with the credentials."),
    boolean("readOnly", 6).or_zero().about("If true, the volume cannot be written to."),
};

constexpr Field kCinderVolumeSourceFields[] = {
    text("volumeID", 1).listed().about("Identity of the volume."),
    text("fsType", 2).about("File system of the volume."),
    boolean("readOnly", 3).or_zero().about("If true, the volume cannot be written to."),
    object("secretRef", 4, kLocalObjectReference).about("Secret with the credentials."),
};

constexpr Field kVolumeResourceRequirementsFields[] = {
    map_of("limits", 1, Type::kQuantity).about("Most that may be given."),
    map_of("requests", 2, Type::kQuantity).about("Least that is needed."),
};
constexpr Message kVolumeResourceRequirements{
    "io.k8s.api.core.v1.VolumeResourceRequirements", kVolumeResourceRequirementsFields,
    "VolumeResourceRequirements tells how much storage is asked for."};

constexpr Field kPersistentVolumeClaimSpecFields[] = {
    list_of("accessModes", 1, Type::kString).about("How the volume is to be accessed."),
    object("resources", 2, kVolumeResourceRequirements).about("How much storage is asked for."),
    text("volumeName", 3).about("Volume that is bound."),
    object("selector", 4, kLabelSelector).about("Volumes to choose from, by label."),
    text("storageClassName", 5).about("Class of the storage."),
    text("volumeMode", 6).about("Filesystem or Block."),
    object("dataSource", 7, kTypedLocalObjectReference).about("Where the content comes from."),
    object("dataSourceRef", 8, kTypedObjectReference)
        .about("Where the content comes from, of any kind."),
    text("volumeAttributesClassName", 9).about("Class of the settings of the volume."),
};

constexpr Field kPersistentVolumeClaimTemplateFields[] = {
    object("metadata", 1, kObjectMeta).about("Labels and annotations of the claim."),
    object("spec", 2, kPersistentVolumeClaimSpec).listed().about("What the claim asks for."),
};
constexpr Message kPersistentVolumeClaimTemplate{
    "io.k8s.api.core.v1.PersistentVolumeClaimTemplate", kPersistentVolumeClaimTemplateFields,
    "PersistentVolumeClaimTemplate describes claims that are to be made."};

constexpr Field kEphemeralVolumeSourceFields[] = {
    object("volumeClaimTemplate", 1, kPersistentVolumeClaimTemplate)
        .about("Claim that is made for the Pod."),
};

constexpr Field kFCVolumeSourceFields[] = {
    list_of("targetWWNs", 1, Type::kString).about("Worldwide names of the targets."),
    int32("lun", 2).about("Logical unit number."),
    text("fsType", 3).about("File system of the volume."),
    boolean("readOnly", 4).or_zero().about("If true, the volume cannot be written to."),
    list_of("wwids", 5, Type::kString).about("Worldwide identities of the volume."),
};

constexpr Field kFlexVolumeSourceFields[] = {
    text("driver", 1).listed().about("Name of the driver."),
    text("fsType", 2).about("File system of the volume."),
    object("secretRef", 3, kLocalObjectReference).about("Secret with the credentials."),
    boolean("readOnly", 4).or_zero().about("If true, the volume cannot be written to."),
    map_of("options", 5, Type::kString).about("Settings for the driver."),
};

constexpr Field kFlockerVolumeSourceFields[] = {
    text("datasetName", 1).about("Name of the dataset."),
    text("datasetUUID", 2).about("UUID of the dataset."),
};

constexpr Field kGCEPersistentDiskVolumeSourceFields[] = {
    text("pdName", 1).listed().about("Name of the disk."),
    text("fsType", 2).about("File system of the volume."),
    int32("partition", 3).or_zero().about("Partition to mount, if not the whole volume."),
    boolean("readOnly", 4).or_zero().about("If true, the volume cannot be written to."),
};

constexpr Field kGitRepoVolumeSourceFields[] = {
    text("repository", 1).listed().about("Address of the repository."),
    text("revision", 2).about("Commit to check out."),
    text("directory", 3).about("Directory to put the files into."),
};

constexpr Field kGlusterfsVolumeSourceFields[] = {
    text("endpoints", 1).listed().about("Endpoints object that lists the servers."),
    text("path", 2).listed().about("Name of the volume."),
    boolean("readOnly", 3).or_zero().about("If true, the volume cannot be written to."),
};

constexpr Field kISCSIVolumeSourceFields[] = {
    text("targetPortal", 1).listed().about("Address of the target."),
    text("iqn", 2).listed().about("Qualified name of the target."),
    int32("lun", 3).listed().about("Logical unit number."),
    text("iscsiInterface", 4).about("Interface to use."),
    text("fsType", 5).about("File system of the volume."),
    boolean("readOnly", 6).or_zero().about("If true, the volume cannot be written to."),
    list_of("portals", 7, Type::kString).about("Further addresses of the target."),
    boolean("chapAuthDiscovery", 8).or_zero().about("Whether discovery is authenticated by CHAP."),
    object("secretRef", 10, kLocalObjectReference).about("Secret with the credentials."),
    boolean("chapAuthSession", 11).or_zero().about("Whether the session is authenticated by CHAP."),
    text("initiatorName", 12).about("Name of the initiator."),
};

constexpr Field kImageVolumeSourceFields[] = {
    text("reference", 1).about("Name of the image."),
    text("pullPolicy", 2).about("When the image is pulled."),
};

constexpr Field kNFSVolumeSourceFields[] = {
    text("server", 1).listed().about("Host name or address of the server."),
    text("path", 2).listed().about("Path of the export."),
    boolean("readOnly", 3).or_zero().about("If true, the volume cannot be written to."),
};

constexpr Field kPersistentVolumeClaimVolumeSourceFields[] = {
    text("claimName", 1).listed().about("Name of the claim."),
    boolean("readOnly", 2).or_zero().about("If true, the volume cannot be written to."),
};

constexpr Field kPhotonPersistentDiskVolumeSourceFields[] = {
    text("pdID", 1).listed().about("Identity of the disk."),
    text("fsType", 2).about("File system of the volume."),
};

constexpr Field kPortworxVolumeSourceFields[] = {
    text("volumeID", 1).listed().about("Identity of the volume."),
    text("fsType", 2).about("File system of the volume."),
    boolean("readOnly", 3).or_zero().about("If true, the volume cannot be written to."),
};

constexpr Field kQuobyteVolumeSourceFields[] = {
    text("registry", 1).listed().about("Addresses of the registries."),
    text("volume", 2).listed().about("Name of the volume."),
    boolean("readOnly", 3).or_zero().about("If true, the volume cannot be written to."),
    text("user", 4).about("User to log in as."),
    text("group", 5).about("Group to log in as."),
    text("tenant", 6).about("Tenant that owns the volume."),
};

constexpr Field kRBDVolumeSourceFields[] = {
    list_of("monitors", 1, Type::kString).listed().about("Addresses of the monitors."),
    text("image", 2).listed().about("Name of the image."),
    text("fsType", 3).about("File system of the volume."),
    text("pool", 4).about("Pool of the image."),
    text("user", 5).about("User to log in as."),
    text("keyring", 6).about("Path of the key ring."),
    object("secretRef", 7, kLocalObjectReference).about("Secret with the credentials."),
    boolean("readOnly", 8).or_zero().about("If true, the volume cannot be written to."),
};

constexpr Field kScaleIOVolumeSourceFields[] = {
    text("gateway", 1).listed().about("Address of the gateway."),
    text("system", 2).listed().about("Name of the system."),
    object("secretRef", 3, kLocalObjectReference).listed().about("Secret with the credentials."),
    boolean("sslEnabled", 4).or_zero().about("Whether TLS is used."),
    text("protectionDomain", 5).about("Protection domain."),
    text("storagePool", 6).about("Storage pool."),
    text("storageMode", 7).about("Whether storage is thick or thin."),
    text("volumeName", 8).about("Name of the volume."),
    text("fsType", 9).about("File system of the volume."),
    boolean("readOnly", 10).or_zero().about("If true, the volume cannot be written to."),
};

constexpr Field kStorageOSVolumeSourceFields[] = {
    text("volumeName", 1).about("Name of the volume."),
    text("volumeNamespace", 2).about("Scope of the name."),
    text("fsType", 3).about("File system of the volume."),
    boolean("readOnly", 4).or_zero().about("If true, the volume cannot be written to."),
    object("secretRef", 5, kLocalObjectReference).about("Secret with the credentials."),
};

constexpr Field kVsphereVirtualDiskVolumeSourceFields[] = {
    text("volumePath", 1).listed().about("Path of the disk."),
    text("fsType", 2).about("File system of the volume."),
    text("storagePolicyName", 3).about("Name of the storage policy."),
    text("storagePolicyID", 4).about("Identity of the storage policy."),
};

}  // namespace

constinit const Message kAWSElasticBlockStoreVolumeSource{
    "io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource", kAWSElasticBlockStoreVolumeSourceFields,
    "AWSElasticBlockStoreVolumeSource is an EBS disk; not supported by Coracle yet."};
constinit const Message kAzureDiskVolumeSource{
    "io.k8s.api.core.v1.AzureDiskVolumeSource", kAzureDiskVolumeSourceFields,
    "AzureDiskVolumeSource is a disk of Azure; not supported by Coracle yet."};
constinit const Message kAzureFileVolumeSource{
    "io.k8s.api.core.v1.AzureFileVolumeSource", kAzureFileVolumeSourceFields,
    "AzureFileVolumeSource is a file share of Azure; not supported by Coracle yet."};
constinit const Message kCSIVolumeSource{
    "io.k8s.api.core.v1.CSIVolumeSource", kCSIVolumeSourceFields,
    "CSIVolumeSource is a volume made by a CSI driver; not supported by Coracle yet."};
constinit const Message kCephFSVolumeSource{
    "io.k8s.api.core.v1.CephFSVolumeSource", kCephFSVolumeSourceFields,
    "CephFSVolumeSource is a Ceph file system; not supported by Coracle yet."};
constinit const Message kCinderVolumeSource{
    "io.k8s.api.core.v1.CinderVolumeSource", kCinderVolumeSourceFields,
    "CinderVolumeSource is a Cinder volume; not supported by Coracle yet."};
constinit const Message kEphemeralVolumeSource{"io.k8s.api.core.v1.EphemeralVolumeSource",
                                               kEphemeralVolumeSourceFields,
                                               "EphemeralVolumeSource is a claim that lives as "
                                               "long as the Pod."};
constinit const Message kFCVolumeSource{
    "io.k8s.api.core.v1.FCVolumeSource", kFCVolumeSourceFields,
    "FCVolumeSource is a Fibre Channel volume; not supported by Coracle yet."};
constinit const Message kFlexVolumeSource{
    "io.k8s.api.core.v1.FlexVolumeSource", kFlexVolumeSourceFields,
    "FlexVolumeSource is a volume of a FlexVolume driver; not supported by Coracle yet."};
constinit const Message kFlockerVolumeSource{
    "io.k8s.api.core.v1.FlockerVolumeSource", kFlockerVolumeSourceFields,
    "FlockerVolumeSource is a Flocker volume; not supported by Coracle yet."};
constinit const Message kGCEPersistentDiskVolumeSource{
    "io.k8s.api.core.v1.GCEPersistentDiskVolumeSource", kGCEPersistentDiskVolumeSourceFields,
    "GCEPersistentDiskVolumeSource is a disk of Google Cloud; not supported by Coracle yet."};
constinit const Message kGitRepoVolumeSource{
    "io.k8s.api.core.v1.GitRepoVolumeSource", kGitRepoVolumeSourceFields,
    "GitRepoVolumeSource is the files of a Git repository; not supported by Coracle yet."};
constinit const Message kGlusterfsVolumeSource{
    "io.k8s.api.core.v1.GlusterfsVolumeSource", kGlusterfsVolumeSourceFields,
    "GlusterfsVolumeSource is a GlusterFS volume; not supported by Coracle yet."};
constinit const Message kISCSIVolumeSource{
    "io.k8s.api.core.v1.ISCSIVolumeSource", kISCSIVolumeSourceFields,
    "ISCSIVolumeSource is an iSCSI disk; not supported by Coracle yet."};
constinit const Message kImageVolumeSource{
    "io.k8s.api.core.v1.ImageVolumeSource", kImageVolumeSourceFields,
    "ImageVolumeSource is the files of an image; not supported by Coracle yet."};
constinit const Message kNFSVolumeSource{
    "io.k8s.api.core.v1.NFSVolumeSource", kNFSVolumeSourceFields,
    "NFSVolumeSource is an NFS export; not supported by Coracle yet."};
constinit const Message kPersistentVolumeClaimVolumeSource{
    "io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource",
    kPersistentVolumeClaimVolumeSourceFields,
    "PersistentVolumeClaimVolumeSource names a claim on storage."};
constinit const Message kPhotonPersistentDiskVolumeSource{
    "io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource", kPhotonPersistentDiskVolumeSourceFields,
    "PhotonPersistentDiskVolumeSource is a Photon disk; not supported by Coracle yet."};
constinit const Message kPortworxVolumeSource{
    "io.k8s.api.core.v1.PortworxVolumeSource", kPortworxVolumeSourceFields,
    "PortworxVolumeSource is a Portworx volume; not supported by Coracle yet."};
constinit const Message kQuobyteVolumeSource{
    "io.k8s.api.core.v1.QuobyteVolumeSource", kQuobyteVolumeSourceFields,
    "QuobyteVolumeSource is a Quobyte volume; not supported by Coracle yet."};
constinit const Message kRBDVolumeSource{
    "io.k8s.api.core.v1.RBDVolumeSource", kRBDVolumeSourceFields,
    "RBDVolumeSource is a Ceph block device; not supported by Coracle yet."};
constinit const Message kScaleIOVolumeSource{
    "io.k8s.api.core.v1.ScaleIOVolumeSource", kScaleIOVolumeSourceFields,
    "ScaleIOVolumeSource is a ScaleIO volume; not supported by Coracle yet."};
constinit const Message kStorageOSVolumeSource{
    "io.k8s.api.core.v1.StorageOSVolumeSource", kStorageOSVolumeSourceFields,
    "StorageOSVolumeSource is a StorageOS volume; not supported by Coracle yet."};
constinit const Message kVsphereVirtualDiskVolumeSource{
    "io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource", kVsphereVirtualDiskVolumeSourceFields,
    "VsphereVirtualDiskVolumeSource is a vSphere disk; not supported by Coracle yet."};
constinit const Message kPersistentVolumeClaimSpec{"io.k8s.api.core.v1.PersistentVolumeClaimSpec",
                                                   kPersistentVolumeClaimSpecFields,
                                                   "PersistentVolumeClaimSpec asks for storage."};

}  // namespace coracle::api
