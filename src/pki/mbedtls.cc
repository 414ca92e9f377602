// SPDX-License-Identifier: GPL-2.0-or-later
#include "pki/mbedtls.h"

#include "base/bytes.h"
#include "pki/digest.h"

namespace coracle::pki {

Error mbedtls_error(std::string_view what, int code) {
  const uint32_t number = static_cast<uint32_t>(-code);
  const char digits[] = {static_cast<char>(number >> 8), static_cast<char>(number)};
  return fail(Code::kInternal, join({what, ": mbedtls error -0x", hex({digits, sizeof digits})}));
}

int fill_random(void* random, unsigned char* out, size_t bytes) {
  static_cast<port::Random*>(random)->fill(reinterpret_cast<char*>(out), bytes);
  return 0;
}

Result<> parse_private_key(Key& key, std::string_view pem, port::Random& random) {
  const std::string text(pem);  // mbedTLS wants the terminating NUL counted
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  const int code =
      mbedtls_pk_parse_key(&key.pk, raw(text), text.size() + 1, nullptr, 0, fill_random, &random);
#else
  static_cast<void>(random);
  const int code = mbedtls_pk_parse_key(&key.pk, raw(text), text.size() + 1, nullptr, 0);
#endif
  if (code != 0) return mbedtls_error("parse key", code);
  if (!mbedtls_pk_can_do(&key.pk, MBEDTLS_PK_ECDSA) || mbedtls_pk_get_bitlen(&key.pk) != 256) {
    return fail(Code::kInternal, "parse key: not an EC P-256 key");
  }
  return {};
}

Result<> parse_public_key(Key& key, std::string_view pem) {
  const std::string text(pem);
  const int code = mbedtls_pk_parse_public_key(&key.pk, raw(text), text.size() + 1);
  if (code != 0) return fail(Code::kBadRequest, "not a public key in PEM form");
  if (!mbedtls_pk_can_do(&key.pk, MBEDTLS_PK_ECDSA) || mbedtls_pk_get_bitlen(&key.pk) != 256)
    return fail(Code::kBadRequest, "not an EC P-256 key");
  return {};
}

Result<> parse_certificates(Chain& chain, std::string_view pem) {
  const std::string text(pem);
  const int code = mbedtls_x509_crt_parse(&chain.crt, raw(text), text.size() + 1);
  if (code < 0) return mbedtls_error("parse certificate", code);
  if (code > 0) return fail(Code::kInternal, "parse certificate: a part of the chain is malformed");
  return {};
}

Result<std::string> sign(Key& key, std::string_view message, port::Random& random) {
  const std::string digest = sha256(message);
  unsigned char out[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
  size_t length = 0;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  const int code = mbedtls_pk_sign(&key.pk, MBEDTLS_MD_SHA256, raw(digest), digest.size(), out,
                                   sizeof out, &length, fill_random, &random);
#else
  const int code = mbedtls_pk_sign(&key.pk, MBEDTLS_MD_SHA256, raw(digest), digest.size(), out,
                                   &length, fill_random, &random);
#endif
  if (code != 0) return mbedtls_error("sign", code);
  return std::string(reinterpret_cast<const char*>(out), length);
}

Result<std::string> public_key_der(Key& key) {
  unsigned char out[256];
  const int length = mbedtls_pk_write_pubkey_der(&key.pk, out, sizeof out);  // fills from the end
  if (length < 0) return mbedtls_error("write public key", length);
  const size_t bytes = static_cast<size_t>(length);
  return std::string(reinterpret_cast<const char*>(out) + sizeof out - bytes, bytes);
}

std::string pem(std::string_view label, std::string_view der) {
  constexpr size_t kLine = 64;
  const std::string text = base64(der);
  std::string out = join({"-----BEGIN ", label, "-----\n"});
  for (size_t at = 0; at < text.size(); at += kLine) {
    out.append(text, at, kLine) += '\n';
  }
  return out += join({"-----END ", label, "-----\n"});
}

}  // namespace coracle::pki
