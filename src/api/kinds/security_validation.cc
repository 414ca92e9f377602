// SPDX-License-Identifier: GPL-2.0-or-later
// Security contexts (kubernetes pkg/apis/core/validation, ValidateSecurityContext).
#include "api/kinds/checks.h"
#include "api/kinds/pod_validation.h"

namespace coracle::api {
namespace {

// Profiles in files of the node, and AppArmor as a whole, are not there yet.
void check_profiles(json::Node context, std::string_view path, Errors& errors) {
  const json::Node seccomp = context["seccompProfile"];
  const std::string seccomp_path = field(path, "seccompProfile");
  const bool is_local = seccomp["type"].string() == "Localhost";
  if (is_local) refuse(field(seccomp_path, "type"), errors);
  if (!is_local && says_something(seccomp["localhostProfile"]))
    errors.invalid(field(seccomp_path, "localhostProfile"), seccomp["localhostProfile"],
                   "can only be set when seccomp type is Localhost");
  const std::string_view armor = context["appArmorProfile"]["type"].string();
  if (!armor.empty() && armor != "Unconfined") refuse(field(path, "appArmorProfile.type"), errors);
}

void check_sysctls(json::Node sysctls, std::string_view path, Errors& errors) {
  std::set<std::string_view> seen;
  size_t index = 0;
  for (json::Node sysctl : sysctls) {
    const std::string at = field(item(path, index++), "name");
    if (!seen.insert(sysctl["name"].string()).second) errors.duplicate(at, sysctl["name"]);
  }
}

}  // namespace

void check_pod_security(json::Node context, std::string_view path, Errors& errors) {
  size_t index = 0;
  for (json::Node group : context["supplementalGroups"])
    is_group_id(group, item(field(path, "supplementalGroups"), index++), errors);
  if (context["supplementalGroupsPolicy"].string() == "Strict")
    refuse(field(path, "supplementalGroupsPolicy"), errors);
  check_profiles(context, path, errors);
  check_sysctls(context["sysctls"], field(path, "sysctls"), errors);
}

void check_container_security(json::Node context, std::string_view path, Errors& errors) {
  const json::Node escalation = context["allowPrivilegeEscalation"];
  if (escalation && !escalation.boolean() && context["privileged"].boolean())
    errors.invalid(path, context,
                   "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  const json::Node proc = context["procMount"];
  if (says_something(proc) && proc.string() != "Default") refuse(field(path, "procMount"), errors);
  check_profiles(context, path, errors);
}

}  // namespace coracle::api
