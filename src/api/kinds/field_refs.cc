// SPDX-License-Identifier: GPL-2.0-or-later
// The downward API: which fields and resources of a Pod its containers and volumes may show.
#include "api/kinds/checks.h"
#include "api/kinds/pod_validation.h"
#include "api/processing.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr std::string_view kEnvFields =
    "metadata.name|metadata.namespace|metadata.uid|spec.nodeName|spec.serviceAccountName|"
    "status.hostIP|status.hostIPs|status.podIP|status.podIPs";
constexpr std::string_view kVolumeFields =
    "metadata.annotations|metadata.labels|metadata.name|metadata.namespace|metadata.uid";
constexpr std::string_view kEnvResources =
    "limits.cpu|limits.ephemeral-storage|limits.memory|requests.cpu|requests.ephemeral-storage|"
    "requests.memory";

bool contains(std::string_view set, std::string_view value) {
  for (std::string_view each : split(set, '|')) {
    if (each == value) return true;
  }
  return false;
}

// "metadata.labels['a/b']": the key, empty if `text` is of another form.
std::string_view subscript(std::string_view text) {
  for (std::string_view prefix : {"metadata.labels['", "metadata.annotations['"}) {
    if (!text.starts_with(prefix) || !text.ends_with("']")) continue;
    return text.substr(prefix.size(), text.size() - prefix.size() - 2);
  }
  return {};
}

}  // namespace

void check_field_ref(json::Node ref, std::string_view path, bool in_volume, Errors& errors) {
  const json::Node version = ref["apiVersion"];
  if (version && version.string() != "v1")
    errors.invalid(field(path, "apiVersion"), version, "must be v1");
  const json::Node target = ref["fieldPath"];
  if (target.string().empty()) return;  // required: declared
  const std::string at = field(path, "fieldPath");
  const std::string_view key = subscript(target.string());
  if (!key.empty()) {
    const std::string problem = label_key_problem(key);
    if (!problem.empty()) errors.invalid(at, target, problem);
    return;
  }
  const std::string_view known = in_volume ? kVolumeFields : kEnvFields;
  if (!contains(known, target.string())) errors.not_supported(at, target, known);
}

void check_resource_ref(json::Node ref, std::string_view path, bool in_volume, Errors& errors) {
  if (in_volume && ref["containerName"].string().empty())
    errors.required(field(path, "containerName"));
  const json::Node resource = ref["resource"];
  if (!resource.string().empty() && !contains(kEnvResources, resource.string()))
    errors.not_supported(field(path, "resource"), resource, kEnvResources);
}

Choice count_choices(json::Node object, std::string_view names) {
  size_t count = 0;
  for (std::string_view name : split(names, '|'))
    count += object[name] ? 1 : 0;
  return count == 0 ? Choice::kNone : count == 1 ? Choice::kOne : Choice::kMany;
}

}  // namespace coracle::api
