// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/dns_zone.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace coracle::proxy {
namespace {

constexpr uint32_t kTtl = 5;  // seconds; what CoreDNS gives names of the cluster
constexpr std::string_view kSchema = "1.1.0";
constexpr int kAliasesMax = 8;
constexpr size_t kRecordsMax = 1024;

using Labels = std::vector<std::string>;

bool ends_with(const Labels& labels, const Labels& end) {
  return labels.size() >= end.size() && std::equal(end.rbegin(), end.rend(), labels.rbegin());
}

Labels without_last(const Labels& labels, size_t count) {
  return {labels.begin(), labels.end() - static_cast<std::ptrdiff_t>(count)};
}

// The last labels of a name in wire form.
std::string suffix_of(std::string_view wire, size_t labels) {
  const size_t all = labels_of(wire).size();
  size_t at = 0;
  for (size_t i = labels; i < all; ++i)
    at += size_t{1} + static_cast<uint8_t>(wire[at]);
  return std::string(wire.substr(at));
}

std::optional<Ip4> reverse_address(const Labels& labels) {
  if (labels.size() != 6 || labels[4] != "in-addr" || labels[5] != "arpa") return std::nullopt;
  return parse_ip4(join({labels[3], ".", labels[2], ".", labels[1], ".", labels[0]}));
}

std::string protocol_label(json::Node port) {
  std::string label = "_";
  for (const char c : port["protocol"].string("TCP"))
    label.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  return label;
}

// Empty words mean any; only named ports have a name of their own.
bool fits(json::Node port, std::string_view name, std::string_view protocol) {
  if (!protocol.empty() && protocol_label(port) != protocol) return false;
  return name.empty() || (name.size() > 1 && name.substr(1) == port["name"].string());
}

std::string srv_data(int64_t port, std::string_view target) {
  std::string data;
  put_u16(data, 0);    // priority
  put_u16(data, 100);  // weight
  put_u16(data, static_cast<uint16_t>(port));
  return data.append(target);
}

DnsRecord address_record(Ip4 address, std::string owner = {}) {
  return {std::move(owner), dns_type::kA, kTtl, address_bytes(address)};
}

template <class Use>
void for_each_ready(const api::State& state,
                    const SliceIndex& index,
                    const ServiceName& service,
                    Use use) {
  const std::set<std::string>* names = index.slices_of(service);
  if (names == nullptr) return;
  for (const std::string& name : *names) {
    const api::ObjectRef slice = state.get(api::kEndpointSlice, service.ns, name);
    if (!slice) continue;
    json::Tree tree;
    const json::Node root = slice->parse(tree);
    if (root["addressType"].string() != "IPv4") continue;
    for (const json::Node endpoint : root["endpoints"]) {
      const auto address = parse_ip4(endpoint["addresses"].at(0).string());
      if (address && endpoint["conditions"]["ready"].boolean(true))
        use(root, endpoint_name(endpoint, *address), *address);
    }
  }
}

bool add_new(std::vector<DnsRecord>& records, DnsRecord record) {
  const bool known = std::any_of(records.begin(), records.end(), [&record](const DnsRecord& old) {
    return old.type == record.type && old.data == record.data && old.owner == record.owner;
  });
  if (known || records.size() >= kRecordsMax) return false;
  records.push_back(std::move(record));
  return true;
}

}  // namespace

struct DnsZone::Found {
  bool exists = false;
  std::vector<DnsRecord> records;     // of every type
  std::vector<DnsRecord> additional;  // addresses of the targets of SRV records

  void add(uint16_t type, std::string data) {
    exists = true;
    records.push_back({{}, type, kTtl, std::move(data)});
  }
};

DnsZone::DnsZone(api::Client& client, const SliceIndex& slices, DnsZoneOptions options)
    : client_(client),
      slices_(slices),
      options_(std::move(options)),
      origin_(wire_name(options_.domain)),
      reverse_(client) {
  domain_ = labels_of(origin_);
}

std::optional<DnsAnswer> DnsZone::answer(const DnsQuestion& question) {
  const Labels labels = labels_of(question.name);
  if (!domain_.empty() && ends_with(labels, domain_)) {
    const Labels inside = without_last(labels, domain_.size());
    const bool service = !inside.empty() && inside.back() == "svc";
    Found found = service ? find_service(without_last(inside, 1), question.type) : find(inside);
    DnsAnswer answer = choose(std::move(found), question, origin_);
    if (follow(answer, question.type)) return answer;
    return DnsAnswer{Rcode::kServerFailure, true, {}, {}, {}};
  }
  const std::optional<Ip4> address = reverse_address(labels);
  if (!address) return std::nullopt;
  for (const Cidr4& cidr : {options_.service_cidr, options_.pod_cidr}) {
    if (!cidr.contains(*address)) continue;
    const size_t zone = size_t{2} + std::clamp(cidr.prefix / 8, 0, 4);
    return choose(find_reverse(labels), question, suffix_of(question.name, zone));
  }
  return std::nullopt;
}

DnsAnswer DnsZone::choose(Found found, const DnsQuestion& question, std::string zone) {
  DnsAnswer answer;
  for (DnsRecord& record : found.records) {
    const bool alias = record.type == dns_type::kCname;
    if (alias || record.type == question.type || question.type == dns_type::kAny)
      answer.answers.push_back(std::move(record));
  }
  if (question.type == dns_type::kSrv) answer.additional = std::move(found.additional);
  if (answer.answers.size() > 1) {
    const auto first =
        answer.answers.begin() + static_cast<std::ptrdiff_t>(turn_++ % answer.answers.size());
    std::rotate(answer.answers.begin(), first, answer.answers.end());
  }
  if (!answer.answers.empty()) return answer;
  if (!found.exists) answer.rcode = Rcode::kNoSuchName;
  answer.authority.push_back(start_of_authority(std::move(zone)));
  return answer;
}

// An alias to another name of the cluster is answered whole. False: they go in a circle.
bool DnsZone::follow(DnsAnswer& answer, uint16_t type) {
  if (type == dns_type::kCname || type == dns_type::kAny) return true;
  for (int i = 0; i < kAliasesMax; ++i) {
    if (answer.answers.empty() || answer.answers.back().type != dns_type::kCname) return true;
    const std::string target = answer.answers.back().data;
    const Labels labels = labels_of(target);
    if (!ends_with(labels, domain_)) return true;
    const Labels inside = without_last(labels, domain_.size());
    const bool service = !inside.empty() && inside.back() == "svc";
    Found found = service ? find_service(without_last(inside, 1), type) : find(inside);
    DnsAnswer next = choose(std::move(found), {target, type, 1}, origin_);
    for (DnsRecord& record : next.answers) {
      record.owner = target;
      answer.answers.push_back(std::move(record));
    }
    if (next.answers.empty()) {
      answer.rcode = next.rcode;
      answer.authority = std::move(next.authority);
      return true;
    }
  }
  return false;
}

DnsRecord DnsZone::start_of_authority(std::string zone) const {
  std::string data = wire_name(join({"ns.dns.", options_.domain}));
  data.append(wire_name(join({"hostmaster.", options_.domain})));
  put_u32_big(data, static_cast<uint32_t>(client_.state().version()));
  for (const uint32_t seconds : {7200u, 1800u, 86400u, kTtl})
    put_u32_big(data, seconds);
  return {std::move(zone), dns_type::kSoa, kTtl, std::move(data)};
}

DnsZone::Found DnsZone::find(const Labels& labels) {
  Found found;
  if (labels.empty()) {
    found.add(dns_type::kSoa, start_of_authority({}).data);
    found.add(dns_type::kNs, wire_name(join({"ns.dns.", options_.domain})));
    return found;
  }
  if (labels.back() == "pod") return find_pod(without_last(labels, 1));
  if (labels == Labels{"dns-version"}) {
    std::string text(1, static_cast<char>(kSchema.size()));
    found.add(dns_type::kTxt, text.append(kSchema));
  }
  if (labels == Labels{"ns", "dns"}) found.add(dns_type::kA, address_bytes(options_.dns_address));
  if (labels == Labels{"dns"}) found.exists = true;
  return found;
}

DnsZone::Found DnsZone::find_pod(const Labels& labels) const {
  Found found;
  if (labels.empty()) found.exists = true;
  if (labels.size() == 1) found.exists = has_namespace(labels[0]);
  if (labels.size() != 2) return found;
  // As CoreDNS with `pods insecure`, the usual setting: whether the Pod exists is not looked up.
  std::string dotted = labels[0];
  std::replace(dotted.begin(), dotted.end(), '-', '.');
  const std::optional<Ip4> address = parse_ip4(dotted);
  if (address && has_namespace(labels[1])) found.add(dns_type::kA, address_bytes(*address));
  return found;
}

DnsZone::Found DnsZone::find_service(const Labels& labels, uint16_t type) {
  Found found;
  if (labels.empty()) found.exists = true;
  if (labels.size() == 1) found.exists = has_namespace(labels[0]);
  if (labels.size() < 2 || labels.size() > 4) return found;
  const ServiceName name{labels[labels.size() - 1], labels[labels.size() - 2]};
  const api::ObjectRef service = client_.state().get(api::kService, name.ns, name.name);
  if (!service) return found;
  json::Tree tree;
  const json::Node spec = service->parse(tree)["spec"];
  if (spec["type"].string() == "ExternalName") {
    if (labels.size() == 2) found.add(dns_type::kCname, wire_name(spec["externalName"].string()));
    return found;
  }
  if (labels.size() == 4) return find_ports(name, labels[0], labels[1]);
  if (labels.size() == 3 && labels[0].starts_with('_')) {
    for (const json::Node port : spec["ports"])
      found.exists |= !port["name"].string().empty() && protocol_label(port) == labels[0];
    return found;
  }
  if (labels.size() == 3) {
    add_endpoints(name, labels[0], found);
    return found;
  }
  if (type == dns_type::kSrv) found = find_ports(name, {}, {});
  if (const auto address = parse_ip4(spec["clusterIP"].string()))
    found.add(dns_type::kA, address_bytes(*address));
  else
    add_endpoints(name, {}, found);  // none is ready: there is no such name
  return found;
}

DnsZone::Found DnsZone::find_ports(const ServiceName& name,
                                   std::string_view port,
                                   std::string_view protocol) {
  Found found;
  const bool any = port.empty();
  if (!any && (port.size() < 2 || port[0] != '_')) return found;
  const api::ObjectRef service = client_.state().get(api::kService, name.ns, name.name);
  if (!service) return found;
  json::Tree tree;
  if (service->parse(tree)["spec"]["clusterIP"].string() == "None")
    add_endpoint_ports(name, port, protocol, found);
  else
    add_service_ports(name, port, protocol, found);
  return found;
}

std::string DnsZone::service_name(const ServiceName& service) const {
  return wire_name(join({service.name, ".", service.ns, ".svc.", options_.domain}));
}

void DnsZone::add_service_ports(const ServiceName& name,
                                std::string_view port,
                                std::string_view protocol,
                                Found& found) {
  json::Tree tree;
  const api::ObjectRef service = client_.state().get(api::kService, name.ns, name.name);
  const json::Node spec = service->parse(tree)["spec"];
  const std::string target = service_name(name);
  for (const json::Node each : spec["ports"]) {
    if (fits(each, port, protocol))
      found.add(dns_type::kSrv, srv_data(each["port"].integer(), target));
  }
  const auto address = parse_ip4(spec["clusterIP"].string());
  if (address && found.exists) found.additional.push_back(address_record(*address, target));
}

void DnsZone::add_endpoint_ports(const ServiceName& service,
                                 std::string_view port,
                                 std::string_view protocol,
                                 Found& found) {
  for_each_ready(client_.state(), slices_, service,
                 [&](json::Node slice, const std::string& host, Ip4 address) {
                   const std::string target = wire_name(
                       join({host, ".", service.name, ".", service.ns, ".svc.", options_.domain}));
                   for (const json::Node each : slice["ports"]) {
                     if (!fits(each, port, protocol)) continue;
                     found.exists = true;
                     add_new(found.records,
                             {{}, dns_type::kSrv, kTtl, srv_data(each["port"].integer(), target)});
                     add_new(found.additional, address_record(address, target));
                   }
                 });
}

// `hostname` empty: all of them.
void DnsZone::add_endpoints(const ServiceName& service,
                            std::string_view hostname,
                            Found& found) const {
  for_each_ready(client_.state(), slices_, service,
                 [&](json::Node, const std::string& host, Ip4 address) {
                   if (!hostname.empty() && host != hostname) return;
                   found.exists = true;
                   add_new(found.records, address_record(address));
                 });
}

DnsZone::Found DnsZone::find_reverse(const Labels& labels) {
  Found found;
  const std::optional<Ip4> address = reverse_address(labels);
  if (!address) return found;
  for (const std::string& name : reverse_.names_of(*address)) {
    std::string wire = wire_name(join({name, ".", options_.domain}));
    if (!wire.empty()) found.add(dns_type::kPtr, std::move(wire));
  }
  return found;
}

bool DnsZone::has_namespace(const std::string& name) const {
  const api::State& state = client_.state();
  if (state.get(api::kNamespace, {}, name)) return true;
  // An agent follows no Namespaces; every cluster has this one.
  return !state.get(api::kNamespace, {}, "default");
}

}  // namespace coracle::proxy
