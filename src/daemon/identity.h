// SPDX-License-Identifier: GPL-2.0-or-later
// The cluster's keys and certificates under <data-dir>/pki: made at the first start, kept, renewed
// when two thirds of their life are over or the names change. Directory 0700, files 0600.
#pragma once

#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"
#include "pki/certificate.h"
#include "port/disk.h"
#include "port/random.h"

namespace coracle::daemon {

struct Identity {
  std::string ca_pem;                     // cluster CA certificate
  std::string ca_key_pem;                 // signs for devices that join
  pki::KeyAndCertificate peer_authority;  // signs for members of the store, and nobody else
  pki::KeyAndCertificate kubelet_client;  // what agents know the API server by
  pki::KeyAndCertificate server;          // API server; its chain ends at the CA
  pki::KeyAndCertificate admin;           // CN=admin, O=system:masters
  std::string service_account_key;        // signs service-account tokens
};

struct IdentityOptions {
  std::string directory;
  std::vector<std::string> dns_names;  // of the API server
  std::vector<Ip4> addresses;
  Duration life;  // of all certificates but the authority's
};

// `now` is judged as max(build time, clock): a board that boots in 1970 gets certificates that are
// valid (D10).
Result<Identity> load_or_make_identity(const IdentityOptions& options,
                                       port::Disk& disk,
                                       port::Random& random,
                                       Wall now);

// What this member shows to the others.
Result<pki::KeyAndCertificate> member_certificate(const IdentityOptions& options,
                                                  const pki::KeyAndCertificate& peer_authority,
                                                  const std::string& common_name,
                                                  port::Disk& disk,
                                                  port::Random& random,
                                                  Wall now);

// A client certificate from the CA in `directory`, for `coracle kubeconfig`.
Result<pki::KeyAndCertificate> issue_client(const std::string& directory,
                                            const pki::CertificateOptions& options,
                                            port::Disk& disk,
                                            port::Random& random);

}  // namespace coracle::daemon
