// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/pod_security.h"

#include <map>

#include "api/errors.h"
#include "apiserver/admission.h"
#include "apiserver/pod_standards.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kLabel = "pod-security.kubernetes.io/";
constexpr size_t kExistingPodsMax = 3000;  // looked at for warnings (upstream: the same)

struct Policy {
  Standard standard = Standard::kPrivileged;
  std::string version = "latest";

  std::string text() const {
    return join(
        {"\"", standard == Standard::kBaseline ? "baseline" : "restricted", ":", version, "\""});
  }
};

bool read_standard(std::string_view text, Standard& standard) {
  if (text == "restricted") standard = Standard::kRestricted;
  if (text == "baseline") standard = Standard::kBaseline;
  return text == "restricted" || text == "baseline" || text == "privileged";
}

bool is_version(std::string_view text) {
  constexpr std::string_view kMajor = "v1.";
  return text == "latest" || (text.starts_with(kMajor) && text.size() <= kMajor.size() + 4 &&
                              parse_unsigned(text.substr(kMajor.size())).has_value());
}

// A level that cannot be understood counts as the strictest (policy.ParseLevel with errors).
Policy policy_of(json::Node labels, std::string_view mode) {
  Policy policy;
  const std::string key = join({kLabel, mode});
  const std::string_view level = labels[key].string();
  if (!level.empty() && !read_standard(level, policy.standard))
    policy.standard = Standard::kRestricted;
  const std::string_view version = labels[key + "-version"].string();
  if (is_version(version)) policy.version = std::string(version);
  return policy;
}

std::string listed(const Violations& violations, bool details) {
  std::string text;
  for (const Violation& each : violations) {
    text += join({text.empty() ? "" : ", ", each.reason});
    if (details) text += join({" (", each.detail, ")"});
  }
  return text;
}

// The Pod that an object is or makes; its metadata and spec.
json::Node pod_of(const Request& request) {
  const api::Kind* kind = request.kind;
  const json::Node spec = request.object["spec"];
  if (kind == &api::kPod) return request.object;
  if (kind == &api::kPodTemplate) return request.object["template"];
  if (kind == &api::kCronJob) return spec["jobTemplate"]["spec"]["template"];
  constexpr const api::Kind* kMakers[] = {&api::kDeployment, &api::kReplicaSet,
                                          &api::kDaemonSet,  &api::kStatefulSet,
                                          &api::kJob,        &api::kReplicationController};
  for (const api::Kind* maker : kMakers) {
    if (kind == maker) return spec["template"];
  }
  return {};
}

void warn_of(Request& request, const Policy& policy, json::Node pod) {
  const Violations violations = violations_of(policy.standard, pod);
  if (violations.empty()) return;
  request.warnings.push_back(
      join({"would violate PodSecurity ", policy.text(), ": ", listed(violations, true)}));
}

void warn_of_existing(Parts& parts, Request& request, const Policy& policy) {
  std::map<std::string, std::pair<std::string, size_t>> found;  // by what is wrong
  size_t looked_at = 0;
  api::for_each(parts.store, api::kPod, request.name, [&](const api::ObjectRef& pod) {
    if (looked_at++ >= kExistingPodsMax) return;
    json::Tree tree;
    const Violations violations = violations_of(policy.standard, pod->parse(tree));
    if (violations.empty()) return;
    auto& [name, others] = found[listed(violations, false)];
    if (name.empty()) {
      name = pod->name();
    } else {
      ++others;
    }
  });
  if (found.empty()) return;
  request.warnings.push_back(
      join({"existing pods in namespace \"", request.name,
            "\" violate the new PodSecurity enforce level ", policy.text()}));
  for (const auto& [wrong, pods] : found) {
    const auto& [name, others] = pods;
    std::string more;
    if (others > 0)
      more = join({" (and ", std::to_string(others), others == 1 ? " other pod)" : " other pods)"});
    request.warnings.push_back(join({name, more, ": ", wrong}));
  }
}

}  // namespace

Result<> admit_pod_security(Parts& parts, Request& request) {
  const json::Node pod = pod_of(request);
  if (!pod || request.subresource != api::Subresource::kNone) return {};
  const api::ObjectRef ns = parts.store.get(api::kNamespace, {}, request.ns);
  if (!ns || ns->text().find(kLabel) == std::string_view::npos) return {};
  // What a Pod may do is settled when it is made.
  const bool is_pod = request.kind == &api::kPod;
  if (is_pod && !request.creating()) return {};
  json::Tree tree;
  const json::Node labels = ns->parse(tree)["metadata"]["labels"];
  const Policy enforced = policy_of(labels, "enforce");
  const Violations violations = is_pod ? violations_of(enforced.standard, pod) : Violations();
  if (!violations.empty()) {
    return forbidden(
        request, join({"violates PodSecurity ", enforced.text(), ": ", listed(violations, true)}));
  }
  warn_of(request, policy_of(labels, "warn"), pod);
  return {};
}

Result<> admit_security_labels(Parts& parts, Request& request) {
  const json::Node labels = request.object["metadata"]["labels"];
  api::Errors errors;
  for (std::string_view mode : {"enforce", "warn", "audit"}) {
    const std::string key = join({kLabel, mode});
    Standard standard{};
    if (const json::Node level = labels[key]; level && !read_standard(level.string(), standard))
      errors.invalid(api::entry("metadata.labels", key), level,
                     "must be one of privileged, baseline, restricted");
    if (const json::Node version = labels[key + "-version"];
        version && !is_version(version.string()))
      errors.invalid(api::entry("metadata.labels", key + "-version"), version,
                     "must be \"latest\" or \"v1.x\"");
  }
  if (!errors.empty()) return errors.to_error(api::group_kind(*request.kind), request.name);
  const Policy now = policy_of(labels, "enforce");
  const bool tightened =
      request.old &&
      now.standard > policy_of(request.old["metadata"]["labels"], "enforce").standard;
  if (tightened) warn_of_existing(parts, request, now);
  return {};
}

}  // namespace coracle::apiserver
