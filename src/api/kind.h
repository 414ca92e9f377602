// SPDX-License-Identifier: GPL-2.0-or-later
// The kind table: one row declares a resource; discovery, OpenAPI, routes, storage keys, defaults,
// validation, columns, selectors and patches are derived from it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/errors.h"
#include "api/schema.h"
#include "base/time.h"
#include "json/tree.h"
#include "json/writer.h"

namespace coracle::api {

enum class Subresource : uint8_t {
  kNone,
  kStatus,
  kScale,
  kBinding,
  kEviction,
  kToken,
  kLog,
  kFinalize,
  kApproval,
  kExec,
  kAttach,
  kPortForward
};
constexpr uint32_t bit(Subresource s) {
  return 1u << static_cast<uint32_t>(s);
}
std::string_view subresource_name(Subresource subresource);  // "" for kNone

enum class NameRule : uint8_t { kSubdomain, kLabel, kDns1035Label, kPathSegment };

// How hard a write of this kind must be on disk before the leader waits for company (ARCHITECTURE,
// write classes).
enum class WriteClass : uint8_t { kSync, kLazy };

// Writes exactly one JSON value (a string or a number).
using Cell = void (*)(json::Node object, Wall now, json::Writer& out);

struct Column {
  std::string_view name;  // "Ready"
  Cell cell;
  std::string_view type = "string";  // "string", "integer"
  std::string_view format = {};      // "name" for the first column
  bool wide = false;                 // priority 1: only with -o wide
  std::string_view description = {};
};

// A field label that `--field-selector` may use beyond metadata.name and metadata.namespace.
struct SelectableField {
  std::string_view label;  // "spec.nodeName"
  std::string (*value)(json::Node object);
};

struct ScalePaths {
  std::string_view spec_replicas;  // "spec.replicas"; empty: no scale subresource
  std::string_view status_replicas;
  std::string_view selector;  // path of a LabelSelector (or of a plain map)
};

struct Kind {
  std::string_view group;             // "" for core
  std::string_view version;           // "v1"
  std::string_view name;              // "ReplicaSet"
  std::string_view plural;            // "replicasets"
  std::string_view singular;          // "replicaset"
  std::string_view short_names = {};  // comma-separated
  std::string_view categories = {};   // comma-separated: "all"
  bool namespaced = true;
  const Message* message = nullptr;  // whole object, with metadata
  std::span<const Column> columns =
      {};  // after Name come these, unless one has format "name"; Age is declared too
  std::span<const SelectableField> selectable = {};
  uint32_t subresources = 0;  // bit(Subresource::...)
  ScalePaths scale = {};
  NameRule name_rule = NameRule::kSubdomain;
  WriteClass write_class = WriteClass::kSync;
  bool has_status = false;  // spec writes keep the stored status, status writes keep the stored
                            // spec and most metadata
  bool bumps_generation = false;  // metadata.generation: 1 at create, +1 when spec changes
  bool allow_create_on_update = false;
  bool needs_version_on_update = false;  // PUT without resourceVersion is refused
  // Defaults that depend on several fields (after the declared ones). May be null.
  void (*fill_defaults)(json::Node object) = nullptr;
  // What the server sets or wipes before validation: create (old is a null Node) and update.
  void (*prepare)(json::Node object, json::Node old) = nullptr;
  // Cross-field rules on create and update; `update` gets the stored object and also checks
  // immutability.
  void (*validate)(json::Node object, Errors& errors) = nullptr;
  void (*validate_update)(json::Node object, json::Node old, Errors& errors) = nullptr;
  // Rules for writes through /status. May be null.
  void (*validate_status)(json::Node object, json::Node old, Errors& errors) = nullptr;
  // Sentences for `Warning:` headers. May be null.
  void (*warn)(json::Node object, std::string& out) = nullptr;

  // A second version of a resource: what is stored is of another kind. `to_stored` gets what is
  // stored now (or null) to keep what this version cannot say.
  const Kind* stored_as = nullptr;
  void (*to_stored)(json::Node object, json::Node old) = nullptr;
  void (*from_stored)(json::Node object) = nullptr;

  bool is_custom = false;  // declared by a CustomResourceDefinition (api/custom_kinds.h)

  bool serves(Subresource s) const { return (subresources & bit(s)) != 0; }
};

std::span<const Kind* const> all_kinds();   // that are stored
std::span<const Kind* const> twin_kinds();  // other versions of them (Kind::stored_as)
inline const Kind& stored_kind(const Kind& kind) {
  return kind.stored_as == nullptr ? kind : *kind.stored_as;
}
const Kind* find_kind(std::string_view group, std::string_view version, std::string_view plural);
const Kind* find_kind_by_name(std::string_view group,
                              std::string_view version,
                              std::string_view name);
std::string group_version(const Kind& kind);   // "apps/v1", "v1"
std::string group_resource(const Kind& kind);  // "deployments.apps", "pods": as in error texts
std::string group_kind(const Kind& kind);      // "Deployment.apps", "Pod"
// "/registry/pods/default/web": the storage key; kinds outside core:
// "/registry/apps/deployments/...".
std::string storage_prefix(const Kind& kind);  // with trailing '/'
std::string storage_key(const Kind& kind, std::string_view ns, std::string_view name);
struct StoredName {
  const Kind* kind = nullptr;
  std::string_view ns;
  std::string_view name;
};
StoredName parse_storage_key(std::string_view key);  // kind is null for a key of no known kind

// The kinds that other rooms name (api/kinds/*.cc).
extern const Kind kNamespace, kNode, kPod, kService, kEndpoints, kEndpointSlice, kConfigMap,
    kSecret, kServiceAccount, kEvent, kLease, kDeployment, kReplicaSet, kDaemonSet, kStatefulSet,
    kControllerRevision, kJob, kCronJob, kPodDisruptionBudget, kReplicationController, kPodTemplate,
    kResourceQuota, kLimitRange, kPersistentVolume, kPersistentVolumeClaim, kPriorityClass,
    kStorageClass, kRole, kClusterRole, kRoleBinding, kClusterRoleBinding, kNetworkPolicy, kIngress,
    kIngressClass, kHorizontalPodAutoscaler, kHorizontalPodAutoscalerV1, kEventsEvent,
    kRuntimeClass, kCertificateSigningRequest, kVolumeAttachment, kCSIDriver, kCSINode,
    kCSIStorageCapacity, kFlowSchema, kPriorityLevelConfiguration, kAPIService, kIPAddress,
    kServiceCIDR, kCustomResourceDefinition;

}  // namespace coracle::api
