// SPDX-License-Identifier: GPL-2.0-or-later
// How a device becomes a server of a cluster: what it is given, and how that survives a power cut
// at any point before its store has been opened for the first time.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "daemon/config.h"
#include "daemon/join.h"
#include "daemon/layout.h"
#include "pki/certificate.h"
#include "port/linux/machine.h"
#include "store/store.h"

namespace coracle::daemon {

// All that servers share. Goes only over a connection that the token vouched for.
struct Welcome {
  pki::KeyAndCertificate authority;
  pki::KeyAndCertificate peer_authority;
  std::string service_account_key;
  store::Joining joining;
};
std::string welcome_text(const Welcome& welcome);  // JSON
Result<Welcome> read_welcome(json::Node from);

Application server_application(const Layout& layout);
// The answer to it, so that the next join_as_server() finds it, whatever happens in between.
Result<> keep_welcome(port::Disk& disk, const Config& config, const std::string& text);

// Joins if the configuration says so and this device has not; then the member to open the store as.
// Also puts the cluster's networks into `config`, where they were given at joining.
Result<std::optional<store::Joining>> join_as_server(port_linux::Machine& machine, Config& config);
// The store was opened: from now on it knows who it is.
Result<> finish_joining(port::Disk& disk, const Config& config);

}  // namespace coracle::daemon
