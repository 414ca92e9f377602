// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr int64_t kUserMax = 1'000'000'000;

constexpr Field kPriorityClassFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    int32("value", 2).or_zero().otherwise("0").about("Priority of Pods of this class."),
    boolean("globalDefault", 3).or_zero().about("Whether Pods without a class get this one."),
    text("description", 4).about("When to use the class, for people."),
    text("preemptionPolicy", 5)
        .otherwise("\"PreemptLowerPriority\"")
        .one_of("Never|PreemptLowerPriority")
        .about("Whether Pods of this class may push others aside."),
};
constexpr Message kPriorityClassMessage{"io.k8s.api.scheduling.v1.PriorityClass",
                                        kPriorityClassFields,
                                        "PriorityClass gives a priority a name."};

void default_cell(json::Node object, Wall, json::Writer& out) {
  out.value(object["globalDefault"].boolean());
}

constexpr Column kColumns[] = {
    number_column("Value", number_at<"value">),
    {.name = "Global-Default", .cell = default_cell, .type = "boolean"},
    kAgeColumn,
    text_column("PreemptionPolicy", text_at<"preemptionPolicy">),
};

// The two classes that every cluster has; their values are fixed.
bool is_system(std::string_view name, int64_t value) {
  return (name == "system-node-critical" && value == 2'000'001'000) ||
         (name == "system-cluster-critical" && value == 2'000'000'000);
}

void validate(json::Node object, Errors& errors) {
  const std::string_view name = object["metadata"]["name"].string();
  const int64_t value = object["value"].integer();
  if (is_system(name, value)) return;
  if (name.starts_with("system-")) {
    errors.forbidden("metadata.name",
                     "priority class names with 'system-' prefix are reserved for system use only");
  } else if (value > kUserMax) {
    errors.forbidden("value", join({"maximum allowed value of a user defined priority is ",
                                    std::to_string(kUserMax)}));
  }
}

void validate_update(json::Node object, json::Node old, Errors& errors) {
  if (object["value"].integer() != old["value"].integer())
    errors.forbidden("value", "may not be changed in an update.");
  check_immutable(object["preemptionPolicy"], old["preemptionPolicy"], "preemptionPolicy", errors);
}

}  // namespace

constinit const Kind kPriorityClass{.group = "scheduling.k8s.io",
                                    .version = "v1",
                                    .name = "PriorityClass",
                                    .plural = "priorityclasses",
                                    .singular = "priorityclass",
                                    .short_names = "pc",
                                    .namespaced = false,
                                    .message = &kPriorityClassMessage,
                                    .columns = kColumns,
                                    .bumps_generation = true,
                                    .validate = validate,
                                    .validate_update = validate_update};

}  // namespace coracle::api
