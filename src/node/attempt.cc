// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/attempt.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::node {

namespace {

uint16_t port_number(json::Node port, json::Node container) {
  if (port.is_integer()) return static_cast<uint16_t>(port.integer());
  for (const json::Node known : container["ports"]) {
    if (known["name"].string() == port.string())
      return static_cast<uint16_t>(known["containerPort"].integer());
  }
  return static_cast<uint16_t>(parse_unsigned(port.string()).value_or(0));
}

void read_http(json::Node http, Deed& deed) {
  const bool is_secure = http["scheme"].string() == "HTTPS";
  deed.way = is_secure ? Way::kHttps : Way::kHttp;
  const std::string_view path = http["path"].string("/");
  deed.path = join({path.starts_with('/') ? "" : "/", path});
  const std::string authority = join({deed.endpoint.host, ":", std::to_string(deed.endpoint.port)});
  deed.url = join({is_secure ? "https://" : "http://", authority, deed.path});
  bool has_host = false;
  bool has_agent = false;
  for (const json::Node header : http["httpHeaders"]) {
    deed.headers.emplace_back(header["name"].string(), header["value"].string());
    has_host = has_host || deed.headers.back().first == "Host";
    has_agent = has_agent || deed.headers.back().first == "User-Agent";
  }
  if (!has_host) deed.headers.emplace_back("Host", authority);
  if (!has_agent) deed.headers.emplace_back("User-Agent", "kube-probe/1.36");
  deed.headers.emplace_back("Accept", "*/*");
}

}  // namespace

Deed read_deed(json::Node action, json::Node container, std::string_view ip) {
  Deed deed;
  if (const json::Node exec = action["exec"]) {
    deed.way = Way::kCommand;
    for (const json::Node word : exec["command"])
      deed.words.emplace_back(word.string());
    return deed;
  }
  const json::Node http = action["httpGet"];
  const json::Node grpc = action["grpc"];
  const json::Node way = http ? http : grpc ? grpc : action["tcpSocket"];
  deed.endpoint = {std::string(way["host"].string(ip)), port_number(way["port"], container)};
  if (http) read_http(http, deed);
  if (grpc) deed.way = Way::kGrpc;
  if (grpc) deed.service = grpc["service"].string();
  return deed;
}

std::unique_ptr<Attempt> begin_attempt(const AttemptPlace& place,
                                       const Deed& deed,
                                       Duration timeout,
                                       Attempt::Done& done) {
  switch (deed.way) {
    case Way::kConnect:
    case Way::kHttp:
      return plain_attempt(place, deed, timeout, done);
    case Way::kHttps:
      return https_attempt(place, deed, timeout, done);
    case Way::kGrpc:
      return grpc_attempt(place, deed, timeout, done);
    case Way::kCommand:
      return command_attempt(place, deed, timeout, done);
  }
  return nullptr;
}

}  // namespace coracle::node
