// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/kinds/claim.h"
#include "api/kinds/pod_template.h"
#include "api/kinds/volume_plugins.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kSecretReferenceFields[] = {
    text("name", 1),
    text("namespace", 2),
};
constexpr Message kSecretReference{"io.k8s.api.core.v1.SecretReference", kSecretReferenceFields};

constexpr Field kAzureFileFields[] = {
    text("secretName", 1).listed(),
    text("shareName", 2).listed(),
    boolean("readOnly", 3).or_zero(),
    text("secretNamespace", 4),
};
constexpr Message kAzureFile{"io.k8s.api.core.v1.AzureFilePersistentVolumeSource",
                             kAzureFileFields};

constexpr Field kCephFSFields[] = {
    list_of("monitors", 1, Type::kString).listed(),
    text("path", 2),
    text("user", 3),
    text("secretFile", 4),
    object("secretRef", 5, kSecretReference),
    boolean("readOnly", 6).or_zero(),
};
constexpr Message kCephFS{"io.k8s.api.core.v1.CephFSPersistentVolumeSource", kCephFSFields};

constexpr Field kCinderFields[] = {
    text("volumeID", 1).listed(),
    text("fsType", 2),
    boolean("readOnly", 3).or_zero(),
    object("secretRef", 4, kSecretReference),
};
constexpr Message kCinder{"io.k8s.api.core.v1.CinderPersistentVolumeSource", kCinderFields};

constexpr Field kCSIFields[] = {
    text("driver", 1).required().about("Name of the driver."),
    text("volumeHandle", 2).required().about("Name of the volume for the driver."),
    boolean("readOnly", 3).or_zero(),
    text("fsType", 4),
    map_of("volumeAttributes", 5, Type::kString),
    object("controllerPublishSecretRef", 6, kSecretReference),
    object("nodeStageSecretRef", 7, kSecretReference),
    object("nodePublishSecretRef", 8, kSecretReference),
    object("controllerExpandSecretRef", 9, kSecretReference),
    object("nodeExpandSecretRef", 10, kSecretReference),
};
constexpr Message kCSI{"io.k8s.api.core.v1.CSIPersistentVolumeSource", kCSIFields};

constexpr Field kFlexFields[] = {
    text("driver", 1).listed(),
    text("fsType", 2),
    object("secretRef", 3, kSecretReference),
    boolean("readOnly", 4).or_zero(),
    map_of("options", 5, Type::kString),
};
constexpr Message kFlex{"io.k8s.api.core.v1.FlexPersistentVolumeSource", kFlexFields};

constexpr Field kGlusterfsFields[] = {
    text("endpoints", 1).listed(),
    text("path", 2).listed(),
    boolean("readOnly", 3).or_zero(),
    text("endpointsNamespace", 4),
};
constexpr Message kGlusterfs{"io.k8s.api.core.v1.GlusterfsPersistentVolumeSource",
                             kGlusterfsFields};

constexpr Field kISCSIFields[] = {
    text("targetPortal", 1).listed(),
    text("iqn", 2).listed(),
    int32("lun", 3).listed(),
    text("iscsiInterface", 4).otherwise("\"default\""),
    text("fsType", 5),
    boolean("readOnly", 6).or_zero(),
    list_of("portals", 7, Type::kString),
    boolean("chapAuthDiscovery", 8).or_zero(),
    object("secretRef", 10, kSecretReference),
    boolean("chapAuthSession", 11).or_zero(),
    text("initiatorName", 12),
};
constexpr Message kISCSI{"io.k8s.api.core.v1.ISCSIPersistentVolumeSource", kISCSIFields};

constexpr Field kLocalFields[] = {
    text("path", 1).required().about("Path on the node."),
    text("fsType", 2).about("File system, if the path is a block device."),
};
constexpr Message kLocal{"io.k8s.api.core.v1.LocalVolumeSource", kLocalFields};

constexpr Field kVolumeNodeAffinityFields[] = {
    object("required", 1, kNodeSelector).about("What a node must match."),
};
constexpr Message kVolumeNodeAffinity{"io.k8s.api.core.v1.VolumeNodeAffinity",
                                      kVolumeNodeAffinityFields};

constexpr Field kRBDFields[] = {
    list_of("monitors", 1, Type::kString).listed(),
    text("image", 2).listed(),
    text("fsType", 3),
    text("pool", 4).otherwise("\"rbd\""),
    text("user", 5).otherwise("\"admin\""),
    text("keyring", 6).otherwise("\"/etc/ceph/keyring\""),
    object("secretRef", 7, kSecretReference),
    boolean("readOnly", 8).or_zero(),
};
constexpr Message kRBD{"io.k8s.api.core.v1.RBDPersistentVolumeSource", kRBDFields};

constexpr Field kScaleIOFields[] = {
    text("gateway", 1).listed(),
    text("system", 2).listed(),
    object("secretRef", 3, kSecretReference).listed(),
    boolean("sslEnabled", 4).or_zero(),
    text("protectionDomain", 5),
    text("storagePool", 6),
    text("storageMode", 7).otherwise("\"ThinProvisioned\""),
    text("volumeName", 8),
    text("fsType", 9).otherwise("\"xfs\""),
    boolean("readOnly", 10).or_zero(),
};
constexpr Message kScaleIO{"io.k8s.api.core.v1.ScaleIOPersistentVolumeSource", kScaleIOFields};

constexpr Field kStorageOSFields[] = {
    text("volumeName", 1),
    text("volumeNamespace", 2),
    text("fsType", 3),
    boolean("readOnly", 4).or_zero(),
    object("secretRef", 5, kObjectReference),
};
constexpr Message kStorageOS{"io.k8s.api.core.v1.StorageOSPersistentVolumeSource",
                             kStorageOSFields};

constexpr Field kPersistentVolumeSpecFields[] = {
    map_of("capacity", 1, Type::kQuantity).about("Size of the volume."),
    object("gcePersistentDisk", 1, kGCEPersistentDiskVolumeSource).within(2),
    object("awsElasticBlockStore", 2, kAWSElasticBlockStoreVolumeSource).within(2),
    object("hostPath", 3, kHostPathVolumeSource).within(2).about("A directory of the node."),
    object("glusterfs", 4, kGlusterfs).within(2),
    object("nfs", 5, kNFSVolumeSource).within(2).about("A directory of an NFS server."),
    object("rbd", 6, kRBD).within(2),
    object("iscsi", 7, kISCSI).within(2),
    object("cinder", 8, kCinder).within(2),
    object("cephfs", 9, kCephFS).within(2),
    object("fc", 10, kFCVolumeSource).within(2),
    object("flocker", 11, kFlockerVolumeSource).within(2),
    object("flexVolume", 12, kFlex).within(2),
    object("azureFile", 13, kAzureFile).within(2),
    object("vsphereVolume", 14, kVsphereVirtualDiskVolumeSource).within(2),
    object("quobyte", 15, kQuobyteVolumeSource).within(2),
    object("azureDisk", 16, kAzureDiskVolumeSource).within(2),
    object("photonPersistentDisk", 17, kPhotonPersistentDiskVolumeSource).within(2),
    object("portworxVolume", 18, kPortworxVolumeSource).within(2),
    object("scaleIO", 19, kScaleIO).within(2),
    object("local", 20, kLocal).within(2).about("A directory or disk of one node."),
    object("storageos", 21, kStorageOS).within(2),
    object("csi", 22, kCSI).within(2).about("A volume of a CSI driver."),
    list_of("accessModes", 3, Type::kString).about("How the volume can be accessed."),
    object("claimRef", 4, kObjectReference).about("The claim that the volume is bound to."),
    text("persistentVolumeReclaimPolicy", 5)
        .otherwise("\"Retain\"")
        .one_of("Delete|Recycle|Retain")
        .about("What becomes of the volume when its claim is gone."),
    text("storageClassName", 6).about("Class of the storage."),
    list_of("mountOptions", 7, Type::kString).about("Options of the mount."),
    text("volumeMode", 8)
        .otherwise("\"Filesystem\"")
        .one_of("Block|Filesystem")
        .about("Filesystem or Block."),
    object("nodeAffinity", 9, kVolumeNodeAffinity).about("Nodes that can use the volume."),
    text("volumeAttributesClassName", 10),
};
constexpr Message kPersistentVolumeSpec{"io.k8s.api.core.v1.PersistentVolumeSpec",
                                        kPersistentVolumeSpecFields,
                                        "PersistentVolumeSpec describes a volume."};

constexpr Field kPersistentVolumeStatusFields[] = {
    text("phase", 1)
        .otherwise("\"Pending\"")
        .about("Pending, Available, Bound, Released or Failed."),
    text("message", 2).about("Explanation for people."),
    text("reason", 3).about("Machine-readable reason of the phase."),
    time("lastPhaseTransitionTime", 4).about("When the phase last changed."),
};
constexpr Message kPersistentVolumeStatus{"io.k8s.api.core.v1.PersistentVolumeStatus",
                                          kPersistentVolumeStatusFields};

constexpr Field kPersistentVolumeFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kPersistentVolumeSpec).about("The volume."),
    object("status", 3, kPersistentVolumeStatus).about("Its current state."),
};
constexpr Message kPersistentVolumeMessage{"io.k8s.api.core.v1.PersistentVolume",
                                           kPersistentVolumeFields,
                                           "PersistentVolume is storage that outlives Pods."};

void modes_cell(json::Node volume, Wall, json::Writer& out) {
  out.value(access_modes_text(volume["spec"]["accessModes"]));
}

void status_cell(json::Node volume, Wall, json::Writer& out) {
  if (volume["metadata"]["deletionTimestamp"]) return out.value("Terminating");
  out.value(volume["status"]["phase"].string());
}

void claim_cell(json::Node volume, Wall, json::Writer& out) {
  const json::Node claim = volume["spec"]["claimRef"];
  if (!claim) return out.value("");
  out.value(join({claim["namespace"].string(), "/", claim["name"].string()}));
}

void attributes_cell(json::Node volume, Wall, json::Writer& out) {
  out.value(volume["spec"]["volumeAttributesClassName"].string("<unset>"));
}

constexpr Column kColumns[] = {
    text_column("Capacity", text_at<"spec.capacity.storage">),
    text_column("Access Modes", modes_cell),
    text_column("Reclaim Policy", text_at<"spec.persistentVolumeReclaimPolicy">),
    text_column("Status", status_cell),
    text_column("Claim", claim_cell),
    text_column("StorageClass", text_at<"spec.storageClassName">),
    text_column("VolumeAttributesClass", attributes_cell),
    text_column("Reason", text_at<"status.reason">),
    kAgeColumn,
    text_column("VolumeMode", text_at<"spec.volumeMode">, true),
};

void prepare(json::Node volume, json::Node old) {
  if (old) return;
  volume.remove("status");
  volume.object("status").set("phase", "Pending");
}

// The members of the spec that Go embeds: one of them is the volume.
bool is_source(std::string_view name) {
  const Field* field = kPersistentVolumeSpec.find(name);
  return field != nullptr && field->embedded_in != 0;
}

void check_source(json::Node spec, Errors& errors) {
  size_t sources = 0;
  for (const json::Node child : spec) {
    if (!is_source(child.key())) continue;
    if (++sources > 1)
      errors.forbidden(field("spec", child.key()), "may not specify more than 1 volume type");
  }
  if (sources == 0) errors.required("spec", "must specify a volume type");
  if (spec["local"] && !spec["nodeAffinity"])
    errors.required("spec.nodeAffinity", "Local volume requires node affinity");
  const std::string_view path = spec["hostPath"]["path"].string();
  if (path == "/" && spec["persistentVolumeReclaimPolicy"].string() == "Recycle")
    errors.forbidden("spec.persistentVolumeReclaimPolicy",
                     "may not be 'recycle' for a hostPath mount of '/'");
}

void validate(json::Node volume, Errors& errors) {
  const json::Node spec = volume["spec"];
  check_access_modes(spec["accessModes"], "spec.accessModes", errors);
  const json::Node capacity = spec["capacity"];
  if (capacity.size() == 0) errors.required("spec.capacity");
  if (capacity.size() > 0 && (!capacity["storage"] || capacity.size() > 1))
    errors.not_supported("spec.capacity", capacity, "storage");
  const std::string_view storage = capacity["storage"].string();
  if (canonical_quantity(storage) && compare_quantities(storage, "0") <= 0)
    errors.invalid(entry("spec.capacity", "storage"), storage, "must be greater than zero");
  check_source(spec, errors);
  const json::Node name = spec["storageClassName"];
  if (!name.string().empty()) check_subdomain_name(name, "spec.storageClassName", errors);
}

void validate_update(json::Node volume, json::Node old, Errors& errors) {
  const json::Node spec = volume["spec"];
  const json::Node before = old["spec"];
  for (const Field& each : kPersistentVolumeSpecFields) {
    if (each.embedded_in == 0 || json::equal(spec[each.name], before[each.name])) continue;
    errors.forbidden("spec.persistentvolumesource",
                     "spec.persistentvolumesource is immutable after creation");
    break;
  }
  check_immutable(spec["volumeMode"], before["volumeMode"], "spec.volumeMode", errors);
  if (before["nodeAffinity"])
    check_immutable(spec["nodeAffinity"], before["nodeAffinity"], "spec.nodeAffinity", errors);
}

}  // namespace

constinit const Kind kPersistentVolume{.group = "",
                                       .version = "v1",
                                       .name = "PersistentVolume",
                                       .plural = "persistentvolumes",
                                       .singular = "persistentvolume",
                                       .short_names = "pv",
                                       .namespaced = false,
                                       .message = &kPersistentVolumeMessage,
                                       .columns = kColumns,
                                       .subresources = bit(Subresource::kStatus),
                                       .has_status = true,
                                       .prepare = prepare,
                                       .validate = validate,
                                       .validate_update = validate_update};

}  // namespace coracle::api
