// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kinds/checks.h"
#include "api/kinds/pod_template.h"
#include "api/kinds/volume_plugins.h"
#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kKeyToPathFields[] = {
    text("key", 1).required().about("Key to show."),
    text("path", 2).required().about("File to show it as."),
    int32("mode", 3).must(is_file_mode).about("Mode of the file."),
};
constexpr Message kKeyToPath{"io.k8s.api.core.v1.KeyToPath", kKeyToPathFields,
                             "KeyToPath shows one key as a file."};

constexpr Field kHostPathVolumeSourceFields[] = {
    text("path", 1).required().about("Path on the node."),
    text("type", 2)
        .otherwise("\"\"")
        .one_of("|BlockDevice|CharDevice|Directory|DirectoryOrCreate|File|FileOrCreate|Socket")
        .about("What must exist there, or is made."),
};

constexpr Field kEmptyDirVolumeSourceFields[] = {
    text("medium", 1).about("Empty for the node's disk, Memory for RAM."),
    quantity("sizeLimit", 2).about("Most that the directory may hold."),
};
constexpr Message kEmptyDirVolumeSource{
    "io.k8s.api.core.v1.EmptyDirVolumeSource", kEmptyDirVolumeSourceFields,
    "EmptyDirVolumeSource is an empty directory that lives as long as the Pod."};

constexpr Field kSecretVolumeSourceFields[] = {
    text("secretName", 1).about("Name of the Secret."),
    list("items", 2, kKeyToPath).about("Keys to show; all if empty."),
    int32("defaultMode", 3)
        .otherwise("420")
        .must(is_file_mode)
        .about("Mode of the files, decimal in JSON, 0644 if absent."),
    boolean("optional", 4).about("If true, the Secret and its keys may be missing."),
};
constexpr Message kSecretVolumeSource{"io.k8s.api.core.v1.SecretVolumeSource",
                                      kSecretVolumeSourceFields,
                                      "SecretVolumeSource shows keys of a Secret as files."};

constexpr Field kConfigMapVolumeSourceFields[] = {
    text("name", 1).within(1).about("Name of the ConfigMap."),
    list("items", 2, kKeyToPath).about("Keys to show; all if empty."),
    int32("defaultMode", 3)
        .otherwise("420")
        .must(is_file_mode)
        .about("Mode of the files, decimal in JSON, 0644 if absent."),
    boolean("optional", 4).about("If true, the ConfigMap and its keys may be missing."),
};
constexpr Message kConfigMapVolumeSource{
    "io.k8s.api.core.v1.ConfigMapVolumeSource", kConfigMapVolumeSourceFields,
    "ConfigMapVolumeSource shows keys of a ConfigMap as files."};

constexpr Field kDownwardAPIVolumeFileFields[] = {
    text("path", 1).required().about("File to show it as."),
    object("fieldRef", 2, kObjectFieldSelector).about("A field of the Pod."),
    object("resourceFieldRef", 3, kResourceFieldSelector)
        .about("A request or limit of a container."),
    int32("mode", 4).must(is_file_mode).about("Mode of the file."),
};
constexpr Message kDownwardAPIVolumeFile{
    "io.k8s.api.core.v1.DownwardAPIVolumeFile", kDownwardAPIVolumeFileFields,
    "DownwardAPIVolumeFile shows one field of the Pod as a file."};

constexpr Field kDownwardAPIVolumeSourceFields[] = {
    list("items", 1, kDownwardAPIVolumeFile).about("Fields to show."),
    int32("defaultMode", 2)
        .otherwise("420")
        .must(is_file_mode)
        .about("Mode of the files, decimal in JSON, 0644 if absent."),
};
constexpr Message kDownwardAPIVolumeSource{
    "io.k8s.api.core.v1.DownwardAPIVolumeSource", kDownwardAPIVolumeSourceFields,
    "DownwardAPIVolumeSource shows fields of the Pod as files."};

constexpr Field kSecretProjectionFields[] = {
    text("name", 1).within(1).about("Name of the Secret."),
    list("items", 2, kKeyToPath).about("Keys to show; all if empty."),
    boolean("optional", 4).about("If true, the Secret and its keys may be missing."),
};
constexpr Message kSecretProjection{"io.k8s.api.core.v1.SecretProjection", kSecretProjectionFields,
                                    "SecretProjection shows keys of a Secret as files."};

constexpr Field kConfigMapProjectionFields[] = {
    text("name", 1).within(1).about("Name of the ConfigMap."),
    list("items", 2, kKeyToPath).about("Keys to show; all if empty."),
    boolean("optional", 4).about("If true, the ConfigMap and its keys may be missing."),
};
constexpr Message kConfigMapProjection{"io.k8s.api.core.v1.ConfigMapProjection",
                                       kConfigMapProjectionFields,
                                       "ConfigMapProjection shows keys of a ConfigMap as files."};

constexpr Field kDownwardAPIProjectionFields[] = {
    list("items", 1, kDownwardAPIVolumeFile).about("Fields to show."),
};
constexpr Message kDownwardAPIProjection{"io.k8s.api.core.v1.DownwardAPIProjection",
                                         kDownwardAPIProjectionFields,
                                         "DownwardAPIProjection shows fields of the Pod as files."};

constexpr Field kServiceAccountTokenProjectionFields[] = {
    text("audience", 1).about("Who the token is for; the API server if empty."),
    int64("expirationSeconds", 2).otherwise("3600").about("Seconds that the token is good for."),
    text("path", 3).required().about("File to show it as."),
};
constexpr Message kServiceAccountTokenProjection{
    "io.k8s.api.core.v1.ServiceAccountTokenProjection", kServiceAccountTokenProjectionFields,
    "ServiceAccountTokenProjection shows a token of the Pod's ServiceAccount."};

constexpr Field kClusterTrustBundleProjectionFields[] = {
    text("name", 1).about("Name of one bundle."),
    text("signerName", 2).about("Signer whose bundles are joined."),
    object("labelSelector", 3, kLabelSelector).about("Bundles of the signer, by label."),
    text("path", 4).listed().about("File to show them as."),
    boolean("optional", 5).about("If true, bundles may be missing."),
};
constexpr Message kClusterTrustBundleProjection{
    "io.k8s.api.core.v1.ClusterTrustBundleProjection", kClusterTrustBundleProjectionFields,
    "ClusterTrustBundleProjection is not supported by Coracle yet."};

constexpr Field kPodCertificateProjectionFields[] = {
    text("signerName", 1).listed().about("Who signs the certificate."),
    text("keyType", 2).listed().about("Kind of the key."),
    int32("maxExpirationSeconds", 3).about("Longest life of the certificate."),
    text("credentialBundlePath", 4).about("File for key and certificates."),
    text("keyPath", 5).about("File for the key."),
    text("certificateChainPath", 6).about("File for the certificates."),
    map_of("userAnnotations", 7, Type::kString).about("Notes for the signer."),
};
constexpr Message kPodCertificateProjection{
    "io.k8s.api.core.v1.PodCertificateProjection", kPodCertificateProjectionFields,
    "PodCertificateProjection is not supported by Coracle yet."};

constexpr Field kVolumeProjectionFields[] = {
    object("secret", 1, kSecretProjection).about("Keys of a Secret."),
    object("downwardAPI", 2, kDownwardAPIProjection).about("Fields of the Pod."),
    object("configMap", 3, kConfigMapProjection).about("Keys of a ConfigMap."),
    object("serviceAccountToken", 4, kServiceAccountTokenProjection)
        .about("A token of the Pod's ServiceAccount."),
    object("clusterTrustBundle", 5, kClusterTrustBundleProjection)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("podCertificate", 6, kPodCertificateProjection)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
};
constexpr Message kVolumeProjection{
    "io.k8s.api.core.v1.VolumeProjection", kVolumeProjectionFields,
    "VolumeProjection is one source of a projected volume; exactly one is set."};

constexpr Field kProjectedVolumeSourceFields[] = {
    list("sources", 1, kVolumeProjection).about("The sources."),
    int32("defaultMode", 2)
        .otherwise("420")
        .must(is_file_mode)
        .about("Mode of the files, decimal in JSON, 0644 if absent."),
};
constexpr Message kProjectedVolumeSource{
    "io.k8s.api.core.v1.ProjectedVolumeSource", kProjectedVolumeSourceFields,
    "ProjectedVolumeSource shows several sources in one directory."};

constexpr Field kVolumeFields[] = {
    text("name", 1).required().about("Name of the volume, a DNS label unique in the Pod."),
    object("hostPath", 1, kHostPathVolumeSource)
        .within(2)
        .about("A file or directory of the node."),
    object("emptyDir", 2, kEmptyDirVolumeSource)
        .within(2)
        .about("An empty directory that lives as long as the Pod."),
    object("gcePersistentDisk", 3, kGCEPersistentDiskVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("awsElasticBlockStore", 4, kAWSElasticBlockStoreVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("gitRepo", 5, kGitRepoVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("secret", 6, kSecretVolumeSource).within(2).about("Keys of a Secret as files."),
    object("nfs", 7, kNFSVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("iscsi", 8, kISCSIVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("glusterfs", 9, kGlusterfsVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("persistentVolumeClaim", 10, kPersistentVolumeClaimVolumeSource)
        .within(2)
        .about("Claim in the namespace of the Pod."),
    object("rbd", 11, kRBDVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("flexVolume", 12, kFlexVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("cinder", 13, kCinderVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("cephfs", 14, kCephFSVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("flocker", 15, kFlockerVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("downwardAPI", 16, kDownwardAPIVolumeSource)
        .within(2)
        .about("Fields of the Pod as files."),
    object("fc", 17, kFCVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("azureFile", 18, kAzureFileVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("configMap", 19, kConfigMapVolumeSource)
        .within(2)
        .about("Keys of a ConfigMap as files."),
    object("vsphereVolume", 20, kVsphereVirtualDiskVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("quobyte", 21, kQuobyteVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("azureDisk", 22, kAzureDiskVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("photonPersistentDisk", 23, kPhotonPersistentDiskVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("portworxVolume", 24, kPortworxVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("scaleIO", 25, kScaleIOVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("projected", 26, kProjectedVolumeSource)
        .within(2)
        .about("Several sources in one directory."),
    object("storageos", 27, kStorageOSVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("csi", 28, kCSIVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("ephemeral", 29, kEphemeralVolumeSource)
        .within(2)
        .about("Claim that is made for the Pod and goes with it."),
    object("image", 30, kImageVolumeSource)
        .within(2)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
};

}  // namespace

constinit const Message kVolume{
    "io.k8s.api.core.v1.Volume", kVolumeFields,
    "Volume is a directory that containers of a Pod can mount; exactly one source is set."};
constinit const Message kHostPathVolumeSource{
    "io.k8s.api.core.v1.HostPathVolumeSource", kHostPathVolumeSourceFields,
    "HostPathVolumeSource is a file or directory of the node."};

}  // namespace coracle::api
