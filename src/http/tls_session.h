// SPDX-License-Identifier: GPL-2.0-or-later
// One end of one TLS connection: bytes in, bytes out, no socket and no clock. Owned by a
// connection.
//
//   session.receive(cipher); session.handshake() until kOpen; session.read(...) until 0;
//   session.keep_rest(); session.write(plain); stream.send(session.take_output());
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message.h"
#include "http/tls.h"

namespace coracle::http {

// What a client keeps of a session to resume it: a handshake without a signature. Empty until a
// session was saved.
class TlsTicket {
 public:
  TlsTicket();
  ~TlsTicket();
  TlsTicket(const TlsTicket&) = delete;
  TlsTicket& operator=(const TlsTicket&) = delete;

 private:
  friend class TlsSession;
  struct Saved;
  std::unique_ptr<Saved> saved_;
};

class TlsSession {
 public:
  enum class State : uint8_t { kHandshaking, kOpen, kClosed, kFailed };

  // Certificates are checked against `now`; mbedTLS's own clock is not asked.
  TlsSession(std::shared_ptr<const TlsServerContext> context, Wall now);
  TlsSession(std::shared_ptr<const TlsClientContext> context, Wall now, const TlsTicket& ticket);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  void receive(
      std::string_view cipher);  // borrowed until keep_rest(), which must follow in the same event
  void keep_rest();
  State handshake();                     // as far as the input goes
  size_t read(char* out, size_t bytes);  // 0: needs more input, or state() changed
  void write(std::string_view plain);    // only when open
  void close();                          // close_notify
  std::string take_output();
  size_t output_bytes() const;

  State state() const;
  std::string_view why() const;  // of kFailed
  bool chose_http2() const;
  PeerIdentity peer() const;  // once open
  bool resumed() const;       // client side: the handshake skipped the certificates
  void save(TlsTicket& ticket) const;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace coracle::http
