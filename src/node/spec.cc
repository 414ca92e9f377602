// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/spec.h"

#include "api/quantity.h"
#include "base/bytes.h"

namespace coracle::node {

std::vector<ContainerSpec> containers_of(json::Node pod) {
  std::vector<ContainerSpec> all;
  for (const json::Node node : pod["spec"]["initContainers"]) {
    all.push_back({node, true, node["restartPolicy"].string() == "Always"});
  }
  for (const json::Node node : pod["spec"]["containers"])
    all.push_back({node, false, false});
  return all;
}

RestartPolicy restart_policy(json::Node pod) {
  const std::string_view policy = pod["spec"]["restartPolicy"].string();
  if (policy == "Never") return RestartPolicy::kNever;
  return policy == "OnFailure" ? RestartPolicy::kOnFailure : RestartPolicy::kAlways;
}

namespace {

// Upstream pkg/apis/core/v1/helper/qos: only cpu and memory count, zero is absent.
struct QosSums {
  bool any = false;
  bool guaranteed = true;
};

void weigh(json::Node container, QosSums& sums) {
  const json::Node resources = container["resources"];
  for (const std::string_view name : {"cpu", "memory"}) {
    const std::string_view limit = resources["limits"][name].string();
    std::string_view request = resources["requests"][name].string();
    if (request.empty()) request = limit;
    const bool has_limit = !limit.empty() && api::compare_quantities(limit, "0") > 0;
    const bool has_request = !request.empty() && api::compare_quantities(request, "0") > 0;
    sums.any = sums.any || has_limit || has_request;
    if (!has_limit || (has_request && api::compare_quantities(limit, request) != 0))
      sums.guaranteed = false;
  }
}

}  // namespace

Qos qos_of(json::Node pod) {
  QosSums sums;
  for (const ContainerSpec& container : containers_of(pod))
    weigh(container.node, sums);
  if (!sums.any) return Qos::kBestEffort;
  return sums.guaranteed ? Qos::kGuaranteed : Qos::kBurstable;
}

std::string_view qos_name(Qos qos) {
  if (qos == Qos::kGuaranteed) return "Guaranteed";
  return qos == Qos::kBurstable ? "Burstable" : "BestEffort";
}

bool is_deleting(json::Node pod) {
  return !pod["metadata"]["deletionTimestamp"].string().empty();
}

int64_t grace_seconds(json::Node pod) {
  const int64_t of_spec = pod["spec"]["terminationGracePeriodSeconds"].integer(30);
  if (!is_deleting(pod)) return of_spec < 0 ? 1 : of_spec;
  const int64_t of_deletion = pod["metadata"]["deletionGracePeriodSeconds"].integer(of_spec);
  return of_deletion < 1 ? 1 : of_deletion;
}

std::string pod_label(json::Node pod) {
  const json::Node meta = pod["metadata"];
  return join(
      {meta["name"].string(), "_", meta["namespace"].string(), "(", meta["uid"].string(), ")"});
}

namespace {

std::string unsupported_in(const ContainerSpec& container) {
  if (container.node["volumeDevices"].size() > 0)
    return join({"container \"", container.name(), "\": volumeDevices"});
  return {};
}

}  // namespace

std::string unsupported_feature(json::Node pod) {
  std::string what;
  for (const ContainerSpec& container : containers_of(pod)) {
    if (what.empty()) what = unsupported_in(container);
  }
  const json::Node spec = pod["spec"];
  if (what.empty() && spec["shareProcessNamespace"].boolean()) what = "shareProcessNamespace";
  if (what.empty() && spec["hostIPC"].boolean()) what = "hostIPC";
  if (what.empty() && spec["hostUsers"] && !spec["hostUsers"].boolean(true)) what = "hostUsers";
  if (what.empty() && spec["securityContext"]["windowsOptions"]) what = "windowsOptions";
  if (what.empty()) return {};
  return join({"this node agent does not support ", what});
}

}  // namespace coracle::node
