// SPDX-License-Identifier: GPL-2.0-or-later
// One accepted connection: waits for its client's hello, then for a handshake slot, does TLS, then
// speaks the version of HTTP that was agreed on. Owned by the server, which deletes it at the end
// of the turn in which it retired.
#pragma once

#include <memory>
#include <string>

#include "base/limits.h"
#include "http/body_budget.h"
#include "http/secure_stream.h"
#include "http/server.h"

namespace coracle::http {

// From here on a Site may be waiting for on_drained.
constexpr size_t kDrainBytes = limits::kSendBufferBytesMax / 2;

// A version of HTTP on one connection: Http1 or Http2.
class Protocol {
 public:
  virtual ~Protocol() = default;
  virtual void receive(std::string_view plain) = 0;
  virtual void turn() = 0;       // end of the turn: write what is ready
  virtual void sent() = 0;       // everything written has left
  virtual void gone() = 0;       // the connection broke: tell the Site about open answers
  virtual void stop() = 0;       // finish what is in progress, take nothing new
  virtual void timed_out() = 0;  // the deadline that this protocol set
};

class Connection;

// What a connection tells its server.
class ConnectionOwner {
 public:
  virtual void on_hello() = 0;
  virtual void on_handshake_over() = 0;
  virtual void on_retired() = 0;

 protected:
  ~ConnectionOwner() = default;
};

class Connection final : private SecureEvents, private port::StreamEvents, private port::Alarm {
 public:
  struct Surroundings {
    port::Clock& clock;
    Site& site;
    BodyBudget& bodies;
    ConnectionOwner& owner;
  };
  Connection(const Surroundings& around, std::unique_ptr<port::Stream> stream);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start(std::shared_ptr<const TlsServerContext> tls);  // takes a handshake slot
  void stop();
  void drop();  // at once, without telling the peer

  bool is_waiting() const { return greeted_ && secure_ == nullptr && !retired_; }
  bool is_shaking_hands() const { return secure_ != nullptr && protocol_ == nullptr && !retired_; }
  bool is_stranger() const { return protocol_ != nullptr && !known_ && !retired_; }
  bool is_known() const { return known_; }
  bool is_retired() const { return retired_; }
  Mono started() const { return started_; }
  const std::string& peer_address() const { return peer_address_; }

  // For the protocols.
  port::Clock& clock() { return around_.clock; }
  Site& site() { return around_.site; }
  BodyBudget& bodies() { return around_.bodies; }
  SecureStream& stream() { return *secure_; }
  const PeerIdentity& peer() const { return peer_; }
  void vouch() { known_ = true; }
  void expire_after(Duration wait);  // then Protocol::timed_out(); replaces the earlier deadline
  void expire_never();
  void finish();  // after everything written

 private:
  void on_bytes(std::string_view bytes) override;        // until start()
  void on_closed(std::string_view) override { drop(); }  // until start()
  void on_open() override;
  void on_plain(std::string_view bytes) override { protocol_->receive(bytes); }
  void on_turn() override { protocol_->turn(); }
  void on_sent() override { protocol_->sent(); }
  void on_ended(std::string_view why) override;
  void on_alarm(port::Timer& timer) override;
  void retire();

  Surroundings around_;
  std::unique_ptr<port::Stream> waiting_;  // until start()
  std::string hello_;                      // until start(): what came
  std::unique_ptr<SecureStream> secure_;
  std::unique_ptr<Protocol> protocol_;
  std::unique_ptr<port::Timer> timer_;  // handshake, then the protocol's deadline
  std::string peer_address_;
  PeerIdentity peer_;
  Mono started_;
  bool greeted_ = false;  // hello_ is whole
  bool known_ = false;    // by certificate, or the Site vouched for it
  bool retired_ = false;
};

std::unique_ptr<Protocol> speak_http1(Connection& connection);
std::unique_ptr<Protocol> speak_http2(Connection& connection);

}  // namespace coracle::http
