// SPDX-License-Identifier: GPL-2.0-or-later
#include "pki/certificate.h"

#include <cstdio>

#include "base/bytes.h"
#include "pki/der.h"
#include "pki/digest.h"
#include "pki/mbedtls.h"

namespace coracle::pki {
namespace {

using namespace std::string_view_literals;

// Object identifiers, encoded (RFC 5280, RFC 5758).
constexpr auto kEcdsaWithSha256 = "\x2a\x86\x48\xce\x3d\x04\x03\x02"sv;
constexpr auto kCommonName = "\x55\x04\x03"sv;
constexpr auto kOrganization = "\x55\x04\x0a"sv;
constexpr auto kSubjectKeyIdentifier = "\x55\x1d\x0e"sv;
constexpr auto kKeyUsage = "\x55\x1d\x0f"sv;
constexpr auto kSubjectAltName = "\x55\x1d\x11"sv;
constexpr auto kBasicConstraints = "\x55\x1d\x13"sv;
constexpr auto kAuthorityKeyIdentifier = "\x55\x1d\x23"sv;
constexpr auto kExtendedKeyUsage = "\x55\x1d\x25"sv;
constexpr auto kServerAuth = "\x2b\x06\x01\x05\x05\x07\x03\x01"sv;
constexpr auto kClientAuth = "\x2b\x06\x01\x05\x05\x07\x03\x02"sv;

constexpr uint8_t kSanDns = der::context(2);
constexpr uint8_t kSanAddress = der::context(7);

struct Issuer {
  std::string name;            // DER, byte for byte
  std::string key_identifier;  // empty: the authority states none
  Key key;
};

std::string oid(std::string_view encoded) {
  return der::element(der::kOid, encoded);
}

std::string attribute(std::string_view type, std::string_view value) {
  return der::element(der::kSet, der::sequence({oid(type), der::element(der::kUtf8String, value)}));
}

// Organizations first, as Go writes them; each its own RDN, so that all are kept.
std::string distinguished_name(const CertificateOptions& options) {
  std::string names;
  for (const std::string& each : options.organizations)
    names += attribute(kOrganization, each);
  names += attribute(kCommonName, options.common_name);
  return der::element(der::kSequence, names);
}

enum class Criticality : uint8_t { kOptional, kCritical };

std::string extension(std::string_view type, Criticality criticality, std::string_view value) {
  const bool critical = criticality == Criticality::kCritical;
  return der::sequence({oid(type), critical ? der::element(der::kBoolean, "\xff") : std::string(),
                        der::element(der::kOctetString, value)});
}

// The address in network byte order.
std::string address_bytes(Ip4 ip) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes += static_cast<char>(ip.value >> shift);
  return bytes;
}

std::string alternative_names(const CertificateOptions& options) {
  std::string names;
  for (const std::string& each : options.dns_names)
    names += der::element(kSanDns, each);
  for (Ip4 each : options.addresses)
    names += der::element(kSanAddress, address_bytes(each));
  return names.empty() ? names : der::element(der::kSequence, names);
}

std::string usage_extensions(Usage usage) {
  if (usage == Usage::kAuthority) {
    const std::string is_authority = der::sequence({der::element(der::kBoolean, "\xff")});
    // keyCertSign, cRLSign; one unused bit.
    return extension(kBasicConstraints, Criticality::kCritical, is_authority) +
           extension(kKeyUsage, Criticality::kCritical, "\x03\x02\x01\x06");
  }
  std::string purposes;
  if (usage != Usage::kClient) purposes += oid(kServerAuth);
  if (usage != Usage::kServer) purposes += oid(kClientAuth);
  // digitalSignature; seven unused bits.
  return extension(kBasicConstraints, Criticality::kCritical, der::sequence({})) +
         extension(kKeyUsage, Criticality::kCritical, "\x03\x02\x07\x80") +
         extension(kExtendedKeyUsage, Criticality::kOptional,
                   der::element(der::kSequence, purposes));
}

// RFC 7093 section 2, method 1.
std::string key_identifier(std::string_view public_key) {
  return sha256(public_key).substr(0, 20);
}

std::string extensions(const CertificateOptions& options,
                       std::string_view own_identifier,
                       std::string_view authority_identifier) {
  std::string all = usage_extensions(options.usage);
  all += extension(kSubjectKeyIdentifier, Criticality::kOptional,
                   der::element(der::kOctetString, own_identifier));
  if (!authority_identifier.empty()) {
    all += extension(kAuthorityKeyIdentifier, Criticality::kOptional,
                     der::sequence({der::element(der::context(0), authority_identifier)}));
  }
  const std::string names = alternative_names(options);
  if (!names.empty()) all += extension(kSubjectAltName, Criticality::kOptional, names);
  return der::element(der::constructed(3), der::element(der::kSequence, all));
}

Result<> check(const CertificateOptions& options) {
  constexpr size_t kNameBytesMax = 253;
  const auto fits = [](std::string_view name) {
    return !name.empty() && name.size() <= kNameBytesMax && name.find('\0') == name.npos;
  };
  bool sound = fits(options.common_name) && options.not_before < options.not_after;
  for (const std::string& each : options.organizations)
    sound = sound && fits(each);
  for (const std::string& each : options.dns_names)
    sound = sound && fits(each);
  if (!sound)
    return fail(Code::kBadRequest,
                "certificate: a name is empty or too long, or it ends before it starts");
  return {};
}

Result<std::string> write_certificate(const CertificateOptions& options,
                                      std::string_view public_key,
                                      Issuer& issuer,
                                      port::Random& random) {
  char serial[16];
  random.fill(serial, sizeof serial);
  serial[0] = static_cast<char>((serial[0] & 0x3f) | 0x40);  // positive, never shorter
  const std::string algorithm = der::sequence({oid(kEcdsaWithSha256)});
  const std::string body = der::sequence({
      der::element(der::constructed(0), der::integer("\x02")),  // X.509 v3
      der::integer({serial, sizeof serial}),
      algorithm,
      issuer.name,
      der::sequence({der::time(options.not_before), der::time(options.not_after)}),
      distinguished_name(options),
      public_key,
      extensions(options, key_identifier(public_key), issuer.key_identifier),
  });
  const std::string signature = TRY(sign(issuer.key, body, random));
  return pem("CERTIFICATE", der::sequence({body, algorithm, der::bit_string(signature)}));
}

// The key identifier that a certificate states about itself; empty if it states none. Its
// extensions were already checked by mbedTLS, so the element after the identifier is the OCTET
// STRING.
std::string stated_key_identifier(const mbedtls_x509_crt& crt) {
  const std::string_view all = view(crt.v3_ext);
  const std::string wanted = oid(kSubjectKeyIdentifier);
  const size_t at = all.find(wanted);
  if (at == all.npos) return {};
  const std::string_view rest = all.substr(at + wanted.size());
  if (rest.size() < 4 || rest[0] != der::kOctetString || rest[2] != der::kOctetString) return {};
  const size_t length = static_cast<uint8_t>(rest[3]);
  if (length >= 0x80 || rest.size() < 4 + length) return {};
  return std::string(rest.substr(4, length));
}

Wall wall(const mbedtls_x509_time& at) {
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", at.year, at.mon, at.day,
                at.hour, at.min, at.sec);
  return parse_rfc3339(text).value_or(Wall{});
}

void read_names(const mbedtls_x509_crt& crt, std::vector<std::string>& names) {
  for (const auto* each = &crt.subject_alt_names; each != nullptr; each = each->next) {
    const std::string_view value = view(each->buf);
    if (each->buf.tag == kSanDns) names.emplace_back(value);
    if (each->buf.tag != kSanAddress || value.size() != 4) continue;
    uint32_t address = 0;
    for (char c : value)
      address = address << 8 | static_cast<uint8_t>(c);
    names.push_back(Ip4{address}.text());
  }
}

}  // namespace

Result<std::string> make_key(port::Random& random) {
  Key key;
  int code = mbedtls_pk_setup(&key.pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
  if (code != 0) return mbedtls_error("make key", code);
  code = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key.pk), fill_random, &random);
  if (code != 0) return mbedtls_error("make key", code);
  unsigned char text[512];
  code = mbedtls_pk_write_key_pem(&key.pk, text, sizeof text);
  if (code != 0) return mbedtls_error("write key", code);
  return std::string(reinterpret_cast<const char*>(text));
}

Result<KeyAndCertificate> self_signed(const CertificateOptions& options, port::Random& random) {
  TRY(check(options));
  std::string key_pem = TRY(make_key(random));
  Issuer itself;
  TRY(parse_private_key(itself.key, key_pem, random));
  const std::string public_key = TRY(public_key_der(itself.key));
  itself.name = distinguished_name(options);
  itself.key_identifier = key_identifier(public_key);
  std::string certificate = TRY(write_certificate(options, public_key, itself, random));
  return KeyAndCertificate{std::move(key_pem), std::move(certificate)};
}

Result<KeyAndCertificate> issue(const CertificateOptions& options,
                                const KeyAndCertificate& issuer,
                                port::Random& random) {
  std::string key_pem = TRY(make_key(random));
  const std::string public_half = TRY(public_key_pem(key_pem, random));
  std::string certificate = TRY(certify(options, public_half, issuer, random));
  return KeyAndCertificate{std::move(key_pem), std::move(certificate)};
}

Result<std::string> certify(const CertificateOptions& options,
                            std::string_view public_key,
                            const KeyAndCertificate& issuer,
                            port::Random& random) {
  TRY(check(options));
  Issuer authority;
  TRY(parse_private_key(authority.key, issuer.key_pem, random).with("issuer"));
  Chain chain;
  TRY(parse_certificates(chain, issuer.certificate_pem).with("issuer"));
  authority.name = view(chain.crt.subject_raw);
  authority.key_identifier = stated_key_identifier(chain.crt);
  Key key;
  TRY(parse_public_key(key, public_key));
  return write_certificate(options, TRY(public_key_der(key)), authority, random);
}

Result<std::string> public_key_pem(std::string_view key_pem, port::Random& random) {
  Key key;
  TRY(parse_private_key(key, key_pem, random));
  return pem("PUBLIC KEY", TRY(public_key_der(key)));
}

Result<std::string> certificate_public_key(std::string_view certificate_pem) {
  Chain chain;
  TRY(parse_certificates(chain, certificate_pem));
  unsigned char out[256];
  const int length = mbedtls_pk_write_pubkey_der(&chain.crt.pk, out, sizeof out);
  if (length < 0) return mbedtls_error("write public key", length);
  const size_t bytes = static_cast<size_t>(length);
  return pem("PUBLIC KEY", {reinterpret_cast<const char*>(out) + sizeof out - bytes, bytes});
}

Result<> check_issued_by(std::string_view certificate_pem, std::string_view authority_pem) {
  Chain chain;
  Chain authority;
  TRY(parse_certificates(chain, certificate_pem));
  TRY(parse_certificates(authority, authority_pem));
  uint32_t problems = 0;
  mbedtls_x509_crt_verify(&chain.crt, &authority.crt, nullptr, nullptr, &problems, nullptr,
                          nullptr);
  problems &= ~static_cast<uint32_t>(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
  if (problems == 0) return {};
  return fail(Code::kUnauthorized, "the certificate was not issued by this cluster");
}

Result<CertificateFacts> read_certificate(std::string_view pem) {
  Chain chain;
  TRY(parse_certificates(chain, pem));
  CertificateFacts facts;
  for (const auto* each = &chain.crt.subject; each != nullptr; each = each->next) {
    const std::string_view type = view(each->oid);
    if (type == kCommonName) facts.common_name = view(each->val);
    if (type == kOrganization) facts.organizations.emplace_back(view(each->val));
  }
  facts.not_before = wall(chain.crt.valid_from);
  facts.not_after = wall(chain.crt.valid_to);
  read_names(chain.crt, facts.names);
  return facts;
}

}  // namespace coracle::pki
