// SPDX-License-Identifier: GPL-2.0-or-later
// A server with a Site that records, and peers that speak TLS to it, all in memory.
#pragma once

#include <string>
#include <vector>

#include "base/limits.h"
#include "http/secure_stream.h"
#include "http/server.h"
#include "tests/unit/http/certificates.h"
#include "tests/unit/http/loopback.h"
#include "tests/unit/pki/counting_random.h"

namespace coracle::http {

constexpr uint16_t kPort = 6443;

// Answers "/hello" and echoes bodies at once; holds everything else in `open` for the test to
// answer.
class TestSite final : public Site {
 public:
  void on_request(Request&& request, Response& response) override {
    requests.push_back(std::move(request));
    const Request& last = requests.back();
    if (last.path == "/hello") return response.answer(200, "text/plain", "hello");
    if (last.path == "/echo") return response.answer(200, "text/plain", last.body);
    open.push_back(&response);
  }
  void on_drained(Response& response) override {
    drained++;
    if (left == 0) return;
    pour(response);
  }
  void on_gone(Response& response) override {
    gone++;
    std::erase(open, &response);
  }
  // Writes `left` bytes through the window, then finishes.
  void pour(Response& response) {
    const std::string piece(16 * 1024, 'x');
    while (left > 0 && response.backlog() <= limits::kSendBufferBytesMax) {
      const size_t bytes = std::min(left, piece.size());
      response.write(std::string_view(piece).substr(0, bytes));
      left -= bytes;
      most = std::max(most, response.backlog());
    }
    if (left > 0) return;
    std::erase(open, &response);
    response.finish();
  }

  std::vector<Request> requests;
  std::vector<Response*> open;
  size_t left = 0;
  size_t most = 0;
  int drained = 0;
  int gone = 0;
};

struct Identity {
  const char* certificate = "";
  const char* key = "";
};
inline Identity alice() {
  return {testing_certificates::kClient, testing_certificates::kClientKey};
}

struct World {
  explicit World(bool http2 = false) : offers_http2(http2) {
    clock.set_wall(parse_rfc3339("2025-06-01T12:00:00Z").value());
    auto tls = make_tls_server({.certificate_pem = testing_certificates::kServer,
                                .key_pem = testing_certificates::kServerKey,
                                .client_ca_pem = testing_certificates::kAuthority,
                                .http2 = http2},
                               random);
    ASSERT(tls.has_value());
    server.use_tls(*tls);
    ASSERT(server.listen(network, {"127.0.0.1", kPort}).has_value());
  }
  std::shared_ptr<const TlsClientContext> client_tls(Identity identity = {},
                                                     const char* name = "127.0.0.1") {
    auto tls = make_tls_client({.ca_pem = testing_certificates::kAuthority,
                                .certificate_pem = identity.certificate,
                                .key_pem = identity.key,
                                .server_name = name,
                                .http2 = offers_http2},
                               random);
    ASSERT(tls.has_value());
    return *tls;
  }

  const bool offers_http2;
  CountingRandom random;
  TestClock clock;
  TestNetwork network{clock};
  TestSite site;
  Server server{clock, random, site};
};

// A client end that only knows TLS.
class Peer final : public SecureEvents {
 public:
  explicit Peer(World& world, Identity identity = {}, const char* name = "127.0.0.1")
      : Peer(world, world.client_tls(identity, name)) {}
  Peer(World& world, std::shared_ptr<const TlsClientContext> tls)
      : stream(world.clock,
               std::make_unique<TlsSession>(std::move(tls), world.clock.trusted(), TlsTicket()),
               *this) {
    stream.connect(world.network, {"127.0.0.1", kPort});
  }
  void on_open() override { open = true; }
  void on_plain(std::string_view bytes) override { got += bytes; }
  void on_turn() override {}
  void on_sent() override {}
  void on_ended(std::string_view reason) override {
    ended = true;
    why = reason;
  }
  std::string take() { return std::exchange(got, {}); }

  bool open = false;
  bool ended = false;
  std::string got;
  std::string why;
  SecureStream stream;
};

}  // namespace coracle::http
