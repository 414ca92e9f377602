// SPDX-License-Identifier: GPL-2.0-or-later
#include <set>

#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "base/bytes.h"
#include "base/ip.h"

namespace coracle::api {
namespace {

constexpr Field kEndpointConditionsFields[] = {
    boolean("ready", 1).about("Ready for new connections; absent counts as ready."),
    boolean("serving", 2)
        .about("Like ready, but also true while an endpoint that still serves is terminating."),
    boolean("terminating", 3).about("The endpoint is going away."),
};
constexpr Message kEndpointConditions{
    "io.k8s.api.discovery.v1.EndpointConditions", kEndpointConditionsFields,
    "EndpointConditions tells whether an endpoint should get traffic."};

constexpr Field kForNodeFields[] = {
    text("name", 1).required().about("Name of the node."),
};
constexpr Message kForNode{"io.k8s.api.discovery.v1.ForNode", kForNodeFields,
                           "ForNode names a node that should use an endpoint."};

constexpr Field kForZoneFields[] = {
    text("name", 1).required().about("Name of the zone."),
};
constexpr Message kForZone{"io.k8s.api.discovery.v1.ForZone", kForZoneFields,
                           "ForZone names a zone that should use an endpoint."};

constexpr Field kEndpointHintsFields[] = {
    list("forZones", 1, kForZone).about("Zones that should use the endpoint."),
    list("forNodes", 2, kForNode).about("Nodes that should use the endpoint."),
};
constexpr Message kEndpointHints{"io.k8s.api.discovery.v1.EndpointHints", kEndpointHintsFields,
                                 "EndpointHints tells which consumers should prefer an endpoint."};

constexpr Field kEndpointFields[] = {
    list_of("addresses", 1, Type::kString)
        .listed()
        .set()
        .about("Addresses of the endpoint; the first is used."),
    object("conditions", 2, kEndpointConditions).about("Whether the endpoint should get traffic."),
    text("hostname", 3).about("Host name of the endpoint."),
    object("targetRef", 4, kObjectReference).about("The object behind the endpoint, mostly a Pod."),
    map_of("deprecatedTopology", 5, Type::kString).about("Not used any more."),
    text("nodeName", 6).about("Node that hosts the endpoint."),
    text("zone", 7).about("Zone that the endpoint is in."),
    object("hints", 8, kEndpointHints).about("Which consumers should prefer this endpoint."),
};
constexpr Message kEndpoint{"io.k8s.api.discovery.v1.Endpoint", kEndpointFields,
                            "Endpoint is one backend of a Service."};

constexpr Field kEndpointPortFields[] = {
    text("name", 1).otherwise("\"\"").about("Name of the Service port it belongs to."),
    text("protocol", 2).otherwise("\"TCP\"").one_of("SCTP|TCP|UDP").about("TCP, UDP or SCTP."),
    int32("port", 3).about("Port number; absent means all ports."),
    text("appProtocol", 4).about("Application protocol, as a hint."),
};
constexpr Message kEndpointPort{"io.k8s.api.discovery.v1.EndpointPort", kEndpointPortFields,
                                "EndpointPort is a port that every endpoint of a slice offers."};

constexpr Field kEndpointSliceFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    list("endpoints", 2, kEndpoint).about("The endpoints, at most 1000."),
    list("ports", 3, kEndpointPort).about("Ports that every endpoint offers, at most 100."),
    text("addressType", 4)
        .required()
        .one_of("FQDN|IPv4|IPv6")
        .about("Kind of all the addresses: IPv4, IPv6 or FQDN."),
};
constexpr Message kEndpointSliceMessage{"io.k8s.api.discovery.v1.EndpointSlice",
                                        kEndpointSliceFields,
                                        "EndpointSlice lists some of the endpoints of a Service."};

void address_type_cell(json::Node slice, Wall, json::Writer& out) {
  out.value(slice["addressType"].string());
}

std::string port_text(json::Node port) {
  if (port["port"]) return std::to_string(port["port"].integer());
  const std::string_view name = port["name"].string();
  return name.empty() ? "*" : std::string(name);
}

void ports_cell(json::Node slice, Wall, json::Writer& out) {
  const json::Node ports = slice["ports"];
  if (ports.size() == 0) return out.value("<unset>");
  std::string shown;
  size_t count = 0;
  for (json::Node port : ports) {
    if (count++ < kShownMax) add_listed(shown, port_text(port));
  }
  out.value(shown_and_more(shown, count, kShownMax));
}

void endpoints_cell(json::Node slice, Wall, json::Writer& out) {
  if (slice["endpoints"].size() == 0) return out.value("<unset>");
  std::string shown;
  size_t count = 0;
  for (json::Node endpoint : slice["endpoints"]) {
    for (json::Node address : endpoint["addresses"]) {
      if (count++ < kShownMax) add_listed(shown, address.string());
    }
  }
  out.value(shown_and_more(shown, count, kShownMax));
}

constexpr Column kColumns[] = {
    {.name = "AddressType", .cell = address_type_cell, .description = "Kind of the addresses."},
    {.name = "Ports", .cell = ports_cell, .description = "Ports of every endpoint."},
    {.name = "Endpoints", .cell = endpoints_cell, .description = "Addresses of the endpoints."},
    kAgeColumn,
};

constexpr size_t kEndpointsMax = 1000;
constexpr size_t kAddressesMax = 100;
constexpr size_t kPortsMax = 100;

// There is no spec: the generation counts changes of everything but the metadata.
void prepare(json::Node slice, json::Node old) {
  const json::Node metadata = slice.object("metadata");
  if (!old) {
    metadata.set("generation", 1);
    return;
  }
  bool same = true;
  for (std::string_view name : {"addressType", "endpoints", "ports"}) {
    const bool absent = slice[name].size() + old[name].size() == 0;
    same = same && (json::equal(slice[name], old[name]) || (absent && name != "addressType"));
  }
  metadata.set("generation", old["metadata"]["generation"].integer() + (same ? 0 : 1));
}

void check_address(std::string_view type,
                   json::Node address,
                   std::string_view path,
                   Errors& errors) {
  const bool fits = type == "IPv4"   ? parse_ip4(address.string()).has_value()
                    : type == "IPv6" ? address.string().find(':') != std::string_view::npos
                                     : true;
  if (!fits) return errors.invalid(path, address, join({"must be a valid ", type, " address"}));
  if (type == "FQDN") check_subdomain_name(address, path, errors);
}

void check_endpoint(json::Node slice, json::Node endpoint, std::string_view path, Errors& errors) {
  const json::Node addresses = endpoint["addresses"];
  const std::string list = field(path, "addresses");
  if (addresses.size() == 0) errors.required(list, "must contain at least 1 address");
  if (addresses.size() > kAddressesMax) errors.too_many(list, addresses.size(), kAddressesMax);
  size_t index = 0;
  for (json::Node address : addresses)
    check_address(slice["addressType"].string(), address, item(list, index++), errors);
  if (endpoint["hostname"]) check_label_name(endpoint["hostname"], field(path, "hostname"), errors);
  if (endpoint["nodeName"])
    check_subdomain_name(endpoint["nodeName"], field(path, "nodeName"), errors);
}

void check_ports(json::Node ports, Errors& errors) {
  if (ports.size() > kPortsMax) errors.too_many("ports", ports.size(), kPortsMax);
  std::set<std::string_view> names;
  size_t index = 0;
  for (json::Node port : ports) {
    const std::string path = item("ports", index++);
    const json::Node name = port["name"];
    if (!names.insert(name.string()).second) errors.duplicate(field(path, "name"), name);
    if (!name.string().empty()) check_label_name(name, field(path, "name"), errors);
  }
}

void validate(json::Node slice, Errors& errors) {
  const json::Node endpoints = slice["endpoints"];
  if (endpoints.size() > kEndpointsMax)
    return errors.too_many("endpoints", endpoints.size(), kEndpointsMax);
  size_t index = 0;
  for (json::Node endpoint : endpoints)
    check_endpoint(slice, endpoint, item("endpoints", index++), errors);
  check_ports(slice["ports"], errors);
}

void validate_update(json::Node slice, json::Node old, Errors& errors) {
  check_immutable(slice["addressType"], old["addressType"], "addressType", errors);
}

}  // namespace

constinit const Kind kEndpointSlice{.group = "discovery.k8s.io",
                                    .version = "v1",
                                    .name = "EndpointSlice",
                                    .plural = "endpointslices",
                                    .singular = "endpointslice",
                                    .message = &kEndpointSliceMessage,
                                    .columns = kColumns,
                                    .prepare = prepare,
                                    .validate = validate,
                                    .validate_update = validate_update};

}  // namespace coracle::api
