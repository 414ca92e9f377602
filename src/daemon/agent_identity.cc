// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/agent_identity.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/ip.h"

namespace coracle::daemon {

namespace {

constexpr uint64_t kApiPort = 6443;

Result<> read_terms(AgentIdentity& identity, json::Node from) {
  const auto text = [&](std::string_view name, std::string& to) -> Result<> {
    to = std::string(from[name].string());
    if (to.empty()) return fail(Code::kCorrupt, join({name, ": absent"}));
    return {};
  };
  TRY(text("authority", identity.authority_pem));
  TRY(text("certificate", identity.own.certificate_pem));
  TRY(text("clusterCidr", identity.cluster_cidr));
  TRY(text("serviceCidr", identity.service_cidr));
  TRY(text("clusterDns", identity.cluster_dns));
  TRY(text("clusterDomain", identity.cluster_domain));
  std::vector<port::Endpoint> servers;
  for (const json::Node server : from["servers"]) {
    if (auto parsed = parse_server(server.string())) servers.push_back(std::move(*parsed));
  }
  if (!servers.empty()) identity.servers = std::move(servers);
  return {};
}

}  // namespace

std::string agent_identity_path(const std::string& data_directory) {
  return data_directory + "/agent.json";
}

Result<AgentIdentity> read_agent_identity(port::Disk& disk, const std::string& path) {
  const std::string text = TRY(disk.read_file(path));
  json::Tree tree;
  const json::Node root = TRY(tree.parse(text).with(path));
  AgentIdentity identity;
  identity.node_name = std::string(root["nodeName"].string());
  identity.own.key_pem = std::string(root["key"].string());
  identity.starts = static_cast<uint64_t>(std::max<int64_t>(0, root["starts"].integer()));
  TRY(read_terms(identity, root).with(path));
  if (identity.node_name.empty() || identity.own.key_pem.empty() || identity.servers.empty())
    return fail(Code::kCorrupt, path + ": not complete; remove it and join again with a token");
  return identity;
}

std::string agent_identity_text(const AgentIdentity& identity) {
  json::Tree tree;
  const json::Node root = tree.make_object();
  const auto put = [&](std::string_view name, const std::string& value) {
    root.set(name, std::string_view(value));
  };
  put("nodeName", identity.node_name);
  put("key", identity.own.key_pem);
  put("certificate", identity.own.certificate_pem);
  put("authority", identity.authority_pem);
  put("clusterCidr", identity.cluster_cidr);
  put("serviceCidr", identity.service_cidr);
  put("clusterDns", identity.cluster_dns);
  put("clusterDomain", identity.cluster_domain);
  root.set("starts", static_cast<int64_t>(identity.starts));
  for (const port::Endpoint& server : identity.servers)
    root.array("servers").append(std::string_view(endpoint_text(server)));
  return json::write(root);
}

Result<> take_join_answer(AgentIdentity& identity, json::Node answer) {
  return read_terms(identity, answer);
}

Result<port::Endpoint> parse_server(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  std::string_view rest = text;
  if (rest.starts_with(kScheme)) rest.remove_prefix(kScheme.size());
  const size_t colon = rest.find(':');
  const auto port =
      colon == rest.npos ? std::optional(kApiPort) : parse_unsigned(rest.substr(colon + 1));
  const std::string_view host = rest.substr(0, colon);
  if (!parse_ip4(host) || !port || *port == 0 || *port > 65535)
    return fail(Code::kBadRequest, join({"join: \"", text,
                                         "\" is not the address of a server; say 192.0.2.1 or "
                                         "192.0.2.1:6443"}));
  return port::Endpoint{std::string(host), static_cast<uint16_t>(*port)};
}

std::string endpoint_text(const port::Endpoint& endpoint) {
  return join({endpoint.host, ":", std::to_string(endpoint.port)});
}

}  // namespace coracle::daemon
