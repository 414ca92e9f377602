// SPDX-License-Identifier: GPL-2.0-or-later
// The files of a pod that every container sees: /etc/hosts, /etc/hostname, /etc/resolv.conf.
#pragma once

#include <string>
#include <string_view>

#include "json/tree.h"

namespace coracle::node {

struct ClusterNames {
  std::string dns_ip;  // empty: pods use the node's resolver
  std::string domain;  // "cluster.local"
};

std::string pod_hostname(json::Node pod);  // spec.hostname or the name, cut to 63 characters
std::string hosts_file(json::Node pod,
                       std::string_view pod_ip,
                       std::string_view node_hosts,
                       std::string_view domain);
std::string resolv_file(json::Node pod, std::string_view node_resolv, const ClusterNames& names);

}  // namespace coracle::node
