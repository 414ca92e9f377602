// SPDX-License-Identifier: GPL-2.0-or-later
// HTTPS server: accepts streams, TLS, HTTP/1.1 and HTTP/2, hands whole requests to a Site and sends
// answers. Bounds and timeouts are those of base/limits.h. Malformed input is answered here (400,
// 413, 414, 431, 501) and never reaches the Site.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"
#include "http/tls.h"
#include "port/clock.h"
#include "port/net.h"
#include "port/random.h"

namespace coracle::http {

class Site;

// Takes what a client sends over a connection that no longer speaks HTTP.
class Upgraded {
 public:
  virtual void on_bytes(std::string_view bytes) = 0;

 protected:
  ~Upgraded() = default;
};

// One answer in progress. Valid from on_request until finish() returns or on_gone() is called.
class Response {
 public:
  // Sends the head at once (a watch's client blocks until it sees it). Without a content-length
  // header the body is chunked on HTTP/1.1. date, x-content-type-options: nosniff and the
  // connection header are added.
  virtual void start(int status, std::span<const Header> headers) = 0;
  virtual void write(
      std::string_view bytes) = 0;     // body; leaves with the end of the turn at the latest
  virtual void finish() = 0;           // the Response is gone after this
  virtual size_t backlog() const = 0;  // body bytes accepted and not yet sent; stay below
                                       // limits::kSendBufferBytesMax and wait for on_drained
  void answer(int status,
              std::string_view content_type,
              std::string_view body,
              std::span<const Header> more = {});
  // An answer of http's own, in the Site's words.
  void answer_refusal(Site& site, int status, std::string_view why);
  // 101 Switching Protocols, with `headers` ("upgrade" and "connection" among them). From now on
  // write() sends bytes as they are, `to` is handed those of the client, finish() closes. False:
  // this version of HTTP cannot.
  virtual bool upgrade(std::span<const Header> /*headers*/, Upgraded& /*to*/) { return false; }
  virtual void pause(bool /*paused*/) {}  // of an upgraded one: nothing more is handed over
  // Who asks has proven who he is: his connection no longer counts as a stranger's.
  virtual void vouch() {}

  void* context = nullptr;  // the Site's own; never touched by http

 protected:
  ~Response() = default;
};

class Site {
 public:
  virtual void on_request(Request&& request, Response& response) = 0;
  virtual void on_drained(
      Response& response) = 0;  // backlog() fell to 0 after it was above the bound
  virtual void on_gone(
      Response& response) = 0;  // the client left, or the connection broke, before finish()
  // The JSON body of an answer that http gives by itself; empty: plain text.
  virtual std::string refusal(int /*status*/, std::string_view /*why*/) { return {}; }

 protected:
  ~Site() = default;
};

class Server final {
 public:
  Server(port::Clock& clock, port::Random& random, Site& site);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // tls may be replaced later (certificate rotation): new connections use the new one.
  void use_tls(std::shared_ptr<const TlsServerContext> tls);
  Result<> listen(port::Network& network, const port::Endpoint& at);
  port::Endpoint local() const;
  // No new connections; idle ones close; answers in progress may finish.
  void stop_accepting();
  size_t connections() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace coracle::http
