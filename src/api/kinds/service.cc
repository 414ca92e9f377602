// SPDX-License-Identifier: GPL-2.0-or-later
#include <set>

#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/kinds/service_validation.h"
#include "api/meta.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kServicePortFields[] = {
    text("name", 1).about("Name of the port; needed if there is more than one."),
    text("protocol", 2).otherwise("\"TCP\"").one_of("SCTP|TCP|UDP").about("TCP, UDP or SCTP."),
    int32("port", 3).listed().must(is_port).about("Port number at the virtual IP."),
    int_or_string("targetPort", 4)
        .about("Number or name of the port on the Pods; the same as port if absent."),
    int32("nodePort", 5).or_zero().about("Port at the nodes, assigned by the server."),
    text("appProtocol", 6).about("Application protocol, as a hint."),
};
constexpr Message kServicePort{"io.k8s.api.core.v1.ServicePort", kServicePortFields,
                               "ServicePort is one port of a Service."};

constexpr Field kClientIPConfigFields[] = {
    int32("timeoutSeconds", 1)
        .about("Seconds after which a silent client is forgotten, at most 86400."),
};
constexpr Message kClientIPConfig{"io.k8s.api.core.v1.ClientIPConfig", kClientIPConfigFields,
                                  "ClientIPConfig holds the settings of ClientIP affinity."};

constexpr Field kSessionAffinityConfigFields[] = {
    object("clientIP", 1, kClientIPConfig).about("Settings of ClientIP affinity."),
};
constexpr Message kSessionAffinityConfig{
    "io.k8s.api.core.v1.SessionAffinityConfig", kSessionAffinityConfigFields,
    "SessionAffinityConfig holds the settings of a Service's session affinity."};

constexpr Field kPortStatusFields[] = {
    int32("port", 1).listed().about("Port number."),
    text("protocol", 2).listed().about("TCP, UDP or SCTP."),
    text("error", 3).about("What is wrong with the port, if anything."),
};
constexpr Message kPortStatus{"io.k8s.api.core.v1.PortStatus", kPortStatusFields,
                              "PortStatus is the state of a port of a load balancer."};

constexpr Field kLoadBalancerIngressFields[] = {
    text("ip", 1).about("Address, if it is known."),
    text("hostname", 2).about("Host name, if there is one."),
    text("ipMode", 3).about("Whether the address is that of the Service or of a proxy."),
    list("ports", 4, kPortStatus).about("State of the ports."),
};
constexpr Message kLoadBalancerIngress{"io.k8s.api.core.v1.LoadBalancerIngress",
                                       kLoadBalancerIngressFields,
                                       "LoadBalancerIngress is an address of a load balancer."};

constexpr Field kLoadBalancerStatusFields[] = {
    list("ingress", 1, kLoadBalancerIngress).about("Addresses that the load balancer listens on."),
};
constexpr Message kLoadBalancerStatus{"io.k8s.api.core.v1.LoadBalancerStatus",
                                      kLoadBalancerStatusFields,
                                      "LoadBalancerStatus is the state of a load balancer."};

constexpr Field kServiceSpecFields[] = {
    list("ports", 1, kServicePort)
        .keyed_by("port")
        .map_keys("port,protocol")
        .distinct()
        .about("Ports that the Service offers."),
    map_of("selector", 2, Type::kString)
        .about("Labels of the Pods that traffic goes to; without it, endpoints are kept by "
               "somebody else."),
    text("clusterIP", 3)
        .about("Virtual IP of the Service, assigned by the server; None for a headless Service."),
    text("type", 4)
        .otherwise("\"ClusterIP\"")
        .one_of("ClusterIP|ExternalName|LoadBalancer|NodePort")
        .about("ClusterIP, NodePort, LoadBalancer or ExternalName."),
    list_of("externalIPs", 5, Type::kString)
        .about("Addresses that somebody else leads to the nodes; they are served as well."),
    text("sessionAffinity", 7)
        .otherwise("\"None\"")
        .one_of("ClientIP|None")
        .about("ClientIP keeps a client with one endpoint; None spreads connections."),
    text("loadBalancerIP", 8).about("Wish for whoever provides the load balancer."),
    list_of("loadBalancerSourceRanges", 9, Type::kString)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    text("externalName", 10).about("For ExternalName: the DNS name that the Service stands for."),
    text("externalTrafficPolicy", 11)
        .one_of("Cluster|Local")
        .about("Cluster sends traffic from outside to all endpoints and hides who it comes from, "
               "Local only to those of the node that it reaches."),
    int32("healthCheckNodePort", 12).or_zero().about("Not supported by Coracle yet."),
    boolean("publishNotReadyAddresses", 13)
        .or_zero()
        .about("If true, endpoints count as ready from the start."),
    object("sessionAffinityConfig", 14, kSessionAffinityConfig)
        .about("Settings of the session affinity."),
    text("ipFamilyPolicy", 17).about("SingleStack; dual-stack is not supported by Coracle yet."),
    list_of("clusterIPs", 18, Type::kString)
        .about("Virtual IPs of the Service; the first equals clusterIP."),
    list_of("ipFamilies", 19, Type::kString).about("IP families of the Service: IPv4."),
    boolean("allocateLoadBalancerNodePorts", 20)
        .about("If false, a LoadBalancer gets no node ports."),
    text("loadBalancerClass", 21).about("Who provides the load balancer."),
    text("internalTrafficPolicy", 22)
        .one_of("Cluster|Local")
        .about("Cluster sends traffic to all endpoints, Local only to those of the same node."),
    text("trafficDistribution", 23).about("Preference for near endpoints, as a hint."),
};
constexpr Message kServiceSpec{"io.k8s.api.core.v1.ServiceSpec", kServiceSpecFields,
                               "ServiceSpec is the desired behaviour of a Service."};

constexpr Field kServiceStatusFields[] = {
    object("loadBalancer", 1, kLoadBalancerStatus)
        .about("State of the load balancer, if there is one."),
    list("conditions", 2, kCondition).keyed_by("type").about("Aspects of the current state."),
};
constexpr Message kServiceStatus{"io.k8s.api.core.v1.ServiceStatus", kServiceStatusFields,
                                 "ServiceStatus is the current state of a Service."};

constexpr Field kServiceFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kServiceSpec).about("Desired behaviour of the Service."),
    object("status", 3, kServiceStatus).about("Current state of the Service."),
};
constexpr Message kServiceMessage{
    "io.k8s.api.core.v1.Service", kServiceFields,
    "Service is a stable name and address in front of a set of Pods."};

void type_cell(json::Node service, Wall, json::Writer& out) {
  out.value(service["spec"]["type"].string());
}

void cluster_ip_cell(json::Node service, Wall, json::Writer& out) {
  const std::string_view ip = service["spec"]["clusterIPs"].first().string();
  out.value(ip.empty() ? "<none>" : ip);
}

// Sorted, and cut where it would make the table wide (printers, loadBalancerStatusStringer).
std::string load_balancer_text(json::Node status) {
  constexpr size_t kWidth = 16;
  std::set<std::string_view> names;
  for (json::Node ingress : status["loadBalancer"]["ingress"]) {
    const std::string_view ip = ingress["ip"].string(ingress["hostname"].string());
    if (!ip.empty()) names.insert(ip);
  }
  std::string text;
  for (const std::string_view name : names)
    add_listed(text, name);
  if (text.size() > kWidth) text.replace(kWidth - 3, std::string::npos, "...");
  return text;
}

void external_ip_cell(json::Node service, Wall, json::Writer& out) {
  const json::Node spec = service["spec"];
  if (spec["type"].string() == "ExternalName") return out.value(spec["externalName"].string());
  const bool balanced = spec["type"].string() == "LoadBalancer";
  std::string text = balanced ? load_balancer_text(service["status"]) : std::string();
  for (json::Node ip : spec["externalIPs"])
    add_listed(text, ip.string());
  if (text.empty()) text = balanced ? "<pending>" : "<none>";
  out.value(text);
}

void ports_cell(json::Node service, Wall, json::Writer& out) {
  std::string text;
  for (json::Node port : service["spec"]["ports"]) {
    std::string one = std::to_string(port["port"].integer());
    if (port["nodePort"].integer() > 0)
      one.append(":").append(std::to_string(port["nodePort"].integer()));
    add_listed(text, join({one, "/", port["protocol"].string()}));
  }
  out.value(text.empty() ? std::string("<none>") : text);
}

void selector_cell(json::Node service, Wall, json::Writer& out) {
  out.value(labels_text(service["spec"]["selector"]));
}

constexpr Column kColumns[] = {
    {.name = "Type", .cell = type_cell, .description = "How the Service is offered."},
    {.name = "Cluster-IP", .cell = cluster_ip_cell, .description = "Virtual IP."},
    {.name = "External-IP", .cell = external_ip_cell, .description = "Addresses from outside."},
    {.name = "Port(s)", .cell = ports_cell, .description = "Ports that the Service offers."},
    kAgeColumn,
    {.name = "Selector",
     .cell = selector_cell,
     .wide = true,
     .description = "Labels of the Pods behind it."},
};

constexpr SelectableField kSelectable[] = {
    {"spec.clusterIP",
     [](json::Node service) { return std::string(service["spec"]["clusterIP"].string()); }},
    {"spec.type", [](json::Node service) { return std::string(service["spec"]["type"].string()); }},
};

constexpr int64_t kAffinitySeconds = 10800;

void default_affinity(json::Node spec) {
  if (spec["sessionAffinity"].string() == "None") return spec.remove("sessionAffinityConfig");
  if (spec["sessionAffinity"].string() != "ClientIP") return;
  if (spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"]) return;
  const json::Node client_ip = spec.object("sessionAffinityConfig").object("clientIP");
  client_ip.set("timeoutSeconds", kAffinitySeconds);
}

void default_target_port(json::Node port) {
  const json::Node target = port["targetPort"];
  const bool empty = target.is_string() ? target.string().empty() : target.integer() == 0;
  if (empty) port.set("targetPort", port["port"]);
}

// Reachable from outside the cluster (pkg/apis/core, ExternallyAccessible).
bool is_external(json::Node spec) {
  const std::string_view type = spec["type"].string();
  return type == "LoadBalancer" || type == "NodePort" ||
         (type == "ClusterIP" && spec["externalIPs"].size() > 0);
}

void fill_defaults(json::Node service) {
  const json::Node spec = service["spec"];
  default_affinity(spec);
  for (json::Node port : spec["ports"])
    default_target_port(port);
  if (spec["type"].string() == "ExternalName") return;
  if (is_external(spec) && spec["externalTrafficPolicy"].string().empty())
    spec.set("externalTrafficPolicy", "Cluster");
  if (spec["type"].string() == "LoadBalancer" && !spec["allocateLoadBalancerNodePorts"])
    spec.set("allocateLoadBalancerNodePorts", true);
  if (!spec["internalTrafficPolicy"]) spec.set("internalTrafficPolicy", "Cluster");
  if (!spec["ipFamilyPolicy"]) spec.set("ipFamilyPolicy", "SingleStack");
  if (spec["ipFamilies"].size() == 0) spec.array("ipFamilies").append("IPv4");
}

// clusterIP and the first of clusterIPs say the same (pkg/registry/core/service, strategy.go).
void align_cluster_ips(json::Node spec) {
  const std::string ip(spec["clusterIP"].string());
  if (ip.empty() || spec["clusterIPs"].size() > 0) return;
  spec.array("clusterIPs").append(ip);
}

// An update that leaves the address out keeps it; one that changes it to or from ExternalName
// takes along what belongs to the old type.
void keep_cluster_ips(json::Node spec, json::Node old) {
  if (spec["type"].string() == "ExternalName") {
    if (old["type"].string() == "ExternalName") return;
    for (std::string_view name :
         {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"}) {
      if (json::equal(spec[name], old[name])) spec.remove(name);
    }
    return;
  }
  if (old["clusterIP"].string().empty()) return;
  if (spec["clusterIP"].string().empty() && spec["clusterIPs"].size() == 0)
    spec.set("clusterIP", old["clusterIP"]);
  const bool same = spec["clusterIP"].string() == old["clusterIP"].string();
  if (same && spec["clusterIPs"].size() == 0) spec.set("clusterIPs", old["clusterIPs"]);
  // Only clusterIP was changed: clusterIPs follows.
  if (!same && json::equal(spec["clusterIPs"], old["clusterIPs"])) spec.remove("clusterIPs");
}

bool needs_node_ports(json::Node spec) {
  if (spec["type"].string() == "NodePort") return true;
  return spec["type"].string() == "LoadBalancer" &&
         spec["allocateLoadBalancerNodePorts"].boolean(true);
}

bool uses_node_port(json::Node ports, int64_t node_port) {
  for (const json::Node port : ports) {
    if (port["nodePort"].integer() == node_port) return true;
  }
  return false;
}

// Ports that an update leaves without one keep theirs, by name; a type that has none drops those
// that it did not change (pkg/registry/core/service, patchAllocatedValues,
// dropTypeDependentFields).
void keep_node_ports(json::Node spec, json::Node old) {
  if (!needs_node_ports(old)) return;
  if (needs_node_ports(spec)) {
    for (json::Node port : spec["ports"]) {
      if (port["nodePort"].integer() != 0) continue;
      for (const json::Node before : old["ports"]) {
        const int64_t taken = before["nodePort"].integer();
        const bool same = before["name"].string() == port["name"].string();
        if (same && taken != 0 && !uses_node_port(spec["ports"], taken))
          port.set("nodePort", taken);
      }
    }
    return;
  }
  for (json::Node port : spec["ports"]) {
    if (uses_node_port(old["ports"], port["nodePort"].integer())) port.remove("nodePort");
  }
}

void drop_what_the_type_had(json::Node service, json::Node old) {
  const json::Node spec = service["spec"];
  const json::Node before = old["spec"];
  const auto drop_same = [&](std::string_view name) {
    if (spec[name] && json::equal(spec[name], before[name])) spec.remove(name);
  };
  if (is_external(before) && !is_external(spec)) drop_same("externalTrafficPolicy");
  if (before["type"].string() != "LoadBalancer" || spec["type"].string() == "LoadBalancer") return;
  drop_same("allocateLoadBalancerNodePorts");
  drop_same("loadBalancerClass");
  if (service["status"]["loadBalancer"]) service["status"].object("loadBalancer").clear();
}

void prepare(json::Node service, json::Node old) {
  if (old) {
    keep_cluster_ips(service["spec"], old["spec"]);
    keep_node_ports(service["spec"], old["spec"]);
    drop_what_the_type_had(service, old);
  } else {
    service.remove("status");
    service.object("status").object("loadBalancer");
  }
  align_cluster_ips(service["spec"]);
}

}  // namespace

constinit const Kind kService{.group = "",
                              .version = "v1",
                              .name = "Service",
                              .plural = "services",
                              .singular = "service",
                              .short_names = "svc",
                              .categories = "all",
                              .message = &kServiceMessage,
                              .columns = kColumns,
                              .selectable = kSelectable,
                              .subresources = bit(Subresource::kStatus),
                              .name_rule = NameRule::kDns1035Label,
                              .has_status = true,
                              .allow_create_on_update = true,
                              .fill_defaults = fill_defaults,
                              .prepare = prepare,
                              .validate = validate_service,
                              .validate_update = validate_service_update};

}  // namespace coracle::api
