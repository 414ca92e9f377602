// SPDX-License-Identifier: GPL-2.0-or-later
// RoleBinding and ClusterRoleBinding.
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

constexpr Field kRoleRefFields[] = {
    text("apiGroup", 1).otherwise("\"rbac.authorization.k8s.io\""),
    text("kind", 2).listed().about("Role or ClusterRole."),
    text("name", 3).listed().about("Name of the role."),
};
constexpr Message kRoleRef{"io.k8s.api.rbac.v1.RoleRef", kRoleRefFields};

constexpr Field kSubjectFields[] = {
    text("kind", 1).listed().about("User, Group or ServiceAccount."),
    text("apiGroup", 2).about("Empty for a ServiceAccount, else rbac.authorization.k8s.io."),
    text("name", 3).listed().about("Name of the subject."),
    text("namespace", 4).about("Namespace of a ServiceAccount."),
};
constexpr Message kSubject{"io.k8s.api.rbac.v1.Subject", kSubjectFields};

constexpr Field kRoleBindingFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    list("subjects", 2, kSubject).about("Who is given the role."),
    object("roleRef", 3, kRoleRef).listed().otherwise("{}").about("The role; never changes."),
};
constexpr Message kRoleBindingMessage{"io.k8s.api.rbac.v1.RoleBinding", kRoleBindingFields,
                                      "RoleBinding gives a role within one namespace."};
constexpr Message kClusterRoleBindingMessage{"io.k8s.api.rbac.v1.ClusterRoleBinding",
                                             kRoleBindingFields,
                                             "ClusterRoleBinding gives a role in all namespaces."};

void role_cell(json::Node binding, Wall, json::Writer& out) {
  const json::Node role = binding["roleRef"];
  out.value(join({role["kind"].string(), "/", role["name"].string()}));
}

std::string subjects_text(json::Node binding, std::string_view kind) {
  std::string text;
  for (const json::Node subject : binding["subjects"]) {
    if (subject["kind"].string() != kind) continue;
    if (!text.empty()) text += ", ";
    const std::string_view ns = subject["namespace"].string();
    if (kind == "ServiceAccount") text += join({ns, "/"});
    text += subject["name"].string();
  }
  return text;
}

constexpr Column kColumns[] = {
    text_column("Role", role_cell),
    kAgeColumn,
    text_column(
        "Users",
        [](json::Node binding, Wall, json::Writer& out) {
          out.value(subjects_text(binding, "User"));
        },
        true),
    text_column(
        "Groups",
        [](json::Node binding, Wall, json::Writer& out) {
          out.value(subjects_text(binding, "Group"));
        },
        true),
    text_column(
        "ServiceAccounts",
        [](json::Node binding, Wall, json::Writer& out) {
          out.value(subjects_text(binding, "ServiceAccount"));
        },
        true),
};

void fill_defaults(json::Node binding) {
  for (const json::Node subject : binding["subjects"]) {
    if (!subject["apiGroup"].string().empty()) continue;
    const std::string_view kind = subject["kind"].string();
    if (kind == "User" || kind == "Group") subject.set("apiGroup", kGroup);
  }
}

void check_subject(json::Node subject, bool namespaced, std::string_view path, Errors& errors) {
  const json::Node kind = subject["kind"];
  const json::Node group = subject["apiGroup"];
  const bool named = !subject["name"].string().empty();
  if (!named) errors.required(field(path, "name"));
  if (kind.string() == "ServiceAccount") {
    if (named) check_subdomain_name(subject["name"], field(path, "name"), errors);
    if (!group.string().empty()) errors.not_supported(field(path, "apiGroup"), group, "");
    // As upstream, a RoleBinding's subject defaults to no namespace but does without the check.
    if (subject["namespace"].string().empty() && !namespaced)
      errors.required(field(path, "namespace"));
    return;
  }
  if (kind.string() != "User" && kind.string() != "Group")
    return errors.not_supported(field(path, "kind"), kind, "Group|ServiceAccount|User");
  if (group.string() != kGroup) errors.not_supported(field(path, "apiGroup"), group, kGroup);
}

void check_binding(json::Node binding, bool namespaced, Errors& errors) {
  const json::Node role = binding["roleRef"];
  const std::string_view kinds = namespaced ? "ClusterRole|Role" : "ClusterRole";
  if (role["apiGroup"].string() != kGroup)
    errors.not_supported("roleRef.apiGroup", role["apiGroup"], kGroup);
  if (!is_one_of(role["kind"].string(), kinds))
    errors.not_supported("roleRef.kind", role["kind"], kinds);
  if (role["name"].string().empty()) errors.required("roleRef.name");
  size_t index = 0;
  for (const json::Node subject : binding["subjects"])
    check_subject(subject, namespaced, item("subjects", index++), errors);
}

void validate_binding(json::Node binding, Errors& errors) {
  check_binding(binding, true, errors);
}

void validate_cluster_binding(json::Node binding, Errors& errors) {
  check_binding(binding, false, errors);
}

void validate_update(json::Node binding, json::Node old, Errors& errors) {
  if (!json::equal(binding["roleRef"], old["roleRef"]))
    errors.invalid("roleRef", binding["roleRef"], "cannot change roleRef");
}

}  // namespace

constinit const Kind kRoleBinding{.group = kGroup,
                                  .version = "v1",
                                  .name = "RoleBinding",
                                  .plural = "rolebindings",
                                  .singular = "rolebinding",
                                  .message = &kRoleBindingMessage,
                                  .columns = kColumns,
                                  .name_rule = NameRule::kPathSegment,
                                  .allow_create_on_update = true,
                                  .fill_defaults = fill_defaults,
                                  .validate = validate_binding,
                                  .validate_update = validate_update};

constinit const Kind kClusterRoleBinding{.group = kGroup,
                                         .version = "v1",
                                         .name = "ClusterRoleBinding",
                                         .plural = "clusterrolebindings",
                                         .singular = "clusterrolebinding",
                                         .namespaced = false,
                                         .message = &kClusterRoleBindingMessage,
                                         .columns = kColumns,
                                         .name_rule = NameRule::kPathSegment,
                                         .allow_create_on_update = true,
                                         .fill_defaults = fill_defaults,
                                         .validate = validate_cluster_binding,
                                         .validate_update = validate_update};

}  // namespace coracle::api
