// SPDX-License-Identifier: GPL-2.0-or-later
#include "pki/kubeconfig.h"

#include "base/bytes.h"

namespace coracle::pki {
namespace {

// A YAML double-quoted scalar.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out += '"';
}

}  // namespace

std::string kubeconfig(const KubeconfigOptions& options) {
  const std::string cluster = quoted(options.cluster);
  const std::string user = quoted(options.user);
  const std::string context = quoted(options.user + "@" + options.cluster);
  return join({"apiVersion: v1\nkind: Config\nclusters:\n- name: ",
               cluster,
               "\n  cluster:\n    server: ",
               quoted(options.server),
               "\n    certificate-authority-data: ",
               base64(options.ca_pem),
               "\nusers:\n- name: ",
               user,
               "\n  user:\n    client-certificate-data: ",
               base64(options.certificate_pem),
               "\n    client-key-data: ",
               base64(options.key_pem),
               "\ncontexts:\n- name: ",
               context,
               "\n  context:\n    cluster: ",
               cluster,
               "\n    user: ",
               user,
               "\ncurrent-context: ",
               context,
               "\npreferences: {}\n"});
}

}  // namespace coracle::pki
