// SPDX-License-Identifier: GPL-2.0-or-later
// What makes this device a node of a cluster: its key and certificate, the authority it believes,
// the networks, and where the servers are. One file, <data-dir>/agent.json, complete or absent.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "json/tree.h"
#include "pki/certificate.h"
#include "port/disk.h"
#include "port/net.h"

namespace coracle::daemon {

struct AgentIdentity {
  std::string node_name;
  pki::KeyAndCertificate own;
  std::string authority_pem;
  std::string cluster_cidr;
  std::string service_cidr;
  std::string cluster_dns;
  std::string cluster_domain;
  std::vector<port::Endpoint> servers;
  uint64_t starts = 0;  // tells copies apart: see instance_book.h
};

std::string agent_identity_path(const std::string& data_directory);
// kNotFound: this device has not joined.
Result<AgentIdentity> read_agent_identity(port::Disk& disk, const std::string& path);
std::string agent_identity_text(const AgentIdentity& identity);
// What a server's answer to joining or renewing tells; the key stays as it is.
Result<> take_join_answer(AgentIdentity& identity, json::Node answer);

// "192.0.2.1", "192.0.2.1:6443", also as an https:// URL; names are not looked up.
Result<port::Endpoint> parse_server(std::string_view text);
std::string endpoint_text(const port::Endpoint& endpoint);

}  // namespace coracle::daemon
