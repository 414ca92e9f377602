// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/tls.h"

#if __has_include(<psa/crypto.h>)
#include <psa/crypto.h>
#endif

#include "base/bytes.h"
#include "http/tls_mbed.h"

namespace coracle::http {
namespace {

// ECDHE and AEAD only. ChaCha20 first: without carry-less multiplication in mbedTLS 2.28 it
// moves 1.7 times the bytes of AES-GCM, and boards without AES instructions gain far more. The RSA
// forms serve certificates of others.
constexpr int kCipherSuites[] = {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    0,
};

// P-256 is the curve that mbedTLS computes fastest; the others are for clients that lack it.
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
constexpr uint16_t kGroups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
#else
constexpr mbedtls_ecp_group_id kGroups[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_CURVE25519,
                                            MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_NONE};
#endif

const char* alpn_of_both[] = {"h2", "http/1.1", nullptr};
const char* alpn_of_http1[] = {"http/1.1", nullptr};

constexpr uint32_t kTicketLifetimeSeconds = 24 * 60 * 60;

int fill_random(void* random, unsigned char* out, size_t bytes) {
  static_cast<port::Random*>(random)->fill(reinterpret_cast<char*>(out), bytes);
  return 0;
}

}  // namespace

Error tls_error(std::string_view what, int code) {
  const uint32_t number = static_cast<uint32_t>(-code);
  const char digits[] = {static_cast<char>(number >> 8), static_cast<char>(number)};
  return fail(Code::kIo, join({what, ": mbedtls error -0x", hex({digits, sizeof digits})}));
}

TlsSettings::TlsSettings() {
  mbedtls_ssl_config_init(&config);
  mbedtls_x509_crt_init(&own);
  mbedtls_x509_crt_init(&anchors);
  mbedtls_pk_init(&key);
}

TlsSettings::~TlsSettings() {
  mbedtls_ssl_config_free(&config);
  mbedtls_x509_crt_free(&own);
  mbedtls_x509_crt_free(&anchors);
  mbedtls_pk_free(&key);
}

Result<> TlsSettings::set_up(int endpoint, port::Random& source) {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  if (psa_crypto_init() != PSA_SUCCESS) return fail(Code::kInternal, "tls: no crypto");
#endif
  random = &source;
  const int code = mbedtls_ssl_config_defaults(&config, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM,
                                               MBEDTLS_SSL_PRESET_DEFAULT);
  if (code != 0) return tls_error("tls defaults", code);
  mbedtls_ssl_conf_rng(&config, fill_random, random);
  mbedtls_ssl_conf_ciphersuites(&config, kCipherSuites);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  mbedtls_ssl_conf_min_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_2);
  mbedtls_ssl_conf_groups(&config, kGroups);
#else
  mbedtls_ssl_conf_min_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_curves(&config, kGroups);
#endif
#if defined(MBEDTLS_SSL_RENEGOTIATION)
  mbedtls_ssl_conf_renegotiation(&config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
  return {};
}

Result<> TlsSettings::use_certificate(std::string_view certificate_pem, std::string_view key_pem) {
  const std::string chain_text(certificate_pem);  // mbedTLS wants the terminating NUL counted
  const std::string key_text(key_pem);
  int code = mbedtls_x509_crt_parse(&own, raw(chain_text), chain_text.size() + 1);
  if (code != 0) return tls_error("tls certificate", code);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  code = mbedtls_pk_parse_key(&key, raw(key_text), key_text.size() + 1, nullptr, 0, fill_random,
                              random);
  if (code == 0) code = mbedtls_pk_check_pair(&own.pk, &key, fill_random, random);
#else
  code = mbedtls_pk_parse_key(&key, raw(key_text), key_text.size() + 1, nullptr, 0);
  if (code == 0) code = mbedtls_pk_check_pair(&own.pk, &key);
#endif
  if (code == 0) code = mbedtls_ssl_conf_own_cert(&config, &own, &key);
  if (code != 0) return tls_error("tls key", code);
  return {};
}

Result<> TlsSettings::trust(std::string_view ca_pem) {
  const std::string text(ca_pem);
  const int code = mbedtls_x509_crt_parse(&anchors, raw(text), text.size() + 1);
  if (code != 0) return tls_error("tls authority", code);
  mbedtls_ssl_conf_ca_chain(&config, &anchors, nullptr);
  return {};
}

Result<std::shared_ptr<const TlsServerContext>> make_tls_server(const TlsServerOptions& options,
                                                                port::Random& random) {
  auto context = std::make_shared<TlsServerContext>();
  TlsSettings& settings = context->settings;
  TRY(settings.set_up(MBEDTLS_SSL_IS_SERVER, random));
  TRY(settings.use_certificate(options.certificate_pem, options.key_pem));
  if (options.require_client && options.client_ca_pem.empty()) {
    return fail(Code::kInternal, "tls: no authority to check clients by");
  }
  if (options.client_ca_pem.empty()) {
    mbedtls_ssl_conf_authmode(&settings.config, MBEDTLS_SSL_VERIFY_NONE);
  } else {
    TRY(settings.trust(options.client_ca_pem));
    mbedtls_ssl_conf_authmode(&settings.config, options.require_client
                                                    ? MBEDTLS_SSL_VERIFY_REQUIRED
                                                    : MBEDTLS_SSL_VERIFY_OPTIONAL);
  }
  int code = mbedtls_ssl_conf_alpn_protocols(&settings.config,
                                             options.http2 ? alpn_of_both : alpn_of_http1);
  if (code != 0) return tls_error("tls alpn", code);
  code = mbedtls_ssl_ticket_setup(&context->tickets, fill_random, &random,
                                  MBEDTLS_CIPHER_AES_256_GCM, kTicketLifetimeSeconds);
  if (code != 0) return tls_error("tls tickets", code);
  mbedtls_ssl_conf_session_tickets_cb(&settings.config, mbedtls_ssl_ticket_write,
                                      mbedtls_ssl_ticket_parse, &context->tickets);
  return std::shared_ptr<const TlsServerContext>(std::move(context));
}

Result<std::shared_ptr<const TlsClientContext>> make_tls_client(const TlsClientOptions& options,
                                                                port::Random& random) {
  if (options.server_name.empty() && !options.any_server) {
    return fail(Code::kInternal, "tls: no server name to check");
  }
  auto context = std::make_shared<TlsClientContext>();
  context->server_name = options.server_name;
  TlsSettings& settings = context->settings;
  TRY(settings.set_up(MBEDTLS_SSL_IS_CLIENT, random));
  if (!options.unverified) TRY(settings.trust(options.ca_pem));
  mbedtls_ssl_conf_authmode(
      &settings.config, options.unverified ? MBEDTLS_SSL_VERIFY_NONE : MBEDTLS_SSL_VERIFY_REQUIRED);
  if (!options.certificate_pem.empty()) {
    TRY(settings.use_certificate(options.certificate_pem, options.key_pem));
  }
  const int code = mbedtls_ssl_conf_alpn_protocols(&settings.config,
                                                   options.http2 ? alpn_of_both : alpn_of_http1);
  if (code != 0) return tls_error("tls alpn", code);
  return std::shared_ptr<const TlsClientContext>(std::move(context));
}

}  // namespace coracle::http
