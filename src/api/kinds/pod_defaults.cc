// SPDX-License-Identifier: GPL-2.0-or-later
// Defaults of PodSpecs that depend on several fields (kubernetes pkg/apis/core/v1/defaults.go).
#include "api/kinds/pod_template.h"
#include "api/quantity.h"

namespace coracle::api {
namespace {

// ":latest", or neither a tag nor a digest.
bool is_latest(std::string_view image) {
  if (image.find('@') != std::string_view::npos) return false;
  const size_t slash = image.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? image : image.substr(slash);
  const size_t colon = last.rfind(':');
  return colon == std::string_view::npos || last.substr(colon) == ":latest";
}

void default_container(json::Node container) {
  const std::string_view image = container["image"].string();
  if (container["imagePullPolicy"].string().empty() && !image.empty())
    container.set("imagePullPolicy", is_latest(image) ? "Always" : "IfNotPresent");
}

void default_volume(json::Node volume) {
  const bool has_source = volume.size() > (volume["name"] ? 1u : 0u);
  if (!has_source) volume.object("emptyDir");
  const json::Node claim = volume["ephemeral"]["volumeClaimTemplate"]["spec"];
  if (claim && claim["volumeMode"].string().empty()) claim.set("volumeMode", "Filesystem");
}

// Both names of the field say the same (conversion of PodSpec).
void default_service_account(json::Node spec) {
  std::string name(spec["serviceAccountName"].string());
  if (name.empty()) name = spec["serviceAccount"].string();
  if (name.empty()) return;
  spec.set("serviceAccountName", name);
  spec.set("serviceAccount", name);
}

void default_pod_spec(json::Node spec) {
  for (std::string_view list : {"initContainers", "containers"}) {
    for (json::Node container : spec[list])
      default_container(container);
  }
  for (json::Node volume : spec["volumes"])
    default_volume(volume);
  default_service_account(spec);
}

void request_limits(json::Node resources) {
  // Longer lists are refused by validation.
  if (!resources["limits"] || resources["limits"].size() > kResourcesMax) return;
  const json::Node requests = resources.object("requests");
  for (json::Node limit : resources["limits"]) {
    if (!requests[limit.key()]) requests.set(limit.key(), limit);
  }
}

void default_host_ports(json::Node ports) {
  for (json::Node port : ports) {
    if (port["hostPort"].integer() == 0 && port["containerPort"])
      port.set("hostPort", port["containerPort"]);
  }
}

// In thousandths, over all containers.
struct Sums {
  int64_t requests = 0;
  int64_t limits = 0;
  bool limited_everywhere = true;
};

Sums sum_of(json::Node spec, std::string_view resource) {
  Sums sums;
  for (std::string_view list : {"initContainers", "containers"}) {
    for (json::Node container : spec[list]) {
      const json::Node resources = container["resources"];
      const int64_t limit = quantity_millis(resources["limits"][resource].string()).value_or(0);
      sums.limits += limit;
      sums.requests += quantity_millis(resources["requests"][resource].string()).value_or(0);
      sums.limited_everywhere = sums.limited_everywhere && limit > 0;
    }
  }
  return sums;
}

}  // namespace

void default_pod(json::Node spec) {
  if (!spec.is_object()) return;
  default_pod_spec(spec);
  for (std::string_view list : {"initContainers", "containers"}) {
    for (json::Node container : spec[list]) {
      request_limits(container["resources"]);
      if (spec["hostNetwork"].boolean()) default_host_ports(container["ports"]);
    }
  }
  if (!spec["enableServiceLinks"]) spec.set("enableServiceLinks", true);
}

void default_pod_template(json::Node pod_template) {
  default_pod_spec(pod_template["spec"]);
}

std::string_view quality_of_service(json::Node spec) {
  const Sums cpu = sum_of(spec, "cpu");
  const Sums memory = sum_of(spec, "memory");
  if (cpu.requests + cpu.limits + memory.requests + memory.limits == 0) return "BestEffort";
  const bool equal = cpu.requests == cpu.limits && memory.requests == memory.limits;
  return equal && cpu.limited_everywhere && memory.limited_everywhere ? "Guaranteed" : "Burstable";
}

}  // namespace coracle::api
