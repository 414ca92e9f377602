// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/client.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "http/gzip.h"
#include "http/response_parser.h"
#include "tests/unit/http/world.h"

namespace coracle::http {
namespace {

struct Recorder final : ClientEvents {
  void on_head(int status_code, const std::vector<Header>&) override { status = status_code; }
  void on_body(std::string_view bytes) override { body += bytes; }
  void on_end() override { ended++; }
  void on_failed(std::string_view why) override { failed = why; }
  int status = 0;
  int ended = 0;
  std::string body;
  std::string failed;
};

Request get(std::string path) {
  Request request;
  request.method = "GET";
  request.path = std::move(path);
  return request;
}
Request post(std::string path, std::string body) {
  Request request = get(std::move(path));
  request.method = "POST";
  request.body = std::move(body);
  return request;
}

struct ClientWorld : World {
  Client client{clock, network, {"127.0.0.1", kPort}, client_tls(alice())};
};

TEST(Client, SendsRequestsOneAfterAnother) {
  ClientWorld world;
  std::vector<Recorder> all(20);
  for (size_t i = 0; i < all.size(); i++)
    world.client.send(post("/echo", "body " + std::to_string(i)), all[i]);
  world.network.run();
  for (size_t i = 0; i < all.size(); i++) {
    EXPECT_EQ(all[i].status, 200);
    EXPECT_EQ(all[i].body, "body " + std::to_string(i));
    EXPECT_EQ(all[i].ended, 1);
  }
  EXPECT_EQ(world.server.connections(), 1u);
  EXPECT_EQ(world.site.requests[0].peer.common_name, "alice");
}

TEST(Client, StreamsAWatch) {
  ClientWorld world;
  Recorder watch;
  world.client.send(get("/watch"), watch);
  world.network.run();
  world.site.open[0]->start(200, {});
  world.network.run();
  EXPECT_EQ(watch.status, 200);
  world.site.open[0]->write("one\n");
  world.network.run();
  EXPECT_EQ(watch.body, "one\n");
  world.clock.pass(minutes(30));
  world.network.run();
  EXPECT_EQ(watch.failed, "");
  world.site.open[0]->finish();
  world.network.run();
  EXPECT_EQ(watch.ended, 1);
}

TEST(Client, TellsWhyAConnectionFails) {
  ClientWorld world;
  Recorder refused;
  Client nowhere(world.clock, world.network, {"127.0.0.1", 1}, world.client_tls());
  nowhere.send(get("/hello"), refused);
  Recorder wrong_name;
  Client other(world.clock, world.network, {"127.0.0.1", kPort},
               world.client_tls({}, "example.com"));
  other.send(get("/hello"), wrong_name);
  Recorder malformed;
  world.client.send(get("/a b"), malformed);
  world.network.run();
  EXPECT_NE(refused.failed, "");
  EXPECT_NE(wrong_name.failed.find("does not match"), std::string::npos) << wrong_name.failed;
  EXPECT_EQ(malformed.failed, "malformed request");
}

TEST(Client, TimeoutsAndClose) {
  ClientWorld world;
  Recorder slow;
  world.client.send(get("/slow"), slow);
  world.network.run();
  world.clock.pass(seconds(75));
  world.network.run();
  EXPECT_EQ(slow.failed, "no answer in time");
  EXPECT_EQ(world.site.gone, 1);

  Recorder dropped;
  world.client.send(get("/slow"), dropped);
  world.network.run();
  world.client.close();
  world.network.run();
  EXPECT_EQ(dropped.failed + std::to_string(dropped.ended), "0");
  EXPECT_EQ(world.server.connections(), 0u);

  Recorder again;
  world.client.send(get("/hello"), again);
  world.network.run();
  EXPECT_EQ(again.body, "hello");
}

TEST(Client, AnAnswerCutShortIsAFailure) {
  ClientWorld world;
  Recorder cut;
  world.client.send(get("/watch"), cut);
  world.network.run();
  const Header length[] = {{"content-length", "10"}};
  world.site.open[0]->start(200, length);
  world.site.open[0]->write("half");
  world.site.open[0]->finish();
  world.network.run();
  EXPECT_EQ(cut.body, "half");
  EXPECT_EQ(cut.ended, 0);
  EXPECT_NE(cut.failed, "");
}

TEST(TlsTicket, ResumesWithoutCertificatesAndKeepsTheIdentity) {
  World world;
  const auto tls = world.client_tls(alice());
  TlsTicket ticket;
  size_t at_first = 0;
  for (int i = 0; i < 2; i++) {
    struct Quiet final : SecureEvents {
      void on_open() override {}
      void on_plain(std::string_view) override {}
      void on_turn() override {}
      void on_sent() override {}
      void on_ended(std::string_view) override {}
    } events;
    SecureStream stream(world.clock, std::make_unique<TlsSession>(tls, world.clock.wall(), ticket),
                        events);
    stream.connect(world.network, {"127.0.0.1", kPort});
    world.network.run();
    stream.write("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    world.network.run();
    stream.tls().save(ticket);
    EXPECT_EQ(stream.tls().resumed(), i == 1);
    ASSERT_EQ(world.site.requests.size(), at_first + 1);
    EXPECT_EQ(world.site.requests[at_first++].peer.common_name, "alice");
  }
}

TEST(TlsTicket, AnExpiredCertificateIsNotResumed) {
  World world;
  const auto tls = world.client_tls(alice());
  TlsTicket ticket;
  Recorder first;
  Client client(world.clock, world.network, {"127.0.0.1", kPort}, tls);
  client.send(get("/hello"), first);
  world.network.run();
  EXPECT_EQ(first.body, "hello");
  client.close();
  world.network.run();
  world.clock.set_wall(parse_rfc3339("2121-01-01T00:00:00Z").value());
  Recorder late;
  client.send(get("/hello"), late);
  world.network.run();
  EXPECT_EQ(late.ended, 0);
  EXPECT_EQ(world.site.requests.size(), 1u);
}

std::string parse(std::string_view bytes, size_t piece_bytes) {
  ResponseParser parser;
  parser.restart(false);
  std::string log;
  std::string body;
  for (size_t at = 0; at < bytes.size(); at += piece_bytes) {
    std::string_view piece = bytes.substr(at, piece_bytes);
    std::string_view data;
    for (auto step = parser.next(piece, data); step != ResponseParser::Step::kMore;
         step = parser.next(piece, data)) {
      if (step == ResponseParser::Step::kHead) log += std::to_string(parser.status()) + " ";
      if (step == ResponseParser::Step::kData) body += data;
      if (step == ResponseParser::Step::kEnd) return log + body + " end";
      if (step == ResponseParser::Step::kBad) return log + body + " bad";
    }
  }
  return log + body + (parser.end_of_input() == ResponseParser::Step::kEnd ? " end" : " cut");
}

TEST(ResponseParser, Framings) {
  const std::pair<const char*, const char*> rows[] = {
      {"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab", "200 ab end"},
      {"HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", "200  end"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\nx",
       "201 x end"},
      {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
       "200 abc end"},
      {"HTTP/1.1 204 No Content\r\n\r\n", "204  end"},
      {"HTTP/1.1 200 OK\r\n\r\nuntil close", "200 until close end"},
      {"HTTP/1.0 200 OK\r\n\r\nold", "200 old end"},
      {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab", "200 ab cut"},
      {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n", " bad"},
      {"HTTP/2 200 OK\r\n\r\n", " bad"},
      {"HTTP/1.1 20 OK\r\n\r\n", " bad"},
      {"HTTP/1.1 2000 OK\r\n\r\n", " bad"},
      {"HTTP/1.1 101 Switching\r\n\r\n", " bad"},
      {"nonsense\r\n\r\n", " bad"},
  };
  for (const auto& [bytes, outcome] : rows) {
    EXPECT_EQ(parse(bytes, 1), outcome) << bytes;
    EXPECT_EQ(parse(bytes, 1000), outcome) << bytes;
  }
}

TEST(Gzip, RoundTripAndNegotiation) {
  std::string text;
  for (int i = 0; i < 50'000; i++)
    text += "item " + std::to_string(i % 97) + "\n";
  const std::string packed = gzip(text);
  EXPECT_LT(packed.size(), text.size() / 5);
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string back(text.size() + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(back.data());
  stream.avail_out = static_cast<uInt>(back.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  back.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_EQ(back, text);
  EXPECT_TRUE(accepts_gzip("gzip"));
  EXPECT_TRUE(accepts_gzip("deflate, GZIP;q=0.5"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0"));
  EXPECT_FALSE(accepts_gzip("gzip; q=0.0"));
  EXPECT_FALSE(accepts_gzip(""));
  EXPECT_FALSE(accepts_gzip("identity"));
}

}  // namespace
}  // namespace coracle::http
