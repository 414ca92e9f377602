// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <vector>

#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "api/processing.h"
#include "api/quantity.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr std::string_view kScopes =
    "BestEffort|CrossNamespacePodAffinity|NotBestEffort|NotTerminating|PriorityClass|Terminating|"
    "VolumeAttributesClass";
constexpr std::string_view kStandard =
    "cpu|memory|ephemeral-storage|requests.cpu|requests.memory|requests.ephemeral-storage|"
    "limits.cpu|limits.memory|limits.ephemeral-storage|pods|resourcequotas|services|"
    "replicationcontrollers|secrets|persistentvolumeclaims|configmaps|services.nodeports|"
    "services.loadbalancers|requests.storage";
constexpr std::string_view kCounts =
    "pods|resourcequotas|services|replicationcontrollers|secrets|persistentvolumeclaims|"
    "configmaps|services.nodeports|services.loadbalancers";

constexpr Field kScopedResourceSelectorRequirementFields[] = {
    text("scopeName", 1)
        .listed()
        .one_of("BestEffort|CrossNamespacePodAffinity|NotBestEffort|NotTerminating|PriorityClass|"
                "Terminating|VolumeAttributesClass"),
    text("operator", 2).listed().one_of("DoesNotExist|Exists|In|NotIn"),
    list_of("values", 3, Type::kString),
};
constexpr Message kScopedResourceSelectorRequirement{
    "io.k8s.api.core.v1.ScopedResourceSelectorRequirement",
    kScopedResourceSelectorRequirementFields};

constexpr Field kScopeSelectorFields[] = {
    list("matchExpressions", 1, kScopedResourceSelectorRequirement),
};
constexpr Message kScopeSelector{"io.k8s.api.core.v1.ScopeSelector", kScopeSelectorFields};

constexpr Field kResourceQuotaSpecFields[] = {
    map_of("hard", 1, Type::kQuantity).about("Most that the namespace may use of each resource."),
    list_of("scopes", 2, Type::kString).about("Only Pods of these scopes count."),
    object("scopeSelector", 3, kScopeSelector).about("Only Pods that match count."),
};
constexpr Message kResourceQuotaSpec{"io.k8s.api.core.v1.ResourceQuotaSpec",
                                     kResourceQuotaSpecFields};

constexpr Field kResourceQuotaStatusFields[] = {
    map_of("hard", 1, Type::kQuantity).about("The limits that are enforced."),
    map_of("used", 2, Type::kQuantity).about("What the namespace uses now."),
};
constexpr Message kResourceQuotaStatus{"io.k8s.api.core.v1.ResourceQuotaStatus",
                                       kResourceQuotaStatusFields};

constexpr Field kResourceQuotaFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kResourceQuotaSpec).about("The limits."),
    object("status", 3, kResourceQuotaStatus).about("The limits and what is used of them."),
};
constexpr Message kResourceQuotaMessage{"io.k8s.api.core.v1.ResourceQuota", kResourceQuotaFields,
                                        "ResourceQuota bounds what a namespace may use."};

std::string usage(json::Node quota, bool limits) {
  std::vector<std::string_view> names;
  for (const json::Node hard : quota["status"]["hard"]) {
    if (hard.key().starts_with("limits") == limits) names.push_back(hard.key());
  }
  std::sort(names.begin(), names.end());
  std::string text;
  for (std::string_view name : names) {
    if (!text.empty()) text += ", ";
    text += join({name, ": ", quota["status"]["used"][name].string("0"), "/",
                  quota["status"]["hard"][name].string()});
  }
  return text;
}

constexpr Column kColumns[] = {
    text_column("Request",
                [](json::Node quota, Wall, json::Writer& out) { out.value(usage(quota, false)); }),
    text_column("Limit",
                [](json::Node quota, Wall, json::Writer& out) { out.value(usage(quota, true)); }),
    kAgeColumn,
};

void prepare(json::Node quota, json::Node old) {
  if (old) return;
  quota.remove("status");
  quota.object("status");
}

void check_name(std::string_view name, std::string_view path, Errors& errors) {
  const std::string problem = label_key_problem(name);
  if (!problem.empty()) return errors.invalid(path, name, problem);
  const bool counts = name.starts_with("count/") || name.find('/') != std::string_view::npos;
  const bool huge = name.starts_with("requests.hugepages-") || name.starts_with("hugepages-");
  const bool classes = name.find(".storageclass.storage.k8s.io/") != std::string_view::npos;
  if (!counts && !huge && !classes && !is_one_of(name, kStandard))
    errors.invalid(path, name, "must be a standard resource for quotas");
}

void check_amounts(json::Node amounts, std::string_view path, Errors& errors) {
  for (const json::Node amount : amounts) {
    const std::string at = entry(path, amount.key());
    check_name(amount.key(), at, errors);
    const std::string_view text = amount.string();
    if (!canonical_quantity(text)) continue;  // refused by its type
    if (compare_quantities(text, "0") < 0)
      errors.invalid(at, amount, "must be greater than or equal to 0");
    const bool counts = is_one_of(amount.key(), kCounts) || amount.key().starts_with("count/");
    if (counts && quantity_millis(text).value_or(0) % 1000 != 0)
      errors.invalid(at, amount, "must be an integer");
  }
}

void check_scopes(json::Node scopes, Errors& errors) {
  bool terminating = false;
  bool not_terminating = false;
  for (const json::Node scope : scopes) {
    if (!is_one_of(scope.string(), kScopes))
      errors.invalid("spec.scopes", scopes, "unsupported scope");
    terminating = terminating || scope.string() == "Terminating";
    not_terminating = not_terminating || scope.string() == "NotTerminating";
  }
  if (terminating && not_terminating) errors.invalid("spec.scopes", scopes, "conflicting scopes");
}

void validate(json::Node quota, Errors& errors) {
  check_amounts(quota["spec"]["hard"], "spec.hard", errors);
  check_scopes(quota["spec"]["scopes"], errors);
  size_t index = 0;
  for (const json::Node term : quota["spec"]["scopeSelector"]["matchExpressions"]) {
    const std::string path = item("spec.scopeSelector.matchExpressions", index++);
    const std::string_view op = term["operator"].string();
    const size_t values = term["values"].size();
    if ((op == "In" || op == "NotIn") && values == 0)
      errors.required(field(path, "values"),
                      "must be at least one value when `operator` is 'In' or 'NotIn' for scope "
                      "selector");
    if ((op == "Exists" || op == "DoesNotExist") && values > 0)
      errors.invalid(field(path, "values"), term["values"],
                     "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope "
                     "selector");
  }
}

void validate_update(json::Node quota, json::Node old, Errors& errors) {
  check_immutable(quota["spec"]["scopes"], old["spec"]["scopes"], "spec.scopes", errors);
}

void validate_status(json::Node quota, json::Node, Errors& errors) {
  check_amounts(quota["status"]["hard"], "status.hard", errors);
  check_amounts(quota["status"]["used"], "status.used", errors);
}

}  // namespace

constinit const Kind kResourceQuota{.group = "",
                                    .version = "v1",
                                    .name = "ResourceQuota",
                                    .plural = "resourcequotas",
                                    .singular = "resourcequota",
                                    .short_names = "quota",
                                    .message = &kResourceQuotaMessage,
                                    .columns = kColumns,
                                    .subresources = bit(Subresource::kStatus),
                                    .has_status = true,
                                    .prepare = prepare,
                                    .validate = validate,
                                    .validate_update = validate_update,
                                    .validate_status = validate_status};

}  // namespace coracle::api
