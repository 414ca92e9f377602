// SPDX-License-Identifier: GPL-2.0-or-later
// Ingress and IngressClass. Coracle has no ingress controller of its own: one that runs in Pods
// finds here what it serves.
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "api/processing.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kServiceBackendPortFields[] = {
    text("name", 1),
    int32("number", 2).or_zero(),
};
constexpr Message kServiceBackendPort{"io.k8s.api.networking.v1.ServiceBackendPort",
                                      kServiceBackendPortFields};

constexpr Field kIngressServiceBackendFields[] = {
    text("name", 1).required(),
    object("port", 2, kServiceBackendPort),
};
constexpr Message kIngressServiceBackend{"io.k8s.api.networking.v1.IngressServiceBackend",
                                         kIngressServiceBackendFields};

constexpr Field kIngressBackendFields[] = {
    object("resource", 3, kTypedLocalObjectReference),
    object("service", 4, kIngressServiceBackend),
};
constexpr Message kIngressBackend{"io.k8s.api.networking.v1.IngressBackend", kIngressBackendFields};

constexpr Field kHTTPIngressPathFields[] = {
    text("path", 1),
    object("backend", 2, kIngressBackend).listed(),
    text("pathType", 3).listed(),
};
constexpr Message kHTTPIngressPath{"io.k8s.api.networking.v1.HTTPIngressPath",
                                   kHTTPIngressPathFields};

constexpr Field kHTTPIngressRuleValueFields[] = {
    list("paths", 1, kHTTPIngressPath).listed(),
};
constexpr Message kHTTPIngressRuleValue{"io.k8s.api.networking.v1.HTTPIngressRuleValue",
                                        kHTTPIngressRuleValueFields};

constexpr Field kIngressRuleFields[] = {
    text("host", 1),
    object("http", 1, kHTTPIngressRuleValue).within(2),
};
constexpr Message kIngressRule{"io.k8s.api.networking.v1.IngressRule", kIngressRuleFields};

constexpr Field kIngressTLSFields[] = {
    list_of("hosts", 1, Type::kString),
    text("secretName", 2),
};
constexpr Message kIngressTLS{"io.k8s.api.networking.v1.IngressTLS", kIngressTLSFields};

constexpr Field kIngressSpecFields[] = {
    object("defaultBackend", 1, kIngressBackend),
    list("tls", 2, kIngressTLS),
    text("ingressClassName", 4).about("Class that says which controller serves it."),
    list("rules", 3, kIngressRule),
};
constexpr Message kIngressSpec{"io.k8s.api.networking.v1.IngressSpec", kIngressSpecFields};

constexpr Field kIngressPortStatusFields[] = {
    int32("port", 1).listed(),
    text("protocol", 2).listed(),
    text("error", 3),
};
constexpr Message kIngressPortStatus{"io.k8s.api.networking.v1.IngressPortStatus",
                                     kIngressPortStatusFields};

constexpr Field kIngressLoadBalancerIngressFields[] = {
    text("ip", 1),
    text("hostname", 2),
    list("ports", 4, kIngressPortStatus),
};
constexpr Message kIngressLoadBalancerIngress{"io.k8s.api.networking.v1.IngressLoadBalancerIngress",
                                              kIngressLoadBalancerIngressFields};

constexpr Field kIngressLoadBalancerStatusFields[] = {
    list("ingress", 1, kIngressLoadBalancerIngress),
};
constexpr Message kIngressLoadBalancerStatus{"io.k8s.api.networking.v1.IngressLoadBalancerStatus",
                                             kIngressLoadBalancerStatusFields};

constexpr Field kIngressStatusFields[] = {
    object("loadBalancer", 1, kIngressLoadBalancerStatus),
};
constexpr Message kIngressStatus{"io.k8s.api.networking.v1.IngressStatus", kIngressStatusFields};

constexpr Field kIngressFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kIngressSpec),
    object("status", 3, kIngressStatus),
};
constexpr Message kIngressMessage{"io.k8s.api.networking.v1.Ingress", kIngressFields};

constexpr Field kIngressClassParametersReferenceFields[] = {
    text("apiGroup", 1), text("kind", 2).listed(), text("name", 3).listed(),
    text("scope", 4),    text("namespace", 5),
};
constexpr Message kIngressClassParametersReference{
    "io.k8s.api.networking.v1.IngressClassParametersReference",
    kIngressClassParametersReferenceFields};

constexpr Field kIngressClassSpecFields[] = {
    text("controller", 1),
    object("parameters", 2, kIngressClassParametersReference),
};
constexpr Message kIngressClassSpec{"io.k8s.api.networking.v1.IngressClassSpec",
                                    kIngressClassSpecFields};

constexpr Field kIngressClassFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kIngressClassSpec),
};
constexpr Message kIngressClassMessage{"io.k8s.api.networking.v1.IngressClass",
                                       kIngressClassFields};

std::string hosts_of(json::Node ingress) {
  std::string shown;
  size_t count = 0;
  for (const json::Node rule : ingress["spec"]["rules"]) {
    if (rule["host"].string().empty()) continue;
    if (count++ < kShownMax) add_listed(shown, rule["host"].string());
  }
  return count == 0 ? "*" : shown_and_more(shown, count, kShownMax);
}

std::string addresses_of(json::Node ingress) {
  std::string text;
  for (const json::Node each : ingress["status"]["loadBalancer"]["ingress"]) {
    const std::string_view ip = each["ip"].string();
    add_listed(text, ip.empty() ? each["hostname"].string() : ip);
  }
  return text;
}

constexpr Column kColumns[] = {
    text_column("Class",
                [](json::Node o, Wall, json::Writer& out) {
                  out.value(o["spec"]["ingressClassName"].string("<none>"));
                }),
    text_column("Hosts", [](json::Node o, Wall, json::Writer& out) { out.value(hosts_of(o)); }),
    text_column("Address",
                [](json::Node o, Wall, json::Writer& out) { out.value(addresses_of(o)); }),
    text_column("Ports",
                [](json::Node o, Wall, json::Writer& out) {
                  out.value(o["spec"]["tls"].size() > 0 ? "80, 443" : "80");
                }),
    kAgeColumn,
};

void parameters_cell(json::Node object, Wall, json::Writer& out) {
  const json::Node parameters = object["spec"]["parameters"];
  if (!parameters) return out.value("<none>");
  const std::string_view group = parameters["apiGroup"].string();
  out.value(join({parameters["kind"].string(), group.empty() ? "" : ".", group, "/",
                  parameters["name"].string()}));
}

constexpr Column kClassColumns[] = {
    text_column("Controller", text_at<"spec.controller">),
    text_column("Parameters", parameters_cell),
    kAgeColumn,
};

void prepare(json::Node ingress, json::Node old) {
  if (old) return;
  ingress.remove("status");
  ingress.object("status").object("loadBalancer");
}

void check_backend(json::Node backend, std::string_view path, Errors& errors) {
  const json::Node service = backend["service"];
  const json::Node resource = backend["resource"];
  if (service && resource)
    return errors.invalid(path, path, "cannot set both resource and service backends");
  if (!service && !resource)
    return errors.required(path, "resource or service backend is required");
  if (!service) return;
  const std::string at = field(path, "service");
  const json::Node port = service["port"];
  const bool named = !port["name"].string().empty();
  const bool numbered = port["number"].integer() != 0;
  if (named && numbered)
    errors.invalid(at, at, "cannot set both port name & port number");
  else if (!named && !numbered)
    errors.required(at, "port name or number is required");
  if (numbered) is_port(port["number"], field(at, "port.number"), errors);
}

void check_paths(json::Node http, std::string_view path, Errors& errors) {
  const std::string paths = field(path, "paths");
  if (http["paths"].size() == 0) errors.required(paths);
  size_t index = 0;
  for (const json::Node each : http["paths"]) {
    const std::string at = item(paths, index++);
    const json::Node type = each["pathType"];
    const std::string_view text = each["path"].string();
    if (type.string().empty()) {
      errors.required(field(at, "pathType"), "pathType must be specified");
    } else if (!is_one_of(type.string(), "Exact|ImplementationSpecific|Prefix")) {
      errors.not_supported(field(at, "pathType"), type, "Exact|ImplementationSpecific|Prefix");
    } else if (type.string() != "ImplementationSpecific" && !text.starts_with("/")) {
      errors.invalid(field(at, "path"), text, "must be an absolute path");
    }
    check_backend(each["backend"], field(at, "backend"), errors);
  }
}

void check_host(json::Node host, std::string_view path, Errors& errors) {
  std::string_view name = host.string();
  if (name.empty()) return;
  if (name.starts_with("*.")) name.remove_prefix(2);
  const std::string problem = dns1123_subdomain_problem(name);
  if (!problem.empty()) errors.invalid(path, host, problem);
}

void validate(json::Node ingress, Errors& errors) {
  const json::Node spec = ingress["spec"];
  if (spec["rules"].size() == 0 && !spec["defaultBackend"])
    errors.invalid("spec", spec, "either `defaultBackend` or `rules` must be specified");
  if (spec["defaultBackend"]) check_backend(spec["defaultBackend"], "spec.defaultBackend", errors);
  size_t index = 0;
  for (const json::Node rule : spec["rules"]) {
    const std::string path = item("spec.rules", index++);
    check_host(rule["host"], field(path, "host"), errors);
    if (rule["http"]) check_paths(rule["http"], field(path, "http"), errors);
  }
  index = 0;
  for (const json::Node tls : spec["tls"]) {
    const std::string path = field(item("spec.tls", index++), "hosts");
    size_t at = 0;
    for (const json::Node host : tls["hosts"])
      check_host(host, item(path, at++), errors);
  }
  const json::Node name = spec["ingressClassName"];
  if (!name.string().empty()) check_subdomain_name(name, "spec.ingressClassName", errors);
}

void fill_class_defaults(json::Node object) {
  const json::Node parameters = object["spec"]["parameters"];
  if (parameters && parameters["scope"].string().empty()) parameters.set("scope", "Cluster");
}

void validate_class(json::Node object, Errors& errors) {
  const json::Node controller = object["spec"]["controller"];
  const json::Node parameters = object["spec"]["parameters"];
  if (!controller.string().empty() && controller.string().find('/') == std::string_view::npos)
    errors.invalid("spec.controller", controller,
                   "must be a domain-prefixed path (such as \"acme.io/foo\")");
  if (!parameters) return;
  for (std::string_view name : {"kind", "name"}) {
    if (parameters[name].string().empty()) errors.required(field("spec.parameters", name));
  }
  const json::Node scope = parameters["scope"];
  if (scope && !is_one_of(scope.string(), "Cluster|Namespace"))
    errors.not_supported("spec.parameters.scope", scope, "Cluster|Namespace");
}

void validate_class_update(json::Node object, json::Node old, Errors& errors) {
  check_immutable(object["spec"]["controller"], old["spec"]["controller"], "spec.controller",
                  errors);
}

}  // namespace

constinit const Kind kIngress{.group = "networking.k8s.io",
                              .version = "v1",
                              .name = "Ingress",
                              .plural = "ingresses",
                              .singular = "ingress",
                              .short_names = "ing",
                              .message = &kIngressMessage,
                              .columns = kColumns,
                              .subresources = bit(Subresource::kStatus),
                              .has_status = true,
                              .bumps_generation = true,
                              .prepare = prepare,
                              .validate = validate};

constinit const Kind kIngressClass{.group = "networking.k8s.io",
                                   .version = "v1",
                                   .name = "IngressClass",
                                   .plural = "ingressclasses",
                                   .singular = "ingressclass",
                                   .namespaced = false,
                                   .message = &kIngressClassMessage,
                                   .columns = kClassColumns,
                                   .bumps_generation = true,
                                   .fill_defaults = fill_class_defaults,
                                   .validate = validate_class,
                                   .validate_update = validate_class_update};

}  // namespace coracle::api
