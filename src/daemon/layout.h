// SPDX-License-Identifier: GPL-2.0-or-later
// What a configuration means on this machine: names, addresses and networks filled in and checked.
#pragma once

#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "daemon/config.h"
#include "port/disk.h"
#include "port/links.h"

namespace coracle::daemon {

struct Layout {
  std::string node_name;
  Ip4 node_ip;
  Ip4 bind_address;
  uint16_t port = 0;
  Cidr4 cluster_cidr;
  Cidr4 node_cidr;
  Ip4 gateway;  // of the pods on this node: first address of node_cidr
  Cidr4 service_cidr;
  Ip4 cluster_dns;
  std::string advertised;  // "host:port" that pods and nodes reach the API at
  std::string local_url;   // https URL for people on this machine
  std::vector<Ip4> listen_addresses;
  std::vector<std::string> server_names;  // DNS names in the server certificate
  std::vector<Ip4> server_addresses;      // addresses in it
};

// Whether this machine still has it. True also when nobody can say.
bool has_address(port::Links& links, Ip4 address);
Result<Layout> make_layout(const Config& config, port::Disk& disk, port::Links& links);

// Of the configuration, else the host's.
Result<std::string> find_node_name(const Config& config, port::Disk& disk);

// The data directory must be on a file system that overlayfs can use as its upper layer.
Result<> check_data_directory(const std::string& path, port::Disk& disk);

}  // namespace coracle::daemon
