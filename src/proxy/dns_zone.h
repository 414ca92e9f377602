// SPDX-License-Identifier: GPL-2.0-or-later
// What the cluster itself knows of names (Kubernetes DNS-Based Service Discovery 1.1.0): read from
// State for every question, nothing is kept.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/client.h"
#include "base/ip.h"
#include "json/tree.h"
#include "proxy/dns_message.h"
#include "proxy/reverse_names.h"
#include "proxy/slice_index.h"

namespace coracle::proxy {

struct DnsZoneOptions {
  std::string domain = "cluster.local";
  Ip4 dns_address;
  Cidr4 service_cidr;
  Cidr4 pod_cidr;
};

class DnsZone {
 public:
  DnsZone(api::Client& client, const SliceIndex& slices, DnsZoneOptions options);

  // nullopt: the name is not of the cluster. An answer that ends with an alias to a name outside
  // has that name as the data of its last record.
  std::optional<DnsAnswer> answer(const DnsQuestion& question);
  // The zone's own answer to any question that nothing else answers.
  const std::string& origin() const { return origin_; }

 private:
  struct Found;
  using Labels = std::vector<std::string>;
  Found find(const Labels& labels);                         // without the domain
  Found find_service(const Labels& labels, uint16_t type);  // without "svc"
  Found find_pod(const Labels& labels) const;               // without "pod"
  Found find_ports(const ServiceName& service, std::string_view port, std::string_view protocol);
  Found find_reverse(const Labels& labels);
  void add_endpoints(const ServiceName& service, std::string_view hostname, Found& found) const;
  void add_service_ports(const ServiceName& service,
                         std::string_view port,
                         std::string_view protocol,
                         Found& found);
  void add_endpoint_ports(const ServiceName& service,
                          std::string_view port,
                          std::string_view protocol,
                          Found& found);
  bool has_namespace(const std::string& name) const;
  std::string service_name(const ServiceName& service) const;  // wire form
  DnsRecord start_of_authority(std::string zone) const;
  bool follow(DnsAnswer& answer, uint16_t type);
  DnsAnswer choose(Found found, const DnsQuestion& question, std::string zone);

  api::Client& client_;
  const SliceIndex& slices_;
  DnsZoneOptions options_;
  Labels domain_;       // {"cluster", "local"}
  std::string origin_;  // the same in wire form
  ReverseNames reverse_;
  size_t turn_ = 0;  // addresses are given out in turn
};

}  // namespace coracle::proxy
