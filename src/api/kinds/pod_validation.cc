// SPDX-License-Identifier: GPL-2.0-or-later
// PodSpecs and templates (kubernetes pkg/apis/core/validation, ValidatePodSpec).
#include "api/kinds/pod_validation.h"

#include "api/kinds/checks.h"
#include "api/kinds/pod_template.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr size_t kNameServersMax = 3;
constexpr size_t kSearchesMax = 32;

void check_dns(json::Node spec, std::string_view path, Errors& errors) {
  const json::Node config = spec["dnsConfig"];
  const std::string at = field(path, "dnsConfig");
  const json::Node servers = config["nameservers"];
  const bool alone = spec["dnsPolicy"].string() == "None";
  if (alone && !config)
    return errors.required(at, "must provide `dnsConfig` when `dnsPolicy` is None");
  if (alone && servers.size() == 0)
    errors.required(field(at, "nameservers"),
                    "must provide at least one DNS nameserver when `dnsPolicy` is None");
  if (servers.size() > kNameServersMax)
    errors.invalid(field(at, "nameservers"), servers, "must not have more than 3 nameservers");
  if (config["searches"].size() > kSearchesMax)
    errors.invalid(field(at, "searches"), config["searches"],
                   "must not have more than 32 search paths");
  size_t index = 0;
  for (json::Node server : servers)
    check_ip(server, item(field(at, "nameservers"), index++), errors);
}

void check_host_aliases(json::Node aliases, std::string_view path, Errors& errors) {
  size_t index = 0;
  for (json::Node alias : aliases) {
    const std::string at = item(path, index++);
    if (!alias["ip"].string().empty()) check_ip(alias["ip"], field(at, "ip"), errors);
    size_t name = 0;
    for (json::Node host : alias["hostnames"])
      check_subdomain_name(host, item(field(at, "hostnames"), name++), errors);
  }
}

void check_names(json::Node spec, std::string_view path, Errors& errors) {
  for (std::string_view name : {"hostname", "subdomain"}) {
    if (says_something(spec[name])) check_label_name(spec[name], field(path, name), errors);
  }
  for (std::string_view name : {"nodeName", "serviceAccountName", "schedulerName"}) {
    if (says_something(spec[name])) check_subdomain_name(spec[name], field(path, name), errors);
  }
}

void check_single_fields(json::Node spec, std::string_view path, Errors& errors) {
  const json::Node deadline = spec["activeDeadlineSeconds"];
  if (deadline && (deadline.integer() < 1 || deadline.integer() > INT32_MAX))
    errors.invalid(field(path, "activeDeadlineSeconds"), deadline,
                   "must be between 1 and 2147483647, inclusive");
  if (spec["os"]["name"].string() == "windows") refuse(field(path, "os.name"), errors);
  if (spec["hostUsers"] && !spec["hostUsers"].boolean()) refuse(field(path, "hostUsers"), errors);
}

// Of two variables of one name the later counts, and merge patches keep only one.
void warn_of_duplicates(json::Node env, std::string_view path, std::string& out) {
  std::set<std::string_view> seen;
  size_t index = 0;
  for (json::Node variable : env) {
    const std::string at = item(path, index++);
    if (seen.insert(variable["name"].string()).second) continue;
    if (!out.empty()) out += '\n';
    out += join({at, ": hides previous definition of \"", variable["name"].string(),
                 "\", which may be dropped when using apply"});
  }
}

}  // namespace

void validate_pod_spec(json::Node spec, std::string_view path, Errors& errors) {
  PodRules rules;
  rules.host_network = spec["hostNetwork"].boolean();
  check_volumes(spec["volumes"], field(path, "volumes"), rules, errors);
  check_containers(spec["containers"], field(path, "containers"), rules, errors);
  check_init_containers(spec["initContainers"], field(path, "initContainers"), rules, errors);
  check_single_fields(spec, path, errors);
  check_dns(spec, path, errors);
  check_names(spec, path, errors);
  check_host_aliases(spec["hostAliases"], field(path, "hostAliases"), errors);
  check_pod_security(spec["securityContext"], field(path, "securityContext"), errors);
  check_scheduling(spec, path, errors);
}

void validate_pod_template(json::Node pod_template, std::string_view path, Errors& errors) {
  const std::string metadata = field(path, "metadata");
  check_labels(pod_template["metadata"]["labels"], field(metadata, "labels"), errors);
  for (json::Node annotation : pod_template["metadata"]["annotations"])
    check_qualified_name_text(annotation.key(), field(metadata, "annotations"), errors);
  if (!pod_template["spec"]) return errors.required(field(path, "spec.containers"));
  validate_pod_spec(pod_template["spec"], field(path, "spec"), errors);
}

void warn_of_pod_spec(json::Node spec, std::string_view path, std::string& out) {
  for (std::string_view list : {"initContainers", "containers"}) {
    size_t index = 0;
    for (json::Node container : spec[list]) {
      const std::string at = item(field(path, list), index++);
      warn_of_duplicates(container["env"], field(at, "env"), out);
    }
  }
}

}  // namespace coracle::api
