// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace coracle::pki {

struct KubeconfigOptions {
  std::string server;  // https://host:port
  std::string ca_pem;
  std::string certificate_pem;  // of the user
  std::string key_pem;
  std::string user = "admin";
  std::string cluster = "coracle";
};

std::string kubeconfig(const KubeconfigOptions& options);  // YAML, certificates inline

}  // namespace coracle::pki
