// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server.h"

#include <gtest/gtest.h>

#include "tests/unit/http/world.h"

namespace coracle::http {
namespace {

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

size_t occurrences(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1))
    count++;
  return count;
}

TEST(Server, AnswersOverTlsAndKeepsTheConnection) {
  World world;
  Peer peer(world);
  world.network.run();
  ASSERT_TRUE(peer.open) << peer.why;
  for (int i = 0; i < 3; i++) {
    peer.stream.write(kHello);
    world.network.run();
    const std::string answer = peer.take();
    EXPECT_EQ(answer.rfind("HTTP/1.1 200 OK\r\n", 0), 0u) << answer;
    EXPECT_TRUE(has(answer, "\r\ncontent-length: 5\r\n"));
    EXPECT_TRUE(has(answer, "\r\nx-content-type-options: nosniff\r\n"));
    EXPECT_TRUE(has(answer, "\r\ndate: Sun, 01 Jun 2025 12:00:00 GMT\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\nhello"));
  }
  EXPECT_FALSE(peer.ended);
  EXPECT_EQ(world.server.connections(), 1u);
}

TEST(Server, KnowsTheClientByItsCertificate) {
  World world;
  Peer alice_peer(world, alice());
  Peer nobody(world);
  world.network.run();
  alice_peer.stream.write(kHello);
  world.network.run();
  nobody.stream.write(kHello);
  world.network.run();
  ASSERT_EQ(world.site.requests.size(), 2u);
  const PeerIdentity& known = world.site.requests[0].peer;
  EXPECT_TRUE(known.verified);
  EXPECT_EQ(known.common_name, "alice");
  EXPECT_EQ(known.organizations, (std::vector<std::string>{"admins", "system:masters"}));
  EXPECT_EQ(known.serial.size(), 32u);
  EXPECT_EQ(world.site.requests[0].peer_address, "10.0.0.1");
  EXPECT_FALSE(world.site.requests[1].peer.verified);
  EXPECT_EQ(world.site.requests[1].peer.common_name, "");
}

TEST(Server, RefusesAStrangersCertificate) {
  World world;
  Peer peer(world, {testing_certificates::kStranger, testing_certificates::kStrangerKey});
  world.network.run();
  peer.stream.write(kHello);
  world.network.run();
  EXPECT_TRUE(peer.ended);
  EXPECT_TRUE(world.site.requests.empty());
}

TEST(Server, CertificatesAreJudgedByTheClockOfThePort) {
  World world;
  Peer early(world);
  world.network.run();
  EXPECT_TRUE(early.open);
  world.clock.set_wall(parse_rfc3339("2121-01-01T00:00:00Z").value());
  Peer late(world);
  world.network.run();
  EXPECT_FALSE(late.open);
  EXPECT_TRUE(has(late.why, "expired")) << late.why;
}

TEST(Server, ABootIn1970IsJudgedByWhatIsKnownToHavePassed) {
  World world;
  const Wall known = world.clock.wall();
  world.clock.set_wall(Wall{});
  EXPECT_EQ(world.clock.trusted().seconds(), 0);
  world.clock.raise_floor(known);
  world.clock.raise_floor(known + seconds(-86'400));  // never lowers it
  EXPECT_EQ(world.clock.trusted(), known);
  Peer peer(world, world.client_tls(alice()));
  world.network.run();
  EXPECT_TRUE(peer.open);
  world.clock.pass(minutes(5));
  EXPECT_EQ(world.clock.trusted(), known + minutes(5));
  EXPECT_EQ(world.clock.wall(), Wall{} + minutes(5));
  world.clock.set_wall(known + minutes(60));
  EXPECT_EQ(world.clock.trusted(), known + minutes(60));
}

TEST(Server, ClientChecksTheName) {
  World world;
  Peer by_name(world, {}, "localhost");
  Peer wrong_name(world, {}, "example.com");
  Peer wrong_address(world, {}, "127.0.0.2");
  world.network.run();
  EXPECT_TRUE(by_name.open) << by_name.why;
  EXPECT_FALSE(wrong_name.open);
  EXPECT_FALSE(wrong_address.open);
  EXPECT_TRUE(has(wrong_address.why, "does not match")) << wrong_address.why;
}

TEST(Server, MalformedRequestsAreAnsweredAndTheConnectionCloses) {
  const std::pair<std::string, int> rows[] = {
      {"garbage\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3145729\r\n\r\n", 413},
      {"GET /" + std::string(9000, 'a'), 414},
      {"GET / HTTP/1.1\r\nA: " + std::string(40'000, 'a'), 431},
      {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
  };
  World world;
  for (const auto& [bytes, status] : rows) {
    Peer peer(world);
    world.network.run();
    peer.stream.write(bytes);
    world.network.run();
    const std::string answer = peer.take();
    EXPECT_EQ(answer.rfind("HTTP/1.1 " + std::to_string(status) + " ", 0), 0u) << answer;
    EXPECT_TRUE(has(answer, "connection: close\r\n"));
    EXPECT_TRUE(has(answer, "content-type: text/plain; charset=utf-8\r\n"));
    EXPECT_TRUE(peer.ended);
  }
  EXPECT_TRUE(world.site.requests.empty());
  world.network.run();
  EXPECT_EQ(world.server.connections(), 0u);
}

TEST(Server, ContinuesWhenTheClientWaits) {
  World world;
  Peer peer(world);
  world.network.run();
  peer.stream.write(
      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  world.network.run();
  EXPECT_EQ(peer.take(), "HTTP/1.1 100 Continue\r\n\r\n");
  peer.stream.write("ok");
  world.network.run();
  EXPECT_TRUE(peer.take().ends_with("\r\n\r\nok"));
}

TEST(Server, LargeBodiesArriveWhole) {
  World world;
  world.network.piece_bytes = 10'007;
  Peer peer(world);
  world.network.run();
  const std::string body(3 * 1024 * 1024, 'b');
  peer.stream.write("POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 3145728\r\n\r\n");
  peer.stream.write(body);
  world.network.run();
  ASSERT_EQ(world.site.open.size(), 1u);
  EXPECT_EQ(world.site.requests[0].body, body);
  world.site.open[0]->answer(201, "text/plain", "");
  world.network.run();
  EXPECT_TRUE(has(peer.take(), "HTTP/1.1 201 Created\r\n"));
}

void send_large(Peer& peer) {
  peer.stream.write("POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 1500000\r\n\r\n");
  peer.stream.write(std::string(1'500'000, 'b'));
}

TEST(Server, LargeBodiesAreWorkedOnInTurn) {
  World world;
  Peer first(world), second(world), left(world), third(world), small(world);
  world.network.run();
  for (Peer* each : {&first, &second, &left, &third}) {
    send_large(*each);
    world.network.run();
  }
  small.stream.write(kHello);
  world.network.run();
  EXPECT_TRUE(small.take().ends_with("hello")) << "what is small does not wait";
  EXPECT_EQ(world.site.open.size(), 1u);
  left.stream.finish();
  world.network.run();
  EXPECT_EQ(world.site.gone, 0) << "the site never heard of it";
  world.site.open[0]->answer(201, "text/plain", "");
  world.network.run();
  EXPECT_TRUE(has(first.take(), "HTTP/1.1 201 Created\r\n"));
  ASSERT_EQ(world.site.open.size(), 2u);
  second.stream.finish();
  world.network.run();
  EXPECT_EQ(world.site.gone, 1);
  ASSERT_EQ(world.site.open.size(), 2u) << "whose client left makes room as well";
  world.site.open.back()->answer(201, "text/plain", "");
  world.network.run();
  EXPECT_TRUE(has(third.take(), "HTTP/1.1 201 Created\r\n"));
}

TEST(Server, MoreLargeBodiesThanMemoryAreRefused) {
  World world;
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 6; i++)
    peers.push_back(std::make_unique<Peer>(world));
  world.network.run();
  for (const auto& each : peers) {
    send_large(*each);
    world.network.run();
  }
  EXPECT_EQ(world.site.open.size(), 1u);
  EXPECT_EQ(peers[4]->take(), "") << "7 MiB hold four that wait";
  const std::string refused = peers[5]->take();
  EXPECT_TRUE(has(refused, "HTTP/1.1 429 Too Many Requests\r\n"));
  EXPECT_TRUE(has(refused, "retry-after: 1\r\n"));
}

TEST(Server, AWatchSeesItsHeadAndEachEventAtOnce) {
  World world;
  Peer peer(world);
  world.network.run();
  peer.stream.write("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
  world.network.run();
  ASSERT_EQ(world.site.open.size(), 1u);
  Response& response = *world.site.open[0];
  response.start(200, {});
  world.network.run();
  EXPECT_TRUE(has(peer.got, "transfer-encoding: chunked\r\n"));
  EXPECT_TRUE(peer.take().ends_with("\r\n\r\n"));
  response.write("{}\n");
  world.network.run();
  EXPECT_EQ(peer.take(), "3\r\n{}\n\r\n");
  world.clock.pass(minutes(30));
  world.network.run();
  EXPECT_FALSE(peer.ended);
  response.finish();
  world.network.run();
  EXPECT_EQ(peer.take(), "0\r\n\r\n");
  peer.stream.write(kHello);
  world.network.run();
  EXPECT_TRUE(peer.take().ends_with("hello"));
}

TEST(Server, WritesOfATurnLeaveTogether) {
  World world;
  Peer peer(world);
  world.network.run();
  peer.stream.write("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
  world.network.run();
  world.network.sends = 0;
  world.site.open[0]->start(200, {});
  for (int i = 0; i < 100; i++)
    world.site.open[0]->write("an event\n");
  world.network.run();
  EXPECT_EQ(world.network.sends, 1u);
  EXPECT_EQ(occurrences(peer.got, "an event\n"), 100u);
}

TEST(Server, ALongAnswerGoesThroughASmallWindow) {
  World world;
  Peer peer(world);
  world.network.run();
  peer.stream.write("GET /list HTTP/1.1\r\nHost: a\r\n\r\n");
  world.network.run();
  world.site.left = 5'000'000;
  world.site.open[0]->start(200, {});
  world.site.pour(*world.site.open[0]);
  world.network.run();
  EXPECT_EQ(world.site.left, 0u);
  EXPECT_LE(world.site.most, limits::kSendBufferBytesMax + 17 * 1024);
  EXPECT_GT(world.site.drained, 10);
  EXPECT_TRUE(peer.got.ends_with("\r\n0\r\n\r\n"));
  EXPECT_GT(peer.got.size(), 5'000'000u);
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  World world;
  Peer peer(world);
  world.network.run();
  std::string many;
  for (int i = 0; i < 1000; i++) {
    many +=
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n" + std::to_string(1000 + i);
  }
  peer.stream.write(many);
  world.network.run();
  const std::string answers = peer.take();
  EXPECT_EQ(occurrences(answers, "HTTP/1.1 200 OK\r\n"), 1000u);
  EXPECT_LT(answers.find("\r\n\r\n1000"), answers.find("\r\n\r\n1999"));
}

TEST(Server, PipelinesWaitForASlowAnswerWithinABound) {
  World world;
  Peer peer(world);
  world.network.run();
  peer.stream.write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int i = 0; i < 10'000; i++)
    peer.stream.write(kHello);
  world.network.run();
  EXPECT_EQ(world.site.requests.size(), 1u);
  EXPECT_GT(peer.stream.unsent(), 100'000u);  // the server stopped reading
  world.site.open[0]->answer(200, "text/plain", "slow");
  world.network.run();
  EXPECT_EQ(world.site.requests.size(), 10'001u);
  EXPECT_EQ(occurrences(peer.got, "HTTP/1.1 200 OK\r\n"), 10'001u);
}

TEST(Server, HeadAndHttp10) {
  World world;
  Peer peer(world);
  world.network.run();
  peer.stream.write("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  world.network.run();
  EXPECT_TRUE(has(peer.got, "content-length: 5\r\n"));
  EXPECT_TRUE(peer.take().ends_with("\r\n\r\n"));
  peer.stream.write("GET /old HTTP/1.0\r\n\r\n");
  world.network.run();
  world.site.open[0]->start(200, {});
  world.site.open[0]->write("until the end");
  world.site.open[0]->finish();
  world.network.run();
  EXPECT_TRUE(peer.take().ends_with("\r\n\r\nuntil the end"));
  EXPECT_TRUE(peer.ended);
}

TEST(Server, TheSiteHearsOfClientsThatLeave) {
  World world;
  auto peer = std::make_unique<Peer>(world);
  world.network.run();
  peer->stream.write("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
  world.network.run();
  ASSERT_EQ(world.site.open.size(), 1u);
  peer.reset();
  world.network.run();
  EXPECT_EQ(world.site.gone, 1);
  EXPECT_EQ(world.server.connections(), 0u);
}

TEST(Server, TimeoutsForSilenceHeadsAndBodies) {
  World world;
  struct Row {
    std::string_view bytes;
    Duration after;
    std::string_view answer;
  };
  const Row rows[] = {{"", limits::kHeaderReadTimeout, ""},
                      {kHello, limits::kIdleTimeout, "HTTP/1.1 200"},
                      {"GET / HT", limits::kHeaderReadTimeout, "HTTP/1.1 408"},
                      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
                       limits::kRequestTimeout, "HTTP/1.1 408"}};
  for (const Row& row : rows) {
    Peer peer(world);
    world.network.run();
    peer.stream.write(row.bytes);
    world.network.run();
    world.clock.pass(row.after + milliseconds(-1));
    world.network.run();
    EXPECT_FALSE(peer.ended) << row.bytes;
    world.clock.pass(milliseconds(1));
    world.network.run();
    EXPECT_TRUE(peer.ended) << row.bytes;
    EXPECT_EQ(peer.got.rfind(row.answer, 0), 0u) << peer.got;
  }
  world.network.run();
  EXPECT_EQ(world.server.connections(), 0u);
}

TEST(Server, BytesThatDripInDoNotMoveTheDeadline) {
  World world;
  Peer peer(world);
  world.network.run();
  peer.stream.write("GET / HTTP/1.1\r\na: ");
  for (int second = 1; second < 10; second++) {
    world.clock.pass(seconds(1));
    peer.stream.write("b");
    world.network.run();
    EXPECT_FALSE(peer.ended) << second;
  }
  world.clock.pass(seconds(1));
  world.network.run();
  EXPECT_TRUE(peer.ended);
  EXPECT_EQ(peer.got.rfind("HTTP/1.1 408", 0), 0u) << peer.got;
}

TEST(Server, APeerThatTakesNothingIsDropped) {
  World world;
  Peer peer(world);
  world.network.run();
  peer.stream.write("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
  world.network.run();
  world.network.stuck = true;
  world.site.open[0]->start(200, {});
  world.network.run();
  world.clock.pass(seconds(61));
  world.network.run();
  EXPECT_EQ(world.site.gone, 1);
  EXPECT_EQ(world.server.connections(), 0u);
}

// Sends `hello` and then nothing.
struct Silent final : port::StreamEvents {
  Silent(World& world, std::string text) : hello(std::move(text)) {
    stream = world.network.connect({"127.0.0.1", kPort}, *this);
  }
  void on_connected() override { stream->send(hello); }
  void on_bytes(std::string_view) override {}
  void on_closed(std::string_view) override { closed = true; }
  std::string hello;
  std::unique_ptr<port::Stream> stream;
  bool closed = false;
};

std::string client_hello(World& world) {
  TlsSession client(world.client_tls(), world.clock.wall(), TlsTicket());
  client.handshake();
  return client.take_output();
}

TEST(Server, ASlotIsForWhoHasSentAWholeHello) {
  World world;
  const std::string hello = client_hello(world);
  std::vector<std::unique_ptr<Silent>> silent;
  for (size_t i = 0; i < 5 * limits::kHandshakesMax; i++) {
    const size_t bytes = i % 3 == 0 ? 0 : i % 3 == 1 ? 3 : hello.size() - 1;
    silent.push_back(std::make_unique<Silent>(world, hello.substr(0, bytes)));
  }
  Peer peer(world);
  world.network.run();
  EXPECT_TRUE(peer.open);
  world.clock.pass(limits::kHeaderReadTimeout);
  world.network.run();
  for (const auto& each : silent)
    EXPECT_TRUE(each->closed);
  silent.clear();
  world.network.run();
  EXPECT_EQ(world.server.connections(), 1u);
}

TEST(Server, StrangersAreBoundedAndTheOldestGivesWay) {
  World world;
  const auto tls = world.client_tls();
  Peer known(world, world.client_tls(alice()));
  Peer vouched(world, tls);
  world.network.run();
  vouched.stream.write("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
  world.network.run();
  world.site.open[0]->vouch();
  std::vector<std::unique_ptr<Peer>> peers;
  for (size_t i = 0; i < limits::kStrangersMax + 3; i++) {
    peers.push_back(std::make_unique<Peer>(world, tls));
    world.network.run();
  }
  for (size_t i = 0; i < peers.size(); i++)
    EXPECT_EQ(peers[i]->ended, i < 3) << i;
  EXPECT_FALSE(known.ended);
  EXPECT_FALSE(vouched.ended);
  EXPECT_EQ(world.server.connections(), limits::kStrangersMax + 2);
}

TEST(Server, HandshakesAreBoundedAndTheStuckGiveWay) {
  World world;
  const std::string hello = client_hello(world);
  std::vector<std::unique_ptr<Silent>> silent;
  for (size_t i = 0; i < limits::kHandshakesMax; i++)
    silent.push_back(std::make_unique<Silent>(world, hello));
  Peer peer(world);
  world.network.run();
  EXPECT_FALSE(peer.open);
  EXPECT_EQ(world.server.connections(), limits::kHandshakesMax + 1);
  world.clock.pass(seconds(3));
  world.network.run();
  EXPECT_TRUE(peer.open);
  for (const auto& each : silent)
    EXPECT_TRUE(each->closed);
}

TEST(Server, ConnectionsPerAddressAreBounded) {
  World world;
  const auto tls = world.client_tls();
  std::vector<std::unique_ptr<Peer>> peers;
  for (size_t i = 0; i < limits::kConnectionsPerAddressMax + 3; i++) {
    peers.push_back(std::make_unique<Peer>(world, tls));
  }
  EXPECT_EQ(world.server.connections(), limits::kConnectionsPerAddressMax);
  world.network.client_address = "10.0.0.2";
  peers.push_back(std::make_unique<Peer>(world, tls));
  EXPECT_EQ(world.server.connections(), limits::kConnectionsPerAddressMax + 1);
  peers.clear();
  world.network.run();
  EXPECT_EQ(world.server.connections(), 0u);
}

TEST(Server, StoppingLetsAnswersFinish) {
  World world;
  Peer busy(world);
  Peer idle(world);
  world.network.run();
  busy.stream.write("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
  world.network.run();
  world.server.stop_accepting();
  Peer late(world);
  world.network.run();
  EXPECT_TRUE(idle.ended);
  EXPECT_TRUE(late.ended);
  EXPECT_FALSE(busy.ended);
  world.site.open[0]->answer(200, "text/plain", "done");
  world.network.run();
  EXPECT_TRUE(busy.got.ends_with("done"));
  EXPECT_TRUE(has(busy.got, "connection: close\r\n"));
  EXPECT_TRUE(busy.ended);
}

TEST(Server, NoiseInsteadOfTlsIsClosed) {
  struct Noisy final : port::StreamEvents {
    void on_connected() override { stream->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"); }
    void on_bytes(std::string_view) override {}
    void on_closed(std::string_view) override { closed = true; }
    std::unique_ptr<port::Stream> stream;
    bool closed = false;
  };
  World world;
  Noisy noisy;
  noisy.stream = world.network.connect({"127.0.0.1", kPort}, noisy);
  world.network.run();
  EXPECT_TRUE(noisy.closed);
  noisy.stream.reset();
  world.network.run();
  EXPECT_EQ(world.server.connections(), 0u);
}

}  // namespace
}  // namespace coracle::http
