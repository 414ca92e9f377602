// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kControllerRevisionFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    extension("data", 2).about("The state itself; never changes."),
    int64("revision", 3).listed().must(not_negative).about("Number of the revision."),
};
constexpr Message kControllerRevisionMessage{
    "io.k8s.api.apps.v1.ControllerRevision", kControllerRevisionFields,
    "ControllerRevision keeps an old state of a DaemonSet or StatefulSet to roll back to."};

// "daemonset.apps/web"
void controller_cell(json::Node revision, Wall, json::Writer& out) {
  for (const json::Node owner : revision["metadata"]["ownerReferences"]) {
    if (!owner["controller"].boolean()) continue;
    std::string kind(owner["kind"].string());
    for (char& c : kind)
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::string_view version = owner["apiVersion"].string();
    const size_t slash = version.find('/');
    const bool core = slash == std::string_view::npos;
    return out.value(join({kind, core ? "" : ".", core ? "" : version.substr(0, slash), "/",
                           owner["name"].string()}));
  }
  out.value("<none>");
}

constexpr Column kColumns[] = {
    text_column("Controller", controller_cell),
    number_column("Revision", number_at<"revision">),
    kAgeColumn,
};

void validate(json::Node revision, Errors& errors) {
  if (!revision["data"]) errors.required("data", "data is mandatory");
}

void validate_update(json::Node revision, json::Node old, Errors& errors) {
  check_immutable(revision["data"], old["data"], "data", errors);
}

}  // namespace

constinit const Kind kControllerRevision{.group = "apps",
                                         .version = "v1",
                                         .name = "ControllerRevision",
                                         .plural = "controllerrevisions",
                                         .singular = "controllerrevision",
                                         .message = &kControllerRevisionMessage,
                                         .columns = kColumns,
                                         .validate = validate,
                                         .validate_update = validate_update};

}  // namespace coracle::api
