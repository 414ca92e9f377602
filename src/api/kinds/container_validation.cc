// SPDX-License-Identifier: GPL-2.0-or-later
// Containers (kubernetes pkg/apis/core/validation, validateContainers, validateInitContainers).
#include <algorithm>

#include "api/kinds/checks.h"
#include "api/kinds/data.h"
#include "api/kinds/pod_template.h"
#include "api/kinds/pod_validation.h"
#include "api/quantity.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr std::string_view kEnvNameWords =
    "a valid environment variable name must consist only of printable ASCII characters other than "
    "'='";
constexpr std::string_view kStandardResources[] = {"cpu", "memory", "ephemeral-storage"};

bool is_env_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != '='; });
}

void check_image(json::Node container, std::string_view path, Errors& errors) {
  const json::Node image = container["image"];
  if (image.string().empty()) return errors.required(field(path, "image"));
  if (trim(image.string()) != image.string())
    errors.invalid(field(path, "image"), image, "must not have leading or trailing whitespace");
}

void check_host_port(json::Node port, std::string_view path, PodRules& rules, Errors& errors) {
  const json::Node host = port["hostPort"];
  if (host.integer() == 0) return;
  // Ports of the node lead to containers only where both are the same.
  if (!rules.host_network) return refuse(field(path, "hostPort"), errors);
  is_port(host, field(path, "hostPort"), errors);
  if (rules.host_network && port["containerPort"].integer() != host.integer())
    errors.invalid(field(path, "containerPort"), port["containerPort"],
                   "must match `hostPort` when `hostNetwork` is true");
  if (says_something(port["hostIP"])) check_ip(port["hostIP"], field(path, "hostIP"), errors);
  const std::string address(port["hostIP"].string().empty() ? "0.0.0.0" : port["hostIP"].string());
  const std::string key =
      join({address, "/", std::to_string(host.integer()), "/", port["protocol"].string()});
  if (!rules.host_ports.insert(key).second) errors.duplicate(field(path, "hostPort"), host);
}

void check_ports(json::Node ports, std::string_view path, PodRules& rules, Errors& errors) {
  std::set<std::string_view> names;
  size_t index = 0;
  for (json::Node port : ports) {
    const std::string at = item(path, index++);
    const json::Node name = port["name"];
    if (!name.string().empty()) {
      check_port_name(name, field(at, "name"), errors);
      if (!names.insert(name.string()).second) errors.duplicate(field(at, "name"), name);
    }
    check_host_port(port, at, rules, errors);
  }
}

void check_key_ref(json::Node ref, std::string_view path, Errors& errors) {
  if (!ref) return;
  if (ref["name"].string().empty()) {
    errors.required(field(path, "name"));
  } else {
    check_subdomain_name(ref["name"], field(path, "name"), errors);
  }
  const std::string_view key = ref["key"].string();
  if (!key.empty()) check_data_key(key, field(path, "key"), errors);
}

void check_value_from(json::Node variable, std::string_view path, Errors& errors) {
  const json::Node source = variable["valueFrom"];
  if (!source) return;
  const Choice choice =
      count_choices(source, "fieldRef|resourceFieldRef|configMapKeyRef|secretKeyRef|fileKeyRef");
  if (choice == Choice::kNone)
    errors.invalid(path, "",
                   "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or "
                   "`secretKeyRef`");
  if (choice == Choice::kMany)
    errors.invalid(path, "", "may not have more than one field specified at a time");
  if (says_something(variable["value"]))
    errors.invalid(path, "", "may not be specified when `value` is not empty");
  if (source["fieldRef"])
    check_field_ref(source["fieldRef"], field(path, "fieldRef"), false, errors);
  if (source["resourceFieldRef"])
    check_resource_ref(source["resourceFieldRef"], field(path, "resourceFieldRef"), false, errors);
  check_key_ref(source["configMapKeyRef"], field(path, "configMapKeyRef"), errors);
  check_key_ref(source["secretKeyRef"], field(path, "secretKeyRef"), errors);
}

void check_env(json::Node container, std::string_view path, Errors& errors) {
  size_t index = 0;
  for (json::Node variable : container["env"]) {
    const std::string at = item(field(path, "env"), index++);
    if (!is_env_name(variable["name"].string()))
      errors.invalid(field(at, "name"), variable["name"], kEnvNameWords);
    check_value_from(variable, field(at, "valueFrom"), errors);
  }
  index = 0;
  for (json::Node source : container["envFrom"]) {
    const std::string at = item(field(path, "envFrom"), index++);
    if (!is_env_name(source["prefix"].string()))
      errors.invalid(field(at, "prefix"), source["prefix"], kEnvNameWords);
    const Choice choice = count_choices(source, "configMapRef|secretRef");
    if (choice == Choice::kNone)
      errors.invalid(at, "", "must specify one of: `configMapRef` or `secretRef`");
    if (choice == Choice::kMany)
      errors.invalid(at, "", "may not have more than one field specified at a time");
    check_key_ref(source["configMapRef"], field(at, "configMapRef"), errors);
    check_key_ref(source["secretRef"], field(at, "secretRef"), errors);
  }
}

void check_resource_names(json::Node list, std::string_view path, Errors& errors) {
  for (json::Node amount : list) {
    const std::string_view name = amount.key();
    const std::string at = entry(path, name);
    const bool standard = std::find(std::begin(kStandardResources), std::end(kStandardResources),
                                    name) != std::end(kStandardResources);
    check_qualified_name_text(name, at, errors);
    if (!standard && !name.starts_with("hugepages-") && name.find('/') == std::string_view::npos)
      errors.invalid(at, name, "must be a standard resource for containers");
    if (amount.string().starts_with('-'))
      errors.invalid(at, amount, "must be greater than or equal to 0");
  }
}

void check_resources(json::Node resources, std::string_view path, Errors& errors) {
  const json::Node limits = resources["limits"];
  for (std::string_view name : {"limits", "requests"}) {
    const size_t count = resources[name].size();
    if (count > kResourcesMax) return errors.too_many(field(path, name), count, kResourcesMax);
  }
  check_resource_names(limits, field(path, "limits"), errors);
  check_resource_names(resources["requests"], field(path, "requests"), errors);
  for (json::Node request : resources["requests"]) {
    const json::Node limit = limits[request.key()];
    if (!limit || !canonical_quantity(limit.string()) || !canonical_quantity(request.string()))
      continue;
    if (compare_quantities(request.string(), limit.string()) > 0)
      errors.invalid(
          field(path, "requests"), request,
          join({"must be less than or equal to ", request.key(), " limit of ", limit.string()}));
  }
}

void check_container(json::Node container, std::string_view path, PodRules& rules, Errors& errors) {
  const json::Node name = container["name"];
  if (!name.string().empty()) {
    check_label_name(name, field(path, "name"), errors);
    if (!rules.containers.insert(name.string()).second) errors.duplicate(field(path, "name"), name);
  }
  check_image(container, path, errors);
  check_ports(container["ports"], field(path, "ports"), rules, errors);
  check_env(container, path, errors);
  check_volume_mounts(container, field(path, "volumeMounts"), rules, errors);
  check_probes(container, path, errors);
  check_lifecycle(container["lifecycle"], field(path, "lifecycle"), errors);
  check_resources(container["resources"], field(path, "resources"), errors);
  check_container_security(container["securityContext"], field(path, "securityContext"), errors);
}

}  // namespace

void check_containers(json::Node containers,
                      std::string_view path,
                      PodRules& rules,
                      Errors& errors) {
  size_t index = 0;
  for (json::Node container : containers) {
    const std::string at = item(path, index++);
    check_container(container, at, rules, errors);
    if (says_something(container["restartPolicy"])) refuse(field(at, "restartPolicy"), errors);
  }
}

void check_init_containers(json::Node containers,
                           std::string_view path,
                           PodRules& rules,
                           Errors& errors) {
  size_t index = 0;
  for (json::Node container : containers) {
    const std::string at = item(path, index++);
    // They run one after the other: host ports do not clash.
    rules.host_ports.clear();
    check_container(container, at, rules, errors);
    const json::Node policy = container["restartPolicy"];
    const bool sidecar = policy.string() == "Always";
    if (says_something(policy) && !sidecar)
      errors.not_supported(field(at, "restartPolicy"), policy, "Always");
    if (sidecar) continue;
    for (std::string_view name : {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}) {
      if (container[name])
        errors.forbidden(field(at, name),
                         "may not be set for init containers without restartPolicy=Always");
    }
  }
  rules.host_ports.clear();
}

}  // namespace coracle::api
