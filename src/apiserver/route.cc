// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/route.h"

#include <algorithm>
#include <span>

#include "api/metrics.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

using Parts = std::span<const std::string_view>;

constexpr ReviewKind kReviews[] = {
    {Review::kSelfSubjectAccess, "authorization.k8s.io", "selfsubjectaccessreviews",
     "SelfSubjectAccessReview", false},
    {Review::kSubjectAccess, "authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview",
     false},
    {Review::kLocalSubjectAccess, "authorization.k8s.io", "localsubjectaccessreviews",
     "LocalSubjectAccessReview", true},
    {Review::kSelfSubjectRules, "authorization.k8s.io", "selfsubjectrulesreviews",
     "SelfSubjectRulesReview", false},
    {Review::kSelfSubject, "authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview",
     false},
    {Review::kToken, "authentication.k8s.io", "tokenreviews", "TokenReview", false},
};

api::Subresource find_subresource(std::string_view text) {
  for (uint32_t at = 1; at <= static_cast<uint32_t>(api::Subresource::kPortForward); ++at) {
    const auto candidate = static_cast<api::Subresource>(at);
    if (api::subresource_name(candidate) == text) return candidate;
  }
  return api::Subresource::kNone;
}

Verb verb_of(const Request& request) {
  const std::string& method = request.http.method;
  const bool named = !request.name.empty();
  if (method == "POST") return Verb::kCreate;
  if (method == "PUT") return Verb::kUpdate;
  if (method == "PATCH") return Verb::kPatch;
  if (method == "DELETE") return named ? Verb::kDelete : Verb::kDeleteCollection;
  if (named) return Verb::kGet;
  return request.options.watch ? Verb::kWatch : Verb::kList;
}

// /namespaces/N/status and /namespaces/N/finalize are subresources, not resources of the namespace.
bool is_namespace_subresource(std::string_view text) {
  return text == "status" || text == "finalize";
}

// rest: what follows the group version.
void route_resource(Request& request, Parts rest) {
  const bool old_watch = rest[0] == "watch" && rest.size() > 1;
  if (old_watch) rest = rest.subspan(1);
  if (rest[0] == "namespaces" && rest.size() >= 3 && !is_namespace_subresource(rest[2])) {
    request.ns = std::string(rest[1]);
    rest = rest.subspan(2);
  }
  request.resource = std::string(rest[0]);
  if (rest.size() > 1) request.name = std::string(rest[1]);
  if (rest.size() > 2) request.subresource_text = std::string(rest[2]);
  const bool too_deep = rest.size() > 3;
  request.verb = verb_of(request);
  if (old_watch && request.http.method == "GET") {
    request.verb = Verb::kWatch;
    if (!request.name.empty()) request.options.field_selector = "metadata.name=" + request.name;
    request.name.clear();
  }
  if (too_deep) return;
  if (find_review(request.group, request.version, request.resource) != nullptr) {
    if (request.name.empty()) request.target = Target::kReview;
    return;
  }
  if (request.group == api::kMetricsGroup && request.version == api::kMetricsVersion) {
    const bool placed = !request.ns.empty();
    const bool nodes = request.resource == "nodes" && !placed;
    const bool pods = request.resource == "pods" && (placed || request.name.empty());
    if ((nodes || pods) && request.subresource_text.empty()) request.target = Target::kUsage;
    return;
  }
  if (request.group.empty() && request.version == "v1" && request.resource == "bindings") {
    // POST pods/x/binding as it was called first; found in discovery still.
    request.kind = &api::kPod;
    request.subresource = api::Subresource::kBinding;
    const bool fits = !request.ns.empty() && request.name.empty();
    if (fits) request.target = Target::kObjects;
    return;
  }
  request.kind = api::find_kind(request.group, request.version, request.resource);
  if (request.kind == nullptr) return;
  if (request.kind->stored_as != nullptr) {
    request.twin = request.kind;
    request.kind = request.kind->stored_as;
  }
  if (!request.kind->namespaced && !request.ns.empty()) return;
  if (request.kind->namespaced && request.ns.empty() && !request.name.empty()) return;
  if (!request.subresource_text.empty()) {
    request.subresource = find_subresource(request.subresource_text);
    if (!request.kind->serves(request.subresource)) return;
    if (request.subresource == api::Subresource::kNone) return;
  }
  request.target = Target::kObjects;
}

}  // namespace

const ReviewKind* find_review(std::string_view group,
                              std::string_view version,
                              std::string_view plural) {
  if (version != "v1") return nullptr;
  for (const ReviewKind& kind : kReviews) {
    if (kind.group == group && kind.plural == plural) return &kind;
  }
  return nullptr;
}

void route(Request& request) {
  std::string_view path = request.http.path;
  while (path.size() > 1 && path.ends_with('/'))
    path.remove_suffix(1);
  const std::vector<std::string_view> parts = split(path.substr(path.empty() ? 0 : 1), '/');
  const Parts all(parts);
  size_t skip = 0;
  if (all[0] == "api" && all.size() > 2) {
    request.version = std::string(all[1]);
    skip = 2;
  } else if (all[0] == "apis" && all.size() > 3) {
    request.group = std::string(all[1]);
    request.version = std::string(all[2]);
    skip = 3;
  }
  if (skip > 0) return route_resource(request, all.subspan(skip));
  request.target = Target::kPage;
  request.verb = verb_of(request);
}

Result<> check_method(const Request& request) {
  const std::string& method = request.http.method;
  const auto refused = [] {
    return fail(Code::kMethodNotAllowed,
                "the server does not allow this method on the requested resource");
  };
  constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
  if (std::find(std::begin(kMethods), std::end(kMethods), method) == std::end(kMethods)) {
    return refused();
  }
  if (request.target == Target::kPage) return method == "GET" ? Result<>() : refused();
  if (request.target == Target::kUsage) return method == "GET" ? Result<>() : refused();
  if (request.target == Target::kReview) return method == "POST" ? Result<>() : refused();
  if (request.subresource != api::Subresource::kNone) return {};  // subresources.cc knows its verbs
  const bool named = !request.name.empty();
  if (named && method == "POST") return refused();
  if (!named && (method == "PUT" || method == "PATCH")) return refused();
  const bool everywhere = request.kind->namespaced && request.ns.empty();
  if (everywhere && method != "GET") return refused();
  return {};
}

}  // namespace coracle::apiserver
