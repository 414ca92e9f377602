// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/bytes.h"
#include "daemon/cli.h"
#include "daemon/identity.h"
#include "pki/kubeconfig.h"
#include "port/linux/machine.h"

namespace coracle::daemon {

namespace {

constexpr Duration kUserLife = seconds(365 * 86'400);

Result<std::string> server_url(const Config& config, port_linux::Machine& machine) {
  if (!config.server.empty()) return config.server;
  if (!config.node_ip.empty())
    return join({"https://", config.node_ip, ":", std::to_string(config.port)});
  // What the running server wrote knows best.
  const auto written = machine.disk().read_file(config.kubeconfig);
  constexpr std::string_view kKey = "server: ";
  if (written) {
    const size_t at = written->find(kKey);
    if (at != std::string::npos) {
      const size_t from = at + kKey.size();
      return std::string(
          trim(std::string_view(*written).substr(from, written->find('\n', from) - from)));
    }
  }
  return join({"https://127.0.0.1:", std::to_string(config.port)});
}

}  // namespace

Result<int> run_kubeconfig(const Arguments& arguments) {
  port_linux::Machine machine;
  const std::string directory = arguments.config.data_dir + "/pki";
  pki::CertificateOptions options;
  options.common_name = "admin";
  options.organizations = {"system:masters"};
  if (!arguments.positional.empty()) {
    options.common_name = arguments.positional[0];
    options.organizations.assign(arguments.positional.begin() + 1, arguments.positional.end());
  }
  options.not_before = Wall{0};
  options.not_after = machine.clock().trusted() + kUserLife;
  const auto pair = TRY(issue_client(directory, options, machine.disk(), machine.random()));
  pki::KubeconfigOptions out;
  out.server = TRY(server_url(arguments.config, machine));
  out.ca_pem = TRY(machine.disk().read_file(directory + "/ca.crt"));
  out.certificate_pem = pair.certificate_pem;
  out.key_pem = pair.key_pem;
  out.user = options.common_name;
  print(pki::kubeconfig(out));
  return 0;
}

}  // namespace coracle::daemon
