// SPDX-License-Identifier: GPL-2.0-or-later
// mbedTLS as tls.cc and tls_session.cc share it. Private to http/tls*.cc.
#pragma once

#include <string_view>

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#include "base/result.h"
#include "http/tls.h"
#include "port/random.h"

namespace coracle::http {

// What both sides configure: certificate, key, trust anchors and the rules of ARCHITECTURE D6.
struct TlsSettings {
  TlsSettings();
  ~TlsSettings();
  TlsSettings(const TlsSettings&) = delete;
  TlsSettings& operator=(const TlsSettings&) = delete;

  Result<> set_up(int endpoint, port::Random& random);
  Result<> use_certificate(std::string_view certificate_pem, std::string_view key_pem);
  Result<> trust(std::string_view ca_pem);

  mbedtls_ssl_config config;
  mbedtls_x509_crt own;
  mbedtls_x509_crt anchors;
  mbedtls_pk_context key;
  port::Random* random = nullptr;
};

class TlsServerContext {
 public:
  TlsServerContext() { mbedtls_ssl_ticket_init(&tickets); }
  ~TlsServerContext() { mbedtls_ssl_ticket_free(&tickets); }
  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;

  TlsSettings settings;
  mbedtls_ssl_ticket_context tickets;
};

class TlsClientContext {
 public:
  TlsSettings settings;
  std::string server_name;
};

inline const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline std::string_view view(const mbedtls_asn1_buf& buffer) {
  return {reinterpret_cast<const char*>(buffer.p), buffer.len};
}

Error tls_error(std::string_view what, int code);

}  // namespace coracle::http
