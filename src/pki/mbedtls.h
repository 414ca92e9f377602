// SPDX-License-Identifier: GPL-2.0-or-later
// The differences between mbedTLS 2.28 and 3.6, and owners for its structs. Private to this room.
#pragma once

#include <string>
#include <string_view>

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#include "base/result.h"
#include "port/random.h"

namespace coracle::pki {

struct Key {
  Key() { mbedtls_pk_init(&pk); }
  ~Key() { mbedtls_pk_free(&pk); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  mbedtls_pk_context pk;
};

struct Chain {
  Chain() { mbedtls_x509_crt_init(&crt); }
  ~Chain() { mbedtls_x509_crt_free(&crt); }
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;
  mbedtls_x509_crt crt;
};

inline const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline std::string_view view(const mbedtls_asn1_buf& buffer) {
  return {reinterpret_cast<const char*>(buffer.p), buffer.len};
}

Error mbedtls_error(std::string_view what, int code);
int fill_random(void* random, unsigned char* out, size_t bytes);  // the f_rng of mbedTLS

Result<> parse_private_key(Key& key, std::string_view pem, port::Random& random);
Result<> parse_public_key(Key& key, std::string_view pem);  // EC P-256 only
Result<> parse_certificates(Chain& chain, std::string_view pem);
// ECDSA over SHA-256 of `message`; the signature is DER: SEQUENCE { r, s }.
Result<std::string> sign(Key& key, std::string_view message, port::Random& random);
// SubjectPublicKeyInfo.
Result<std::string> public_key_der(Key& key);
std::string pem(std::string_view label, std::string_view der);

}  // namespace coracle::pki
