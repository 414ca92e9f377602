// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/identity.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "pki/member_name.h"

namespace coracle::daemon {

namespace {

constexpr Duration kDay = seconds(86'400);
constexpr Duration kAuthorityLife = kDay * (30 * 365);
constexpr Duration kBackdate =
    kDay * 3650;  // peers with a wrong clock must not find a certificate "not yet valid"

Result<> save(port::Disk& disk, const std::string& path, const pki::KeyAndCertificate& pair) {
  TRY(disk.replace_file(path + ".key", pair.key_pem, 0600));
  return disk.replace_file(path + ".crt", pair.certificate_pem, 0600);
}

Result<pki::KeyAndCertificate> load(port::Disk& disk, const std::string& path) {
  pki::KeyAndCertificate pair;
  pair.key_pem = TRY(disk.read_file(path + ".key"));
  pair.certificate_pem = TRY(disk.read_file(path + ".crt"));
  return pair;
}

// Present files that cannot be read are an error: a new CA would lock every client out.
Result<bool> exists(port::Disk& disk, const std::string& path) {
  const auto stat = disk.stat(path);
  if (stat) return true;
  if (stat.error().code == Code::kNotFound) return false;
  return stat.error();
}

Result<pki::KeyAndCertificate> authority(const std::string& directory,
                                         std::string_view name,
                                         port::Disk& disk,
                                         port::Random& random,
                                         Wall now) {
  const std::string path = join({directory, "/", name});
  if (TRY(exists(disk, path + ".crt"))) return load(disk, path);
  pki::CertificateOptions options;
  options.common_name = join({"coracle-", name, "@", std::to_string(now.seconds())});
  options.usage = pki::Usage::kAuthority;
  options.not_before = Wall{std::max<int64_t>(0, now.ns - kBackdate.ns)};
  options.not_after = now + kAuthorityLife;
  pki::KeyAndCertificate made = TRY(pki::self_signed(options, random));
  TRY(save(disk, path, made));
  LOG(kInfo, "daemon: made a cluster authority", kv("path", path));
  return made;
}

struct Issuing {
  const pki::KeyAndCertificate& authority;
  port::Disk& disk;
  port::Random& random;
  Wall now;
  Duration life;
};

bool is_fit(const Issuing& by,
            const pki::KeyAndCertificate& pair,
            const pki::CertificateOptions& wanted) {
  const auto facts = pki::read_certificate(pair.certificate_pem);
  if (!facts || facts->common_name != wanted.common_name) return false;
  const Wall renew_at{facts->not_after.ns - by.life.ns / 3};
  if (by.now >= renew_at) return false;
  for (const std::string& name : wanted.dns_names) {
    if (std::find(facts->names.begin(), facts->names.end(), name) == facts->names.end())
      return false;
  }
  for (const Ip4 address : wanted.addresses) {
    if (std::find(facts->names.begin(), facts->names.end(), address.text()) == facts->names.end())
      return false;
  }
  return true;
}

Result<pki::KeyAndCertificate> leaf(const Issuing& by,
                                    const std::string& path,
                                    pki::CertificateOptions wanted) {
  if (TRY(exists(by.disk, path + ".crt"))) {
    auto kept = load(by.disk, path);
    if (kept && is_fit(by, *kept, wanted)) return std::move(kept).value();
  }
  wanted.not_before = Wall{std::max<int64_t>(0, by.now.ns - kBackdate.ns)};
  wanted.not_after = by.now + by.life;
  pki::KeyAndCertificate made = TRY(pki::issue(wanted, by.authority, by.random));
  TRY(save(by.disk, path, made));
  return made;
}

}  // namespace

Result<Identity> load_or_make_identity(const IdentityOptions& options,
                                       port::Disk& disk,
                                       port::Random& random,
                                       Wall now) {
  TRY(disk.make_directories(options.directory, 0700));
  const pki::KeyAndCertificate ca = TRY(authority(options.directory, "ca", disk, random, now));
  const Issuing by{ca, disk, random, now, options.life};
  Identity identity;
  identity.ca_pem = ca.certificate_pem;
  identity.ca_key_pem = ca.key_pem;
  identity.peer_authority = TRY(authority(options.directory, "peer-ca", disk, random, now));
  pki::CertificateOptions server;
  server.common_name = "coracle-apiserver";
  server.dns_names = options.dns_names;
  server.addresses = options.addresses;
  server.usage = pki::Usage::kServer;
  identity.server = TRY(leaf(by, options.directory + "/server", server));
  pki::CertificateOptions admin;
  admin.common_name = "admin";
  admin.organizations = {"system:masters"};
  identity.admin = TRY(leaf(by, options.directory + "/admin", admin));
  pki::CertificateOptions kubelet_client;
  kubelet_client.common_name = "kube-apiserver-kubelet-client";
  identity.kubelet_client = TRY(leaf(by, options.directory + "/kubelet-client", kubelet_client));
  const std::string key_path = options.directory + "/service-account.key";
  if (TRY(exists(disk, key_path))) {
    identity.service_account_key = TRY(disk.read_file(key_path));
  } else {
    identity.service_account_key = TRY(pki::make_key(random));
    TRY(disk.replace_file(key_path, identity.service_account_key, 0600));
  }
  return identity;
}

Result<pki::KeyAndCertificate> member_certificate(const IdentityOptions& options,
                                                  const pki::KeyAndCertificate& peer_authority,
                                                  const std::string& common_name,
                                                  port::Disk& disk,
                                                  port::Random& random,
                                                  Wall now) {
  const Issuing by{peer_authority, disk, random, now, options.life};
  pki::CertificateOptions wanted;
  wanted.common_name = common_name;
  wanted.organizations = {std::string(pki::kMembersOrganization)};
  wanted.usage = pki::Usage::kServerAndClient;
  return leaf(by, options.directory + "/peer", wanted);
}

Result<pki::KeyAndCertificate> issue_client(const std::string& directory,
                                            const pki::CertificateOptions& options,
                                            port::Disk& disk,
                                            port::Random& random) {
  const pki::KeyAndCertificate ca = TRY(load(disk, directory + "/ca"));
  return pki::issue(options, ca, random);
}

}  // namespace coracle::daemon
