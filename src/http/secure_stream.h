// SPDX-License-Identifier: GPL-2.0-or-later
// A TLS connection over a port::Stream, for either side: plain bytes in and out. Output is gathered
// over a loop turn and leaves as few records and one send. Owned by a connection or a client, which
// must not destroy it from inside one of its events (they do it at the end of the turn).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/tls_session.h"
#include "port/clock.h"
#include "port/net.h"

namespace coracle::http {

class SecureEvents {
 public:
  virtual void on_open() = 0;                         // the handshake is done
  virtual void on_plain(std::string_view bytes) = 0;  // valid during the call
  virtual void on_turn() = 0;                         // last chance of this turn to write
  virtual void on_sent() = 0;                         // unsent() fell to 0
  virtual void on_ended(std::string_view why) = 0;    // at most once; no other event follows

 protected:
  ~SecureEvents() = default;
};

class SecureStream final : private port::StreamEvents, private port::TurnEnd, private port::Alarm {
 public:
  SecureStream(port::Clock& clock, std::unique_ptr<TlsSession> tls, SecureEvents& events);
  ~SecureStream();
  SecureStream(const SecureStream&) = delete;
  SecureStream& operator=(const SecureStream&) = delete;

  // `early`: what the stream has brought so far; its reading is paused.
  void accept(std::unique_ptr<port::Stream> stream, std::string_view early);
  void connect(port::Network& network, const port::Endpoint& to);

  void write(std::string_view bytes);
  size_t unsent() const;    // accepted by write() and not yet taken by the kernel
  void wake();              // on_turn() at the end of this turn
  void pause(bool paused);  // no on_plain meanwhile
  void finish();            // says goodbye after everything written; on_ended follows
  bool finishing() const { return finishing_; }
  const TlsSession& tls() const { return *tls_; }

 private:
  void on_connected() override;
  void on_bytes(std::string_view bytes) override;
  void on_drained() override;
  void on_closed(std::string_view why) override;
  void on_turn_end() override;
  void on_alarm(port::Timer& timer) override;
  void pump();
  void read_plain();
  void flush();
  void watch_for_stall();
  void end(std::string_view why);

  port::Clock& clock_;
  std::unique_ptr<TlsSession> tls_;
  SecureEvents& events_;
  std::unique_ptr<port::Stream> stream_;
  std::string plain_;                   // less than a record, not yet encrypted
  std::unique_ptr<port::Timer> stall_;  // while the peer does not take what was sent
  size_t stalled_at_ = 0;
  std::string why_;
  bool open_ = false;
  bool paused_ = false;
  bool has_input_ = false;  // held back while paused
  bool wrote_ = false;      // since the last on_sent
  bool finishing_ = false;
  bool ended_ = false;
};

}  // namespace coracle::http
