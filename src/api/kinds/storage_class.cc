// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kTopologySelectorLabelRequirementFields[] = {
    text("key", 1).required(),
    list_of("values", 2, Type::kString).required(),
};
constexpr Message kTopologySelectorLabelRequirement{
    "io.k8s.api.core.v1.TopologySelectorLabelRequirement", kTopologySelectorLabelRequirementFields};

constexpr Field kTopologySelectorTermFields[] = {
    list("matchLabelExpressions", 1, kTopologySelectorLabelRequirement),
};
constexpr Message kTopologySelectorTerm{"io.k8s.api.core.v1.TopologySelectorTerm",
                                        kTopologySelectorTermFields};

constexpr Field kStorageClassFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    text("provisioner", 2).required().about("Who makes the volumes of this class."),
    map_of("parameters", 3, Type::kString).about("Settings for the provisioner."),
    text("reclaimPolicy", 4)
        .otherwise("\"Delete\"")
        .one_of("Delete|Retain")
        .about("What becomes of a volume when its claim is gone."),
    list_of("mountOptions", 5, Type::kString).about("Options of the mounts."),
    boolean("allowVolumeExpansion", 6).about("Whether volumes may grow."),
    text("volumeBindingMode", 7)
        .otherwise("\"Immediate\"")
        .one_of("Immediate|WaitForFirstConsumer")
        .about("Whether a volume is made at once or when a Pod needs it."),
    list("allowedTopologies", 8, kTopologySelectorTerm).about("Where volumes may be made."),
};
constexpr Message kStorageClassMessage{"io.k8s.api.storage.v1.StorageClass", kStorageClassFields,
                                       "StorageClass names a way to make volumes."};

void name_cell(json::Node object, Wall, json::Writer& out) {
  const json::Node notes = object["metadata"]["annotations"];
  const std::string_view name = object["metadata"]["name"].string();
  const bool chosen = notes["storageclass.kubernetes.io/is-default-class"].string() == "true" ||
                      notes["storageclass.beta.kubernetes.io/is-default-class"].string() == "true";
  out.value(join({name, chosen ? " (default)" : ""}));
}

void expansion_cell(json::Node object, Wall, json::Writer& out) {
  out.value(object["allowVolumeExpansion"].boolean());
}

constexpr Column kColumns[] = {
    {.name = "Name", .cell = name_cell, .format = "name"},
    text_column("Provisioner", text_at<"provisioner">),
    text_column("ReclaimPolicy", text_at<"reclaimPolicy">),
    text_column("VolumeBindingMode", text_at<"volumeBindingMode">),
    text_column("AllowVolumeExpansion", expansion_cell),
    kAgeColumn,
};

void validate_update(json::Node object, json::Node old, Errors& errors) {
  for (std::string_view name : {"parameters", "provisioner", "reclaimPolicy"}) {
    if (!json::equal(object[name], old[name]))
      errors.forbidden(name, join({"updates to ", name, " are forbidden."}));
  }
  check_immutable(object["volumeBindingMode"], old["volumeBindingMode"], "volumeBindingMode",
                  errors);
}

}  // namespace

constinit const Kind kStorageClass{.group = "storage.k8s.io",
                                   .version = "v1",
                                   .name = "StorageClass",
                                   .plural = "storageclasses",
                                   .singular = "storageclass",
                                   .short_names = "sc",
                                   .namespaced = false,
                                   .message = &kStorageClassMessage,
                                   .columns = kColumns,
                                   .validate_update = validate_update};

}  // namespace coracle::api
