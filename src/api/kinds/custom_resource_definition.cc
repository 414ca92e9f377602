// SPDX-License-Identifier: GPL-2.0-or-later
// CustomResourceDefinition. Its schemas are kept as free JSON and judged by structural.cc. Whether
// names are accepted depends on other definitions: admission decides (apiserver).
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "api/processing.h"
#include "api/structural.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kServiceReferenceFields[] = {
    text("namespace", 1).listed(),
    text("name", 2).listed(),
    text("path", 3),
    int32("port", 4),
};
constexpr Message kServiceReference{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference",
    kServiceReferenceFields};

constexpr Field kWebhookClientConfigFields[] = {
    object("service", 1, kServiceReference),
    bytes("caBundle", 2),
    text("url", 3),
};
constexpr Message kWebhookClientConfig{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig",
    kWebhookClientConfigFields};

constexpr Field kWebhookConversionFields[] = {
    object("clientConfig", 2, kWebhookClientConfig),
    list_of("conversionReviewVersions", 3, Type::kString).listed(),
};
constexpr Message kWebhookConversion{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion",
    kWebhookConversionFields};

constexpr Field kCustomResourceConversionFields[] = {
    text("strategy", 1)
        .listed()
        .otherwise("\"None\"")
        .about("None: versions differ by their name only."),
    object("webhook", 2, kWebhookConversion).about("Not supported by Coracle yet."),
};
constexpr Message kCustomResourceConversion{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion",
    kCustomResourceConversionFields};

constexpr Field kNamesFields[] = {
    text("plural", 1).listed().about("Name of the resource in URLs."),
    text("singular", 2).about("Name for one object."),
    list_of("shortNames", 3, Type::kString).about("Abbreviations."),
    text("kind", 4).listed().about("Name of the kind."),
    text("listKind", 5).about("Kind of lists."),
    list_of("categories", 6, Type::kString).about("Groups such as all."),
};
constexpr Message kNames{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames",
    kNamesFields};

constexpr Field kColumnFields[] = {
    text("name", 1).listed(), text("type", 2).listed(),       text("format", 3),
    text("description", 4),   int32("priority", 5).or_zero(), text("jsonPath", 6).listed(),
};
constexpr Message kColumn{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition",
    kColumnFields};

constexpr Field kValidationFields[] = {
    raw("openAPIV3Schema", 1).about("The schema."),
};
constexpr Message kValidation{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation",
    kValidationFields};

constexpr Field kSelectableFieldFields[] = {text("jsonPath", 1).listed()};
constexpr Message kSelectableField{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField",
    kSelectableFieldFields};

constexpr Field kSubresourceScaleFields[] = {
    text("specReplicasPath", 1).listed(),
    text("statusReplicasPath", 2).listed(),
    text("labelSelectorPath", 3),
};
constexpr Message kSubresourceScale{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale",
    kSubresourceScaleFields};

constexpr Field kSubresourcesFields[] = {
    raw("status", 1).about("If set, /status is served."),
    object("scale", 2, kSubresourceScale).about("If set, /scale is served."),
};
constexpr Message kSubresources{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources",
    kSubresourcesFields};

constexpr Field kVersionFields[] = {
    text("name", 1).listed().about("Name of the version."),
    boolean("served", 2).listed().about("Whether it is served."),
    boolean("storage", 3).listed().about("Whether objects are stored in it; true for one."),
    object("schema", 4, kValidation).about("What objects look like."),
    object("subresources", 5, kSubresources).about("Which subresources are served."),
    list("additionalPrinterColumns", 6, kColumn).about("Columns of kubectl get."),
    boolean("deprecated", 7).or_zero().about("Whether a warning is sent to its users."),
    text("deprecationWarning", 8).about("The warning."),
    list("selectableFields", 9, kSelectableField).about("Not supported by Coracle yet."),
};
constexpr Message kVersion{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion",
    kVersionFields};

constexpr Field kSpecFields[] = {
    text("group", 1).required().about("Group of the resource."),
    object("names", 3, kNames).listed().about("Names of the resource and its kind."),
    text("scope", 4).required().one_of("Cluster|Namespaced").about("Namespaced or Cluster."),
    list("versions", 7, kVersion).listed().about("The versions."),
    object("conversion", 9, kCustomResourceConversion)
        .otherwise("{}")
        .about("How versions become each other."),
    boolean("preserveUnknownFields", 10).or_zero().about("Must be false."),
};
constexpr Message kSpec{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec",
    kSpecFields};

constexpr Field kConditionFields[] = {
    text("type", 1).listed(), text("status", 2).listed(), time("lastTransitionTime", 3),
    text("reason", 4),        text("message", 5),         int64("observedGeneration", 6).or_zero(),
};
constexpr Message kDefinitionCondition{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition",
    kConditionFields};

constexpr Field kStatusFields[] = {
    list("conditions", 1, kDefinitionCondition).map_keys("type").about("Established and others."),
    object("acceptedNames", 2, kNames).about("The names that are in use."),
    list_of("storedVersions", 3, Type::kString).about("Versions that were ever stored."),
    int64("observedGeneration", 4).or_zero(),
};
constexpr Message kStatus{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus",
    kStatusFields};

constexpr Field kDefinitionFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kSpec).listed().about("The definition."),
    object("status", 3, kStatus).about("Whether it is in use."),
};
constexpr Message kDefinition{
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
    kDefinitionFields, "CustomResourceDefinition adds a kind to the API."};

constexpr Column kColumns[] = {
    {.name = "Created At", .cell = text_at<"metadata.creationTimestamp">, .type = "date"},
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

void fill_defaults(json::Node definition) {
  const json::Node names = definition["spec"]["names"];
  const std::string kind(names["kind"].string());
  if (kind.empty()) return;
  if (names["singular"].string().empty()) names.set("singular", std::string_view(lower(kind)));
  if (names["listKind"].string().empty())
    names.set("listKind", std::string_view(join({kind, "List"})));
}

void check_names(json::Node definition, Errors& errors) {
  const json::Node spec = definition["spec"];
  const json::Node names = spec["names"];
  const std::string_view group = spec["group"].string();
  if (!group.empty()) {
    const std::string problem = dns1123_subdomain_problem(group);
    if (!problem.empty()) errors.invalid("spec.group", group, problem);
    if (group.find('.') == std::string_view::npos)
      errors.invalid("spec.group", group, "should be a domain with at least one dot");
  }
  const std::string wanted = join({names["plural"].string(), ".", group});
  if (definition["metadata"]["name"].string() != wanted)
    errors.invalid("metadata.name", definition["metadata"]["name"],
                   "must be spec.names.plural+\".\"+spec.group");
  for (std::string_view name : {"plural", "singular", "kind", "listKind"}) {
    const std::string path = field("spec.names", name);
    const std::string text = lower(names[name].string());
    if (text.empty()) {
      errors.required(path);
      continue;
    }
    const std::string problem = dns1035_label_problem(text);
    if (!problem.empty()) errors.invalid(path, names[name], problem);
  }
}

void check_scale(json::Node scale, std::string_view path, Errors& errors) {
  if (!scale) return;
  const auto below = [&](std::string_view name, std::string_view root, bool needed) {
    const std::string_view text = scale[name].string();
    if (text.empty() && !needed) return;
    if (!text.starts_with(root))
      errors.invalid(field(path, name), text, join({"should be a json path under ", root}));
  };
  below("specReplicasPath", ".spec.", true);
  below("statusReplicasPath", ".status.", true);
  below("labelSelectorPath", ".", false);
}

void check_version(json::Node version, std::string_view path, Errors& errors) {
  const json::Node name = version["name"];
  const std::string problem = dns1035_label_problem(name.string());
  if (!problem.empty()) errors.invalid(field(path, "name"), name, problem);
  const std::string schema_path = field(path, "schema.openAPIV3Schema");
  const json::Node schema = version["schema"]["openAPIV3Schema"];
  if (!schema) {
    errors.required(schema_path, "schemas are required");
  } else {
    check_structural(schema, schema_path, errors);
  }
  check_scale(version["subresources"]["scale"], field(path, "subresources.scale"), errors);
  if (version["selectableFields"].size() > 0) refuse(field(path, "selectableFields"), errors);
  size_t index = 0;
  for (const json::Node column : version["additionalPrinterColumns"]) {
    const std::string at = item(field(path, "additionalPrinterColumns"), index++);
    for (std::string_view member : {"name", "jsonPath", "type"}) {
      if (column[member].string().empty()) errors.required(field(at, member));
    }
    const json::Node type = column["type"];
    if (!type.string().empty() && !is_one_of(type.string(), "boolean|date|integer|number|string"))
      errors.invalid(field(at, "type"), type,
                     "must be one of boolean, date, integer, number, string");
  }
}

void validate(json::Node definition, Errors& errors) {
  const json::Node spec = definition["spec"];
  check_names(definition, errors);
  size_t stored = 0;
  size_t index = 0;
  std::string seen;
  for (const json::Node version : spec["versions"]) {
    const std::string path = item("spec.versions", index++);
    check_version(version, path, errors);
    if (is_one_of(version["name"].string(), seen))
      errors.invalid("spec.versions", spec["versions"], "must contain unique version names");
    seen.append("|").append(version["name"].string());
    stored += version["storage"].boolean() ? 1 : 0;
  }
  if (stored != 1)
    errors.invalid("spec.versions", static_cast<int64_t>(index),
                   "must have exactly one version marked as storage version");
  if (spec["preserveUnknownFields"].boolean())
    errors.invalid("spec.preserveUnknownFields", spec["preserveUnknownFields"],
                   "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                   "spec.versions[*].schema instead");
  if (spec["conversion"]["strategy"].string() != "None") refuse("spec.conversion.strategy", errors);
}

void validate_update(json::Node definition, json::Node old, Errors& errors) {
  const json::Node spec = definition["spec"];
  for (std::string_view name : {"group", "scope"})
    check_immutable(spec[name], old["spec"][name], field("spec", name), errors);
  for (std::string_view name : {"kind", "plural"})
    check_immutable(spec["names"][name], old["spec"]["names"][name], field("spec.names", name),
                    errors);
}

void warn(json::Node definition, std::string& out) {
  size_t index = 0;
  for (const json::Node version : definition["spec"]["versions"]) {
    warn_of_schema(version["schema"]["openAPIV3Schema"],
                   field(item("spec.versions", index++), "schema.openAPIV3Schema"), out);
  }
}

}  // namespace

constinit const Kind kCustomResourceDefinition{.group = "apiextensions.k8s.io",
                                               .version = "v1",
                                               .name = "CustomResourceDefinition",
                                               .plural = "customresourcedefinitions",
                                               .singular = "customresourcedefinition",
                                               .short_names = "crd,crds",
                                               .categories = "api-extensions",
                                               .namespaced = false,
                                               .message = &kDefinition,
                                               .columns = kColumns,
                                               .subresources = bit(Subresource::kStatus),
                                               .has_status = true,
                                               .bumps_generation = true,
                                               .fill_defaults = fill_defaults,
                                               .validate = validate,
                                               .validate_update = validate_update,
                                               .warn = warn};

}  // namespace coracle::api
