// SPDX-License-Identifier: GPL-2.0-or-later
// The device's side of joining: believes a server only after the token vouched for its authority,
// then asks for a certificate.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/agent_identity.h"
#include "daemon/config.h"
#include "http/tls.h"
#include "port/linux/machine.h"
#include "port/net.h"

namespace coracle::daemon {

struct Application {
  std::string role;  // agent, server
  std::string node_name;
  std::string public_key;
  std::string more;  // JSON object whose members are added
};

// The server's answer. Waits for a server that cannot be reached; a refusal ends it.
Result<std::string> apply_to_join(port_linux::Machine& machine,
                                  const Config& config,
                                  const Application& application);

// A server that must become a new member: `tls` proves that it is one. Asks until one takes it.
Result<std::string> apply_to_rejoin(port_linux::Machine& machine,
                                    const std::vector<port::Endpoint>& servers,
                                    http::TlsClientOptions tls,
                                    const Application& application);

Result<AgentIdentity> join_as_agent(port_linux::Machine& machine,
                                    const Config& config,
                                    const std::string& node_name);

}  // namespace coracle::daemon
