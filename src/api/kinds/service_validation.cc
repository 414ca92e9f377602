// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kinds/service_validation.h"

#include <set>

#include "api/kinds/checks.h"
#include "api/processing.h"
#include "base/bytes.h"
#include "base/ip.h"

namespace coracle::api {
namespace {

constexpr std::string_view kIpv6Words = "IPv6 is not supported by Coracle yet";
constexpr int64_t kAffinitySecondsMax = 86400;

bool is_headless(json::Node spec) {
  return spec["clusterIP"].string() == "None";
}

void check_type(json::Node spec, Errors& errors) {
  const std::string_view type = spec["type"].string();
  const bool at_nodes = type == "NodePort" || type == "LoadBalancer";
  if (at_nodes && is_headless(spec))
    errors.invalid("spec.clusterIPs[0]", "None",
                   join({"may not be set to 'None' for ", type, " services"}));
  if (type != "LoadBalancer" && spec["allocateLoadBalancerNodePorts"])
    errors.forbidden("spec.allocateLoadBalancerNodePorts",
                     "may only be used when `type` is 'LoadBalancer'");
  const bool checked = type == "LoadBalancer" && spec["externalTrafficPolicy"].string() == "Local";
  if (spec["healthCheckNodePort"].integer() != 0 && checked)
    refuse("spec.healthCheckNodePort", errors);
  if (spec["healthCheckNodePort"].integer() != 0 && !checked)
    errors.invalid("spec.healthCheckNodePort", spec["healthCheckNodePort"],
                   "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is "
                   "'Local'");
  if (says_something(spec["loadBalancerClass"]) && type != "LoadBalancer")
    errors.forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'");
  const bool external = at_nodes || (type == "ClusterIP" && spec["externalIPs"].size() > 0);
  if (says_something(spec["externalTrafficPolicy"]) && !external)
    errors.invalid("spec.externalTrafficPolicy", spec["externalTrafficPolicy"],
                   "may only be set for externally-accessible services");
}

void check_port(json::Node port, bool needs_name, std::string_view path, Errors& errors) {
  const json::Node name = port["name"];
  if (!name.string().empty()) check_label_name(name, field(path, "name"), errors);
  if (name.string().empty() && needs_name) errors.required(field(path, "name"));
  if (!port["port"])
    errors.invalid(field(path, "port"), int64_t{0}, "must be between 1 and 65535, inclusive");
  if (port["targetPort"])
    check_number_or_port_name(port["targetPort"], field(path, "targetPort"), errors);
  if (says_something(port["appProtocol"]))
    check_qualified_name(port["appProtocol"], field(path, "appProtocol"), errors);
}

void check_node_ports(json::Node spec, Errors& errors) {
  const std::string_view type = spec["type"].string();
  std::set<std::pair<int64_t, std::string_view>> used;
  size_t index = 0;
  for (json::Node port : spec["ports"]) {
    const std::string path = field(item("spec.ports", index++), "nodePort");
    const json::Node node_port = port["nodePort"];
    if (node_port.integer() == 0) continue;
    if (type != "NodePort" && type != "LoadBalancer")
      errors.forbidden(path, join({"may not be used when `type` is '", type, "'"}));
    else if (!used.insert({node_port.integer(), port["protocol"].string()}).second)
      errors.duplicate(path, node_port);
  }
}

// Addresses that traffic from outside could come to (ValidateNonSpecialIP).
void check_external_ips(json::Node spec, Errors& errors) {
  size_t index = 0;
  for (json::Node each : spec["externalIPs"]) {
    const std::string path = item("spec.externalIPs", index++);
    const auto ip = parse_ip4(each.string());
    if (!ip) {
      check_ip(each, path, errors);
    } else if (ip->value == 0) {
      errors.invalid(path, each, "may not be unspecified (0.0.0.0 or ::)");
    } else if (ip->value >> 24 == 127) {
      errors.invalid(path, each, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
    } else if (ip->value >> 16 == 0xa9fe) {
      errors.invalid(path, each, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    } else if (ip->value >> 8 == 0xe00000) {
      errors.invalid(path, each,
                     "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
    }
  }
}

void check_ports(json::Node spec, Errors& errors) {
  const json::Node ports = spec["ports"];
  const bool may_be_empty = is_headless(spec) || spec["type"].string() == "ExternalName";
  if (ports.size() == 0 && !may_be_empty) errors.required("spec.ports");
  std::set<std::string_view> names;
  size_t index = 0;
  for (json::Node port : ports) {
    const std::string path = item("spec.ports", index++);
    check_port(port, ports.size() > 1, path, errors);
    const json::Node name = port["name"];
    if (!name.string().empty() && !names.insert(name.string()).second)
      errors.duplicate(field(path, "name"), name);
  }
}

void check_external_name(json::Node spec, Errors& errors) {
  if (says_something(spec["clusterIPs"]) || says_something(spec["clusterIP"]))
    errors.forbidden("spec.clusterIPs", "may not be set for ExternalName services");
  for (std::string_view name : {"ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"}) {
    if (says_something(spec[name]))
      errors.forbidden(field("spec", name), "may not be set for ExternalName services");
  }
  const json::Node target = spec["externalName"];
  std::string_view host = target.string();
  if (host.empty()) return errors.required("spec.externalName");
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string problem = dns1123_subdomain_problem(host);
  if (!problem.empty()) errors.invalid("spec.externalName", target, problem);
}

void check_cluster_ips(json::Node spec, Errors& errors) {
  const json::Node ips = spec["clusterIPs"];
  const json::Node ip = spec["clusterIP"];
  if (ip.string().empty() && ips.size() > 0)
    return errors.invalid("spec.clusterIPs", ips,
                          "must be empty when `clusterIP` is not specified");
  if (ips.size() > 0 && ips.first().string() != ip.string())
    errors.invalid("spec.clusterIPs", ips, "first value must match `clusterIP`");
  if (ips.size() > 1)
    errors.forbidden("spec.clusterIPs", "more than one address is not supported by Coracle yet");
  size_t index = 0;
  for (json::Node each : ips) {
    const std::string path = item("spec.clusterIPs", index++);
    if (each.string() != "None") check_ip(each, path, errors);
  }
}

void check_families(json::Node spec, Errors& errors) {
  const json::Node policy = spec["ipFamilyPolicy"];
  if (policy.string() == "RequireDualStack")
    errors.invalid("spec.ipFamilyPolicy", policy,
                   "this cluster is not configured for dual-stack services");
  size_t index = 0;
  for (json::Node family : spec["ipFamilies"]) {
    const std::string path = item("spec.ipFamilies", index++);
    if (family.string() == "IPv6") errors.invalid(path, family, kIpv6Words);
    if (family.string() != "IPv6" && family.string() != "IPv4")
      errors.not_supported(path, family, "IPv4");
    if (index > 1 && family.string() == "IPv4") errors.duplicate(path, family);
  }
}

void check_affinity(json::Node spec, Errors& errors) {
  const json::Node config = spec["sessionAffinityConfig"];
  if (!config) return;
  const std::string_view path = "spec.sessionAffinityConfig";
  if (spec["sessionAffinity"].string() != "ClientIP")
    return errors.forbidden(path, "must not be set when session affinity is None");
  const json::Node seconds = config["clientIP"]["timeoutSeconds"];
  if (seconds.integer() <= 0 || seconds.integer() > kAffinitySecondsMax)
    errors.invalid(field(path, "clientIP.timeoutSeconds"), seconds,
                   "must be greater than 0 and less than 86400");
}

}  // namespace

void validate_service(json::Node service, Errors& errors) {
  const json::Node spec = service["spec"];
  check_type(spec, errors);
  check_ports(spec, errors);
  check_node_ports(spec, errors);
  check_external_ips(spec, errors);
  if (spec["type"].string() == "ExternalName") {
    check_external_name(spec, errors);
  } else {
    check_cluster_ips(spec, errors);
    check_families(spec, errors);
  }
  check_labels(spec["selector"], "spec.selector", errors);
  check_affinity(spec, errors);
}

void validate_service_update(json::Node service, json::Node old, Errors& errors) {
  const json::Node spec = service["spec"];
  const json::Node before = old["spec"];
  const bool external =
      spec["type"].string() == "ExternalName" || before["type"].string() == "ExternalName";
  if (external || before["clusterIP"].string().empty()) return;
  if (spec["clusterIP"].string().empty())
    return errors.required("spec.clusterIPs[0]", "primary clusterIP can not be unset");
  if (spec["clusterIP"].string() != before["clusterIP"].string())
    errors.invalid("spec.clusterIPs[0]", spec["clusterIPs"], "may not change once set");
}

}  // namespace coracle::api
