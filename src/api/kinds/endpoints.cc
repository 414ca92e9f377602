// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "base/bytes.h"
#include "base/ip.h"

namespace coracle::api {
namespace {

constexpr Field kEndpointAddressFields[] = {
    text("ip", 1).required().about("The address."),
    object("targetRef", 2, kObjectReference).about("The object behind the address, mostly a Pod."),
    text("hostname", 3).about("Host name of this endpoint."),
    text("nodeName", 4).about("Node that the endpoint runs on."),
};
constexpr Message kEndpointAddress{"io.k8s.api.core.v1.EndpointAddress", kEndpointAddressFields,
                                   "EndpointAddress is one IP address."};

constexpr Field kEndpointPortFields[] = {
    text("name", 1).about(
        "Name of the Service port it belongs to; may be empty if there is one port only."),
    int32("port", 2).listed().must(is_port).about("Port number."),
    text("protocol", 3).otherwise("\"TCP\"").one_of("SCTP|TCP|UDP").about("TCP, UDP or SCTP."),
    text("appProtocol", 4).about("Application protocol, as a hint."),
};
constexpr Message kEndpointPort{"io.k8s.api.core.v1.EndpointPort", kEndpointPortFields,
                                "EndpointPort is one port of a subset."};

constexpr Field kEndpointSubsetFields[] = {
    list("addresses", 1, kEndpointAddress).about("Addresses that are ready to serve."),
    list("notReadyAddresses", 2, kEndpointAddress).about("Addresses that are not, or not yet."),
    list("ports", 3, kEndpointPort).about("Ports of all the addresses."),
};
constexpr Message kEndpointSubset{"io.k8s.api.core.v1.EndpointSubset", kEndpointSubsetFields,
                                  "EndpointSubset is every address combined with every port."};

constexpr Field kEndpointsFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    list("subsets", 2, kEndpointSubset).about("Sets of addresses with the ports that they share."),
};
constexpr Message kEndpointsMessage{
    "io.k8s.api.core.v1.Endpoints", kEndpointsFields,
    "Endpoints lists the addresses behind a Service; EndpointSlice is its successor."};

// At most three "address:port" pairs, and how many there are.
class Listing {
 public:
  void add(std::string_view address, std::string_view port) {
    if (count_++ >= kShownMax) return;
    add_listed(text_, port.empty() ? std::string(address) : join({address, ":", port}));
  }
  std::string text() const { return count_ == 0 ? "" : shown_and_more(text_, count_, kShownMax); }

 private:
  std::string text_;
  size_t count_ = 0;
};

void list_subset(json::Node subset, Listing& listing) {
  for (json::Node port : subset["ports"]) {
    const std::string number = std::to_string(port["port"].integer());
    for (json::Node address : subset["addresses"])
      listing.add(address["ip"].string(), number);
  }
  if (subset["ports"].size() > 0) return;
  for (json::Node address : subset["addresses"])
    listing.add(address["ip"].string(), {});
}

void endpoints_cell(json::Node object, Wall, json::Writer& out) {
  if (object["subsets"].size() == 0) return out.value("<none>");
  Listing listing;
  for (json::Node subset : object["subsets"])
    list_subset(subset, listing);
  out.value(listing.text());
}

constexpr Column kColumns[] = {
    {.name = "Endpoints", .cell = endpoints_cell, .description = "Addresses that are ready."},
    kAgeColumn,
};

// An address that only means something to its own node cannot be an endpoint.
void check_address(json::Node address, std::string_view path, Errors& errors) {
  const json::Node ip = address["ip"];
  if (ip.string().empty()) return;  // required: declared
  const std::string at = field(path, "ip");
  const std::optional<Ip4> parsed = parse_ip4(ip.string());
  if (!parsed) return check_ip(ip, at, errors);
  if (parsed->value == 0) errors.invalid(at, ip, "may not be unspecified (0.0.0.0 or ::)");
  if (parsed->value >> 24 == 127)
    errors.invalid(at, ip, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
  if (parsed->value >> 16 == 0xA9FE)
    errors.invalid(at, ip, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  if (parsed->value >> 8 == 0xE00000)
    errors.invalid(at, ip,
                   "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
}

void check_addresses(json::Node addresses, std::string_view path, Errors& errors) {
  size_t index = 0;
  for (json::Node address : addresses) {
    const std::string at = item(path, index++);
    check_address(address, at, errors);
    if (address["hostname"]) check_label_name(address["hostname"], field(at, "hostname"), errors);
    if (address["nodeName"])
      check_subdomain_name(address["nodeName"], field(at, "nodeName"), errors);
  }
}

void check_ports(json::Node ports, std::string_view path, Errors& errors) {
  size_t index = 0;
  for (json::Node port : ports) {
    const std::string at = item(path, index++);
    const json::Node name = port["name"];
    if (!name.string().empty()) check_label_name(name, field(at, "name"), errors);
    if (name.string().empty() && ports.size() > 1) errors.required(field(at, "name"));
    if (!port["port"])
      errors.invalid(field(at, "port"), int64_t{0}, "must be between 1 and 65535, inclusive");
  }
}

void validate(json::Node object, Errors& errors) {
  size_t index = 0;
  for (json::Node subset : object["subsets"]) {
    const std::string path = item("subsets", index++);
    if (subset["addresses"].size() + subset["notReadyAddresses"].size() == 0)
      errors.required(path, "must specify `addresses` or `notReadyAddresses`");
    check_addresses(subset["addresses"], field(path, "addresses"), errors);
    check_addresses(subset["notReadyAddresses"], field(path, "notReadyAddresses"), errors);
    check_ports(subset["ports"], field(path, "ports"), errors);
  }
}

}  // namespace

constinit const Kind kEndpoints{.group = "",
                                .version = "v1",
                                .name = "Endpoints",
                                .plural = "endpoints",
                                .singular = "endpoints",
                                .short_names = "ep",
                                .message = &kEndpointsMessage,
                                .columns = kColumns,
                                .allow_create_on_update = true,
                                .validate = validate};

}  // namespace coracle::api
