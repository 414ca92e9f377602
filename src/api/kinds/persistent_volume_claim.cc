// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/kinds/claim.h"
#include "api/kinds/volume_plugins.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr std::string_view kModes = "ReadOnlyMany|ReadWriteMany|ReadWriteOnce|ReadWriteOncePod";

constexpr Field kPersistentVolumeClaimConditionFields[] = {
    text("type", 1).listed(),      text("status", 2).listed(), time("lastProbeTime", 3),
    time("lastTransitionTime", 4), text("reason", 5),          text("message", 6),
};
constexpr Message kPersistentVolumeClaimCondition{
    "io.k8s.api.core.v1.PersistentVolumeClaimCondition", kPersistentVolumeClaimConditionFields};

constexpr Field kModifyVolumeStatusFields[] = {
    text("targetVolumeAttributesClassName", 1),
    text("status", 2).listed(),
};
constexpr Message kModifyVolumeStatus{"io.k8s.api.core.v1.ModifyVolumeStatus",
                                      kModifyVolumeStatusFields};

constexpr Field kPersistentVolumeClaimStatusFields[] = {
    text("phase", 1)
        .otherwise("\"Pending\"")
        .about("Pending, Bound, or Lost if the volume is gone."),
    list_of("accessModes", 2, Type::kString).about("How the bound volume can be accessed."),
    map_of("capacity", 3, Type::kQuantity).about("Size of the bound volume."),
    list("conditions", 4, kPersistentVolumeClaimCondition).keyed_by("type"),
    map_of("allocatedResources", 5, Type::kQuantity),
    map_of("allocatedResourceStatuses", 7, Type::kString),
    text("currentVolumeAttributesClassName", 8),
    object("modifyVolumeStatus", 9, kModifyVolumeStatus),
};
constexpr Message kPersistentVolumeClaimStatus{"io.k8s.api.core.v1.PersistentVolumeClaimStatus",
                                               kPersistentVolumeClaimStatusFields};

constexpr Field kPersistentVolumeClaimFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kPersistentVolumeClaimSpec).about("What storage is asked for."),
    object("status", 3, kPersistentVolumeClaimStatus).about("What storage was given."),
};

void status_cell(json::Node claim, Wall, json::Writer& out) {
  if (claim["metadata"]["deletionTimestamp"]) return out.value("Terminating");
  out.value(claim["status"]["phase"].string());
}

void capacity_cell(json::Node claim, Wall, json::Writer& out) {
  const bool bound = !claim["spec"]["volumeName"].string().empty();
  out.value(bound ? claim["status"]["capacity"]["storage"].string() : "");
}

void modes_cell(json::Node claim, Wall, json::Writer& out) {
  const bool bound = !claim["spec"]["volumeName"].string().empty();
  out.value(bound ? access_modes_text(claim["status"]["accessModes"]) : std::string());
}

void class_cell(json::Node claim, Wall, json::Writer& out) {
  const std::string_view old =
      claim["metadata"]["annotations"]["volume.beta.kubernetes.io/storage-class"].string();
  out.value(old.empty() ? claim["spec"]["storageClassName"].string() : old);
}

void attributes_cell(json::Node claim, Wall, json::Writer& out) {
  out.value(claim["spec"]["volumeAttributesClassName"].string("<unset>"));
}

void mode_cell(json::Node claim, Wall, json::Writer& out) {
  out.value(claim["spec"]["volumeMode"].string("<unset>"));
}

constexpr Column kColumns[] = {
    text_column("Status", status_cell),
    text_column("Volume", text_at<"spec.volumeName">),
    text_column("Capacity", capacity_cell),
    text_column("Access Modes", modes_cell),
    text_column("StorageClass", class_cell),
    text_column("VolumeAttributesClass", attributes_cell),
    kAgeColumn,
    text_column("VolumeMode", mode_cell, true),
};

// A claim without a data source has none in either form; with one, both forms say the same.
void align_sources(json::Node spec) {
  const json::Node source = spec["dataSource"];
  const json::Node reference = spec["dataSourceRef"];
  if (source && !reference) spec.set("dataSourceRef", source);
  if (!reference || source || reference["namespace"]) return;
  spec.set("dataSource", reference);
}

void prepare(json::Node claim, json::Node old) {
  align_sources(claim["spec"]);
  if (old) return;
  claim.remove("status");
  claim.object("status").set("phase", "Pending");
}

void check_storage(json::Node spec, std::string_view path, Errors& errors) {
  const json::Node storage = spec["resources"]["requests"]["storage"];
  const std::string resources = field(path, "resources");
  if (!storage) return errors.required(entry(resources, "storage"));
  const std::string at = entry(field(resources, "requests"), "storage");
  if (!canonical_quantity(storage.string())) return;  // refused by its type
  if (compare_quantities(storage.string(), "0") <= 0)
    errors.invalid(at, storage, "must be greater than zero");
}

void validate(json::Node claim, Errors& errors) {
  check_claim_spec(claim["spec"], "spec", errors);
}

// core validation ValidatePersistentVolumeClaimUpdate: the binder fills in volumeName, and a bound
// claim may grow.
void validate_update(json::Node claim, json::Node old, Errors& errors) {
  const json::Node spec = claim["spec"];
  const json::Node before = old["spec"];
  std::string_view free = "volumeAttributesClassName";
  const bool unbound = before["volumeName"].string().empty();
  if (unbound) free = "volumeAttributesClassName|volumeName|storageClassName";
  const bool bound = old["status"]["phase"].string() == "Bound";
  if (bound) free = "volumeAttributesClassName|resources";
  const json::Node old_class = before["storageClassName"];
  const bool class_moved = !json::equal(spec["storageClassName"], old_class);
  const bool class_fits = !class_moved || (unbound && old_class.string().empty());
  if (!same_but(spec, before, free) || !class_fits) {
    errors.forbidden("spec",
                     "spec is immutable after creation except resources.requests and "
                     "volumeAttributesClassName for bound claims");
  }
  const std::string_view now = spec["resources"]["requests"]["storage"].string();
  const std::string_view then = before["resources"]["requests"]["storage"].string();
  const bool readable = canonical_quantity(now) && canonical_quantity(then);
  if (bound && readable && compare_quantities(now, then) < 0 &&
      compare_quantities(now, claim["status"]["capacity"]["storage"].string("0")) < 0) {
    errors.forbidden("spec.resources.requests.storage",
                     "field can not be less than status.capacity");
  }
}

}  // namespace

constinit const Message kPersistentVolumeClaimMessage{
    "io.k8s.api.core.v1.PersistentVolumeClaim", kPersistentVolumeClaimFields,
    "PersistentVolumeClaim asks for storage that outlives Pods."};

void check_claim_spec(json::Node spec, std::string_view path, Errors& errors) {
  check_access_modes(spec["accessModes"], field(path, "accessModes"), errors);
  if (spec["selector"]) check_label_selector(spec["selector"], field(path, "selector"), errors);
  check_storage(spec, path, errors);
  const json::Node name = spec["storageClassName"];
  if (!name.string().empty()) check_subdomain_name(name, field(path, "storageClassName"), errors);
  const json::Node mode = spec["volumeMode"];
  if (mode && !is_one_of(mode.string(), kVolumeModes))
    errors.not_supported(field(path, "volumeMode"), mode, kVolumeModes);
}

void default_claim(json::Node claim) {
  const json::Node spec = claim["spec"];
  if (spec["volumeMode"].string().empty()) spec.set("volumeMode", "Filesystem");
  const json::Node status = claim.object("status");
  if (status["phase"].string().empty()) status.set("phase", "Pending");
}

std::string access_modes_text(json::Node modes) {
  constexpr std::string_view kShort[][2] = {{"ReadWriteOnce", "RWO"},
                                            {"ReadOnlyMany", "ROX"},
                                            {"ReadWriteMany", "RWX"},
                                            {"ReadWriteOncePod", "RWOP"}};
  std::string text;
  for (const auto& [name, letters] : kShort) {
    for (const json::Node mode : modes) {
      if (mode.string() != name) continue;
      add_listed(text, letters);
      break;
    }
  }
  return text;
}

void check_access_modes(json::Node modes, std::string_view path, Errors& errors) {
  if (modes.size() == 0) return errors.required(path, "at least 1 access mode is required");
  size_t index = 0;
  bool alone = false;
  for (const json::Node mode : modes) {
    if (!is_one_of(mode.string(), kModes)) errors.not_supported(item(path, index), mode, kModes);
    alone = alone || mode.string() == "ReadWriteOncePod";
    ++index;
  }
  if (alone && modes.size() > 1)
    errors.forbidden(path, "may not use ReadWriteOncePod with other access modes");
}

constinit const Kind kPersistentVolumeClaim{.group = "",
                                            .version = "v1",
                                            .name = "PersistentVolumeClaim",
                                            .plural = "persistentvolumeclaims",
                                            .singular = "persistentvolumeclaim",
                                            .short_names = "pvc",
                                            .message = &kPersistentVolumeClaimMessage,
                                            .columns = kColumns,
                                            .subresources = bit(Subresource::kStatus),
                                            .has_status = true,
                                            .fill_defaults = default_claim,
                                            .prepare = prepare,
                                            .validate = validate,
                                            .validate_update = validate_update};

}  // namespace coracle::api
