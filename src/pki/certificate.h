// SPDX-License-Identifier: GPL-2.0-or-later
// Keys (EC P-256) and X.509 certificates, all as PEM text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"
#include "port/random.h"

namespace coracle::pki {

enum class Usage : uint8_t { kAuthority, kServer, kClient, kServerAndClient };

struct CertificateOptions {
  std::string common_name;
  std::vector<std::string> organizations;  // Kubernetes groups, for clients
  std::vector<std::string> dns_names;
  std::vector<Ip4> addresses;
  Usage usage = Usage::kClient;
  Wall not_before;
  Wall not_after;
};

struct KeyAndCertificate {
  std::string key_pem;  // SEC1 or PKCS#8
  std::string certificate_pem;
};

Result<std::string> make_key(port::Random& random);
Result<KeyAndCertificate> self_signed(const CertificateOptions& options, port::Random& random);
Result<KeyAndCertificate> issue(const CertificateOptions& options,
                                const KeyAndCertificate& issuer,
                                port::Random& random);

// A certificate for a key whose private half stays elsewhere (PEM "PUBLIC KEY"; EC P-256 only).
Result<std::string> certify(const CertificateOptions& options,
                            std::string_view public_key_pem,
                            const KeyAndCertificate& issuer,
                            port::Random& random);
Result<std::string> public_key_pem(std::string_view key_pem, port::Random& random);
Result<std::string> certificate_public_key(std::string_view certificate_pem);  // PEM
// That `authority_pem` signed it; its times are not looked at.
Result<> check_issued_by(std::string_view certificate_pem, std::string_view authority_pem);

struct CertificateFacts {
  std::string common_name;
  std::vector<std::string> organizations;
  Wall not_before;
  Wall not_after;
  std::vector<std::string> names;  // DNS names and addresses as text
};
Result<CertificateFacts> read_certificate(std::string_view pem);

}  // namespace coracle::pki
