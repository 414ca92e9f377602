// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/reviews.h"

#include "api/errors.h"
#include "apiserver/authorizer.h"
#include "apiserver/decode.h"
#include "apiserver/format.h"
#include "apiserver/rbac.h"
#include "apiserver/route.h"
#include "apiserver/tokens.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

void write_user(json::Node into, const User& user) {
  into.set("username", user.name);
  if (!user.uid.empty()) into.set("uid", user.uid);
  for (const std::string& group : user.groups)
    into.array("groups").append(group);
  for (const auto& [key, value] : user.extra)
    into.object("extra").array(key).append(value);
}

Error invalid(const ReviewKind& kind, std::string_view path, std::string_view detail) {
  api::Errors errors;
  errors.invalid(path, std::string_view(), detail);
  return errors.to_error(join({kind.name, ".", kind.group}), "");
}

// authorization/validation: exactly one of the two kinds of attributes, and somebody to ask about.
Result<> check_access_spec(const ReviewKind& kind, json::Node spec, const User& asked) {
  const bool resource = spec["resourceAttributes"].is_object();
  const bool path = spec["nonResourceAttributes"].is_object();
  if (resource && path) {
    return invalid(kind, "spec.nonResourceAttributes",
                   "cannot be specified in combination with resourceAttributes");
  }
  if (!resource && !path) {
    return invalid(kind, "spec.resourceAttributes",
                   "exactly one of nonResourceAttributes or resourceAttributes must be specified");
  }
  if (asked.name.empty() && asked.groups.empty()) {
    return invalid(kind, "spec.user", "at least one of user or group must be specified");
  }
  return {};
}

Decision decide(Parts& parts, json::Node spec, const User& asked) {
  Attributes attributes;
  if (const json::Node resource = spec["resourceAttributes"]; resource.is_object()) {
    attributes.verb = resource["verb"].string();
    attributes.group = resource["group"].string();
    attributes.resource = resource["resource"].string();
    attributes.subresource = resource["subresource"].string();
    attributes.ns = resource["namespace"].string();
    attributes.name = resource["name"].string();
    if (attributes.resource.empty()) attributes.resource = "*";
  } else {
    attributes.verb = spec["nonResourceAttributes"]["verb"].string();
    attributes.path = spec["nonResourceAttributes"]["path"].string();
  }
  return parts.authorizer.decide(asked, attributes);
}

User user_in_spec(json::Node spec) {
  User user;
  user.name = std::string(spec["user"].string());
  user.uid = std::string(spec["uid"].string());
  for (const json::Node group : spec["groups"])
    user.groups.emplace_back(group.string());
  return user;
}

Result<> answer_access(Parts& parts,
                       const Request& request,
                       const ReviewKind& kind,
                       json::Node status) {
  const json::Node spec = request.body["spec"];
  const bool self = kind.review == Review::kSelfSubjectAccess;
  const User asked = self ? request.user : user_in_spec(spec);
  TRY(check_access_spec(kind, spec, asked));
  if (kind.review == Review::kLocalSubjectAccess) {
    const std::string_view ns = spec["resourceAttributes"]["namespace"].string();
    if (ns != request.ns) {
      return invalid(kind, "spec.resourceAttributes.namespace", "must match metadata.namespace");
    }
  }
  const Decision decision = decide(parts, spec, asked);
  status.set("allowed", decision.allowed);
  if (!decision.reason.empty()) status.set("reason", decision.reason);
  return {};
}

void append_set(json::Node row, std::string_view name, const WordSet& set) {
  if (set.empty()) return;
  const json::Node list = row.array(name);
  for (const std::string_view word : set.words())
    list.append(word);
}

Result<> answer_rules(Parts& parts, const Request& request, json::Node status) {
  const std::string_view ns = request.body["spec"]["namespace"].string();
  if (ns.empty()) {
    return fail(Code::kBadRequest, "no namespace on request");
  }
  const json::Node resources = status.array("resourceRules");
  const json::Node paths = status.array("nonResourceRules");
  for (const PolicyRule& rule : parts.authorizer.rules_for(request.user, ns)) {
    const json::Node row = (rule.urls.empty() ? resources : paths).append_object();
    append_set(row, "verbs", rule.verbs);
    append_set(row, "apiGroups", rule.groups);
    append_set(row, "resources", rule.resources);
    append_set(row, "resourceNames", rule.names);
    append_set(row, "nonResourceURLs", rule.urls);
  }
  // What a node may do depends on its Pods and cannot be listed.
  status.set("incomplete", !request.user.node().empty());
  return {};
}

void answer_token(Parts& parts, const Request& request, json::Node status) {
  std::vector<std::string> audiences;
  for (const json::Node audience : request.body["spec"]["audiences"]) {
    audiences.emplace_back(audience.string());
  }
  const Result<Tokens::Bearer> bearer =
      parts.tokens.verify(request.body["spec"]["token"].string(), audiences);
  if (!bearer) {
    status.set("error", "invalid bearer token");
    return;
  }
  status.set("authenticated", true);
  write_user(status.object("user"), bearer->user);
  for (const std::string& audience : bearer->audiences)
    status.array("audiences").append(audience);
}

}  // namespace

Result<> decode_review(Request& request) {
  TRY(accept_json(request));
  const ReviewKind& kind = *find_review(request.group, request.version, request.resource);
  const std::string version = join({kind.group, "/v1"});
  return decode_body(request, {version, kind.name});
}

Result<Next> answer_review(Parts& parts, Exchange& exchange) {
  const Request& request = exchange.request;
  const ReviewKind& kind = *find_review(request.group, request.version, request.resource);
  json::Tree tree;
  const json::Node answer = tree.make_object();
  answer.set("kind", kind.name);
  answer.set("apiVersion", join({kind.group, "/v1"}));
  answer.object("metadata").set_null("creationTimestamp");
  if (const json::Node spec = request.body["spec"]; spec) answer.set("spec", spec);
  const json::Node status = answer.object("status");
  switch (kind.review) {
    case Review::kSelfSubjectAccess:
    case Review::kSubjectAccess:
    case Review::kLocalSubjectAccess:
      TRY(answer_access(parts, request, kind, status));
      break;
    case Review::kSelfSubjectRules:
      TRY(answer_rules(parts, request, status));
      break;
    case Review::kSelfSubject:
      write_user(status.object("userInfo"), request.user);
      break;
    case Review::kToken:
      answer_token(parts, request, status);
      break;
  }
  Reply reply;
  reply.code = 201;
  reply.text = json::write(answer);
  exchange.reply(std::move(reply));
  return Next::kDone;
}

}  // namespace coracle::apiserver
