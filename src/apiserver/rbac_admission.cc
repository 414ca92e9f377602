// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/rbac_admission.h"

#include "apiserver/admission.h"
#include "apiserver/authorizer.h"
#include "apiserver/rbac.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

bool may(Parts& parts,
         const Request& request,
         std::string_view verb,
         std::string_view resource,
         std::string_view name) {
  Attributes asked;
  asked.verb = verb;
  asked.group = kGroup;
  asked.resource = resource;
  asked.ns = request.ns;
  asked.name = name;
  return parts.authorizer.decide(request.user, asked).allowed;
}

Result<> check_held(Parts& parts, const Request& request, const Rules& wanted) {
  std::string missing;
  if (covers(parts.authorizer.rules_for(request.user, request.ns), wanted, missing)) return {};
  std::string groups;
  for (const std::string& group : request.user.groups)
    groups += join({groups.empty() ? "" : " ", "\"", group, "\""});
  return forbidden(
      request, join({"user \"", request.user.name, "\" (groups=[", groups,
                     "]) is attempting to grant RBAC permissions not currently held:\n", missing}));
}

}  // namespace

Result<> admit_role(Parts& parts, Request& request) {
  if (request.user.in("system:masters")) return {};
  if (may(parts, request, "escalate", request.resource, request.name)) return {};
  const bool same = request.old && json::equal(request.object["rules"], request.old["rules"]) &&
                    json::equal(request.object["aggregationRule"], request.old["aggregationRule"]);
  if (same) return {};
  Rules wanted = rules_of(request.object);
  // Whoever may gather roles may get any rule that will ever carry the label.
  if (request.object["aggregationRule"].is_object()) {
    WordSet all;
    all.add("*");
    wanted.push_back({all, all, all, {}, {}});
    wanted.push_back({all, {}, {}, {}, all});
  }
  return check_held(parts, request, wanted);
}

Result<> admit_binding(Parts& parts, Request& request) {
  if (request.user.in("system:masters")) return {};
  const json::Node role = request.object["roleRef"];
  const bool cluster = role["kind"].string() != "Role";
  const std::string_view name = role["name"].string();
  const std::string_view resource = cluster ? "clusterroles" : "roles";
  if (may(parts, request, "bind", resource, name)) return {};
  const bool same = request.old && json::equal(role, request.old["roleRef"]) &&
                    json::equal(request.object["subjects"], request.old["subjects"]);
  if (same) return {};
  const Rules* wanted =
      parts.authorizer.rbac().role(cluster ? std::string_view() : request.ns, name);
  if (wanted == nullptr) return not_found(qualified_resource(kGroup, resource), name);
  return check_held(parts, request, *wanted);
}

}  // namespace coracle::apiserver
