// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "api/selector.h"
#include "base/bytes.h"
#include "base/ip.h"

namespace coracle::api {
namespace {

constexpr Field kNetworkPolicyPortFields[] = {
    text("protocol", 1).otherwise("\"TCP\"").one_of("SCTP|TCP|UDP"),
    int_or_string("port", 2),
    int32("endPort", 3).about("Last port of a range that begins at port."),
};
constexpr Message kNetworkPolicyPort{"io.k8s.api.networking.v1.NetworkPolicyPort",
                                     kNetworkPolicyPortFields};

constexpr Field kIPBlockFields[] = {
    text("cidr", 1).required(),
    list_of("except", 2, Type::kString),
};
constexpr Message kIPBlock{"io.k8s.api.networking.v1.IPBlock", kIPBlockFields};

constexpr Field kNetworkPolicyPeerFields[] = {
    object("podSelector", 1, kLabelSelector),
    object("namespaceSelector", 2, kLabelSelector),
    object("ipBlock", 3, kIPBlock),
};
constexpr Message kNetworkPolicyPeer{"io.k8s.api.networking.v1.NetworkPolicyPeer",
                                     kNetworkPolicyPeerFields};

constexpr Field kPortsField = list("ports", 1, kNetworkPolicyPort).about("Ports; none: all.");

constexpr Field kNetworkPolicyEgressRuleFields[] = {
    kPortsField,
    list("to", 2, kNetworkPolicyPeer).about("Where to; none: anywhere."),
};
constexpr Message kNetworkPolicyEgressRule{"io.k8s.api.networking.v1.NetworkPolicyEgressRule",
                                           kNetworkPolicyEgressRuleFields};

constexpr Field kNetworkPolicyIngressRuleFields[] = {
    kPortsField,
    list("from", 2, kNetworkPolicyPeer).about("Where from; none: anywhere."),
};
constexpr Message kNetworkPolicyIngressRule{"io.k8s.api.networking.v1.NetworkPolicyIngressRule",
                                            kNetworkPolicyIngressRuleFields};

constexpr Field kNetworkPolicySpecFields[] = {
    object("podSelector", 1, kLabelSelector).about("Pods that the policy is for; {} means all."),
    list("ingress", 2, kNetworkPolicyIngressRule).about("What may come in."),
    list("egress", 3, kNetworkPolicyEgressRule).about("What may go out."),
    list_of("policyTypes", 4, Type::kString).about("Ingress, Egress or both."),
};
constexpr Message kNetworkPolicySpec{"io.k8s.api.networking.v1.NetworkPolicySpec",
                                     kNetworkPolicySpecFields};

constexpr Field kNetworkPolicyFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kNetworkPolicySpec).about("Which Pods, and what may reach them."),
};
constexpr Message kNetworkPolicyMessage{
    "io.k8s.api.networking.v1.NetworkPolicy", kNetworkPolicyFields,
    "NetworkPolicy says who may talk to Pods. It is stored, but not enforced by Coracle yet."};

void selector_cell(json::Node policy, Wall, json::Writer& out) {
  const json::Node selector = policy["spec"]["podSelector"];
  const std::string text = LabelSelector::from_object(selector).text();
  out.value(!selector || text.empty() ? std::string("<none>") : text);
}

constexpr Column kColumns[] = {text_column("Pod-Selector", selector_cell), kAgeColumn};

// networking/v1 SetDefaults_NetworkPolicy
void fill_defaults(json::Node policy) {
  const json::Node spec = policy["spec"];
  if (!spec || spec["policyTypes"].size() > 0) return;
  spec.array("policyTypes").append("Ingress");
  if (spec["egress"]) spec["policyTypes"].append("Egress");
}

void check_ports(json::Node ports, std::string_view path, Errors& errors) {
  size_t index = 0;
  for (const json::Node each : ports) {
    const std::string at = item(path, index++);
    const json::Node port = each["port"];
    const json::Node end = each["endPort"];
    if (port) check_number_or_port_name(port, field(at, "port"), errors);
    if (!end) continue;
    if (!port) errors.required(field(at, "endPort"), "must be specified together with `port`");
    if (port.is_string())
      errors.invalid(field(at, "endPort"), end, "may not be specified when `port` is non-numeric");
    if (port.is_integer() && end.integer() < port.integer())
      errors.invalid(field(at, "endPort"), end, "must be greater than or equal to `port`");
  }
}

void check_block(json::Node block, std::string_view path, Errors& errors) {
  const std::string_view text = block["cidr"].string();
  const std::optional<Cidr4> cidr = parse_cidr4(text);
  if (!text.empty() && !cidr)
    errors.invalid(field(path, "cidr"), text,
                   "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
  size_t index = 0;
  for (const json::Node except : block["except"]) {
    const std::string at = item(field(path, "except"), index++);
    const std::optional<Cidr4> inner = parse_cidr4(except.string());
    if (!inner) {
      errors.invalid(at, except, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
    } else if (cidr && (inner->prefix <= cidr->prefix || !cidr->contains(inner->address))) {
      errors.invalid(at, except, join({"must be a strict subset of `cidr`: ", text}));
    }
  }
}

void check_peers(json::Node peers, std::string_view path, Errors& errors) {
  size_t index = 0;
  for (const json::Node peer : peers) {
    const std::string at = item(path, index++);
    const json::Node pods = peer["podSelector"];
    const json::Node namespaces = peer["namespaceSelector"];
    const json::Node block = peer["ipBlock"];
    if (pods) check_label_selector(pods, field(at, "podSelector"), errors);
    if (namespaces) check_label_selector(namespaces, field(at, "namespaceSelector"), errors);
    if (block) check_block(block, field(at, "ipBlock"), errors);
    if (!pods && !namespaces && !block) errors.required(at, "must specify a peer");
    if (block && (pods || namespaces))
      errors.forbidden(at, "may not specify both ipBlock and another peer");
  }
}

void validate(json::Node policy, Errors& errors) {
  const json::Node spec = policy["spec"];
  if (spec["podSelector"]) check_label_selector(spec["podSelector"], "spec.podSelector", errors);
  size_t index = 0;
  for (const json::Node rule : spec["ingress"]) {
    const std::string path = item("spec.ingress", index++);
    check_ports(rule["ports"], field(path, "ports"), errors);
    check_peers(rule["from"], field(path, "from"), errors);
  }
  index = 0;
  for (const json::Node rule : spec["egress"]) {
    const std::string path = item("spec.egress", index++);
    check_ports(rule["ports"], field(path, "ports"), errors);
    check_peers(rule["to"], field(path, "to"), errors);
  }
  index = 0;
  for (const json::Node type : spec["policyTypes"]) {
    if (!is_one_of(type.string(), "Egress|Ingress"))
      errors.not_supported(item("spec.policyTypes", index), type, "Egress|Ingress");
    ++index;
  }
}

// The proxy does not look at policies: whoever writes one is told so each time.
void warn(json::Node, std::string& out) {
  out += "NetworkPolicy is stored but not enforced by Coracle yet: all traffic is let through\n";
}

}  // namespace

constinit const Kind kNetworkPolicy{.group = "networking.k8s.io",
                                    .version = "v1",
                                    .name = "NetworkPolicy",
                                    .plural = "networkpolicies",
                                    .singular = "networkpolicy",
                                    .short_names = "netpol",
                                    .message = &kNetworkPolicyMessage,
                                    .columns = kColumns,
                                    .bumps_generation = true,
                                    .fill_defaults = fill_defaults,
                                    .validate = validate,
                                    .warn = warn};

}  // namespace coracle::api
