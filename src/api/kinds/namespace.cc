// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kNamespaceConditionFields[] = {
    text("type", 1).listed().about("Name of the condition."),
    text("status", 2).listed().about("True, False or Unknown."),
    time("lastTransitionTime", 4).about("When the status last changed."),
    text("reason", 5).about("Machine-readable reason of the last change."),
    text("message", 6).about("Explanation for people."),
};
constexpr Message kNamespaceCondition{
    "io.k8s.api.core.v1.NamespaceCondition", kNamespaceConditionFields,
    "NamespaceCondition is one aspect of the state of a Namespace."};

constexpr Field kNamespaceStatusFields[] = {
    text("phase", 1).about("Active, or Terminating once deletion was asked for."),
    list("conditions", 2, kNamespaceCondition)
        .keyed_by("type")
        .about("What stands in the way of a deletion."),
};
constexpr Message kNamespaceStatus{"io.k8s.api.core.v1.NamespaceStatus", kNamespaceStatusFields,
                                   "NamespaceStatus is the current state of a Namespace."};

constexpr Field kNamespaceSpecFields[] = {
    list_of("finalizers", 1, Type::kString)
        .about(
            "Who must act before the Namespace may go; emptied through the finalize subresource."),
};
constexpr Message kNamespaceSpec{"io.k8s.api.core.v1.NamespaceSpec", kNamespaceSpecFields,
                                 "NamespaceSpec is the desired behaviour of a Namespace."};

constexpr Field kNamespaceFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kNamespaceSpec).about("Desired behaviour of the Namespace."),
    object("status", 3, kNamespaceStatus).about("Current state of the Namespace."),
};
constexpr Message kNamespaceMessage{
    "io.k8s.api.core.v1.Namespace", kNamespaceFields,
    "Namespace is a scope for names, and for everything that lives in it."};

void status_cell(json::Node object, Wall, json::Writer& out) {
  out.value(object["status"]["phase"].string());
}

constexpr Column kColumns[] = {
    {.name = "Status", .cell = status_cell, .description = "Active or Terminating."},
    kAgeColumn,
};

constexpr SelectableField kSelectable[] = {
    {"status.phase",
     [](json::Node object) { return std::string(object["status"]["phase"].string()); }},
};

// The label that selects a namespace by its name; nobody may change it.
void label_with_name(json::Node object) {
  const json::Node metadata = object["metadata"];
  const std::string_view name = metadata["name"].string();
  if (name.empty()) return;
  metadata.object("labels").set("kubernetes.io/metadata.name", name);
}

void start_status(json::Node object) {
  object.remove("status");
  object.object("status").set("phase", "Active");
}

void add_finalizer(json::Node object) {
  const json::Node finalizers = object.object("spec").array("finalizers");
  for (json::Node finalizer : finalizers) {
    if (finalizer.string() == "kubernetes") return;
  }
  finalizers.append("kubernetes");
}

void prepare(json::Node object, json::Node old) {
  label_with_name(object);
  if (old && old["metadata"]["deletionTimestamp"]) return;
  // Without it a deletion would not empty the namespace first.
  if (old) return add_finalizer(object);
  start_status(object);
  add_finalizer(object);
}

void validate(json::Node object, Errors& errors) {
  size_t index = 0;
  for (json::Node finalizer : object["spec"]["finalizers"]) {
    const std::string path = item("spec.finalizers", index++);
    check_qualified_name(finalizer, path, errors);
  }
}

}  // namespace

constinit const Kind kNamespace{
    .group = "",
    .version = "v1",
    .name = "Namespace",
    .plural = "namespaces",
    .singular = "namespace",
    .short_names = "ns",
    .namespaced = false,
    .message = &kNamespaceMessage,
    .columns = kColumns,
    .selectable = kSelectable,
    .subresources = bit(Subresource::kStatus) | bit(Subresource::kFinalize),
    .name_rule = NameRule::kLabel,
    .has_status = true,
    .fill_defaults = label_with_name,
    .prepare = prepare,
    .validate = validate};

}  // namespace coracle::api
