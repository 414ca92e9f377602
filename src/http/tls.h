// SPDX-License-Identifier: GPL-2.0-or-later
// TLS >= 1.2 by mbedTLS 2.28 or 3.6 over memory: bytes in, bytes out (ARCHITECTURE D6). ECDHE +
// AEAD only, no renegotiation, session tickets, ALPN. Nothing outside http/tls*.cc and pki/
// includes an mbedTLS header.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "port/random.h"

namespace coracle::http {

struct TlsServerOptions {
  std::string certificate_pem;  // chain, leaf first
  std::string key_pem;
  std::string
      client_ca_pem;  // client certificates are optional; an unverifiable one fails the handshake
  bool http2 = true;  // ALPN h2 before http/1.1
  bool require_client = false;  // no handshake without a client certificate
};

// Shared by all connections made with it (the one use of shared ownership: connections outlive a
// rotation).
class TlsServerContext;
Result<std::shared_ptr<const TlsServerContext>> make_tls_server(const TlsServerOptions& options,
                                                                port::Random& random);

struct TlsClientOptions {
  std::string ca_pem;           // the only trust anchor
  std::string certificate_pem;  // optional client certificate
  std::string key_pem;
  std::string server_name;  // checked against the certificate (DNS name or address); never empty
  bool any_server = false;  // instead of server_name: the caller judges by TlsSession::peer()
  bool http2 = false;  // ALPN offers h2 before http/1.1; http::Client itself speaks only HTTP/1.1
  // Believes any server: only to fetch what is checked by other means afterwards.
  bool unverified = false;
};

class TlsClientContext;
Result<std::shared_ptr<const TlsClientContext>> make_tls_client(const TlsClientOptions& options,
                                                                port::Random& random);

}  // namespace coracle::http
