// SPDX-License-Identifier: GPL-2.0-or-later
// Role and ClusterRole.
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kPolicyRuleFields[] = {
    list_of("verbs", 1, Type::kString).listed().about("get, list, watch, create ... or *."),
    list_of("apiGroups", 2, Type::kString).about("Groups of the resources; \"\" is core."),
    list_of("resources", 3, Type::kString).about("Resources, such as pods or pods/log, or *."),
    list_of("resourceNames", 4, Type::kString).about("If set, only objects of these names."),
    list_of("nonResourceURLs", 5, Type::kString).about("Paths that are no resources: /healthz."),
};
constexpr Message kPolicyRule{"io.k8s.api.rbac.v1.PolicyRule", kPolicyRuleFields,
                              "PolicyRule allows verbs on resources."};

constexpr Field kRoleFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    list("rules", 2, kPolicyRule).about("What is allowed."),
};
constexpr Message kRoleMessage{"io.k8s.api.rbac.v1.Role", kRoleFields,
                               "Role is a set of permissions within one namespace."};

constexpr Field kAggregationRuleFields[] = {
    list("clusterRoleSelectors", 1, kLabelSelector).about("Labels of the ClusterRoles."),
};
constexpr Message kAggregationRule{"io.k8s.api.rbac.v1.AggregationRule", kAggregationRuleFields,
                                   "AggregationRule selects ClusterRoles whose rules are added."};

constexpr Field kClusterRoleFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    list("rules", 2, kPolicyRule).about("What is allowed."),
    object("aggregationRule", 3, kAggregationRule)
        .about("If set, the rules are those of the selected ClusterRoles."),
};
constexpr Message kClusterRoleMessage{"io.k8s.api.rbac.v1.ClusterRole", kClusterRoleFields,
                                      "ClusterRole is a set of permissions for all namespaces."};

constexpr Column kColumns[] = {
    {.name = "Created At", .cell = text_at<"metadata.creationTimestamp">, .type = "date"},
};

// rbac validation ValidatePolicyRule
void check_rule(json::Node rule, bool namespaced, std::string_view path, Errors& errors) {
  if (rule["verbs"].size() == 0)
    errors.required(field(path, "verbs"), "verbs must contain at least one value");
  const size_t urls = rule["nonResourceURLs"].size();
  const bool resources =
      rule["apiGroups"].size() + rule["resources"].size() + rule["resourceNames"].size() > 0;
  if (urls > 0) {
    const std::string at = field(path, "nonResourceURLs");
    if (namespaced)
      errors.invalid(at, rule["nonResourceURLs"],
                     "namespaced rules cannot apply to non-resource URLs");
    if (resources)
      errors.invalid(at, rule["nonResourceURLs"],
                     "rules cannot apply to both regular resources and non-resource URLs");
    return;
  }
  if (rule["apiGroups"].size() == 0)
    errors.required(field(path, "apiGroups"), "resource rules must supply at least one api group");
  if (rule["resources"].size() == 0)
    errors.required(field(path, "resources"), "resource rules must supply at least one resource");
}

void check_rules(json::Node role, bool namespaced, Errors& errors) {
  size_t index = 0;
  for (const json::Node rule : role["rules"])
    check_rule(rule, namespaced, item("rules", index++), errors);
}

void validate_role(json::Node role, Errors& errors) {
  check_rules(role, true, errors);
}

void validate_cluster_role(json::Node role, Errors& errors) {
  check_rules(role, false, errors);
  const json::Node aggregation = role["aggregationRule"];
  const std::string path = "aggregationRule.clusterRoleSelectors";
  if (!aggregation) return;
  if (aggregation["clusterRoleSelectors"].size() == 0)
    errors.required(path,
                    "at least one clusterRoleSelector required if aggregationRule is "
                    "non-nil");
  size_t index = 0;
  for (const json::Node selector : aggregation["clusterRoleSelectors"])
    check_label_selector(selector, item(path, index++), errors);
}

// Go writes a nil list of rules as null; clients expect the member to be there.
void keep_rules(json::Node role, json::Node) {
  role.array("rules");
}

}  // namespace

constinit const Kind kRole{.group = "rbac.authorization.k8s.io",
                           .version = "v1",
                           .name = "Role",
                           .plural = "roles",
                           .singular = "role",
                           .message = &kRoleMessage,
                           .columns = kColumns,
                           .name_rule = NameRule::kPathSegment,
                           .allow_create_on_update = true,
                           .prepare = keep_rules,
                           .validate = validate_role};

constinit const Kind kClusterRole{.group = "rbac.authorization.k8s.io",
                                  .version = "v1",
                                  .name = "ClusterRole",
                                  .plural = "clusterroles",
                                  .singular = "clusterrole",
                                  .namespaced = false,
                                  .message = &kClusterRoleMessage,
                                  .columns = kColumns,
                                  .name_rule = NameRule::kPathSegment,
                                  .allow_create_on_update = true,
                                  .prepare = keep_rules,
                                  .validate = validate_cluster_role};

}  // namespace coracle::api
