// SPDX-License-Identifier: GPL-2.0-or-later
// The server's HTTP/2 against nghttp2's own client.
#include <map>

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include "base/owned.h"
#include "tests/unit/http/world.h"

namespace coracle::http {
namespace {

struct Answer {
  std::string status;
  std::map<std::string, std::string> headers;
  std::string body;
  bool closed = false;
  uint32_t error = 0;
};

class Http2Peer final : public SecureEvents {
 public:
  explicit Http2Peer(World& world)
      : stream(world.clock,
               std::make_unique<TlsSession>(world.client_tls(), world.clock.wall(), TlsTicket()),
               *this) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session* session = nullptr;
    nghttp2_session_client_new(&session, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    h2.reset(session);
    nghttp2_submit_settings(session, 0, nullptr, 0);
    stream.connect(world.network, {"127.0.0.1", kPort});
  }
  void on_open() override { chose_http2 = stream.tls().chose_http2(); }
  void on_plain(std::string_view bytes) override {
    const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
    if (nghttp2_session_mem_recv(h2.get(), data, bytes.size()) < 0) broken = true;
    stream.wake();
  }
  void on_turn() override { pump(); }
  void on_sent() override {}
  void on_ended(std::string_view) override { ended = true; }

  void pump() {
    const uint8_t* bytes = nullptr;
    for (;;) {
      const ssize_t count = nghttp2_session_mem_send(h2.get(), &bytes);
      if (count <= 0) return;
      stream.write({reinterpret_cast<const char*>(bytes), static_cast<size_t>(count)});
    }
  }
  int32_t send(const std::string& method,
               const std::string& path,
               std::string body = "",
               std::vector<Header> more = {}) {
    std::vector<Header> all = {
        {":method", method}, {":scheme", "https"}, {":authority", "a"}, {":path", path}};
    all.insert(all.end(), more.begin(), more.end());
    std::vector<nghttp2_nv> fields;
    for (Header& each : all) {
      fields.push_back({reinterpret_cast<uint8_t*>(each.name.data()),
                        reinterpret_cast<uint8_t*>(each.value.data()), each.name.size(),
                        each.value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    bodies.push_back(std::make_unique<std::string>(std::move(body)));
    nghttp2_data_provider provider;
    provider.source.ptr = bodies.back().get();
    provider.read_callback = [](nghttp2_session*, int32_t, uint8_t* out, size_t room,
                                uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
      auto& rest = *static_cast<std::string*>(source->ptr);
      const size_t count = rest.copy(reinterpret_cast<char*>(out), room);
      rest.erase(0, count);
      if (rest.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(count);
    };
    const int32_t id =
        nghttp2_submit_request(h2.get(), nullptr, fields.data(), fields.size(),
                               bodies.back()->empty() ? nullptr : &provider, nullptr);
    stream.wake();
    return id;
  }
  void reset(int32_t id) {
    nghttp2_submit_rst_stream(h2.get(), 0, id, NGHTTP2_CANCEL);
    stream.wake();
  }

  static Http2Peer& of(void* self) { return *static_cast<Http2Peer*>(self); }
  static int on_header(nghttp2_session*,
                       const nghttp2_frame* frame,
                       const uint8_t* name,
                       size_t name_bytes,
                       const uint8_t* value,
                       size_t value_bytes,
                       uint8_t,
                       void* self) {
    Answer& answer = of(self).answers[frame->hd.stream_id];
    const std::string key(reinterpret_cast<const char*>(name), name_bytes);
    const std::string text(reinterpret_cast<const char*>(value), value_bytes);
    if (key == ":status") {
      answer.status += text;
    } else {
      answer.headers[key] = text;
    }
    return 0;
  }
  static int on_data(
      nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t bytes, void* self) {
    of(self).answers[id].body.append(reinterpret_cast<const char*>(data), bytes);
    return 0;
  }
  static int on_close(nghttp2_session*, int32_t id, uint32_t error, void* self) {
    of(self).answers[id].closed = true;
    of(self).answers[id].error = error;
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      of(self).goaways++;
      of(self).goaway_error = frame->goaway.error_code;
    }
    return 0;
  }

  SecureStream stream;
  Owned<nghttp2_session, nghttp2_session_del> h2;
  std::vector<std::unique_ptr<std::string>> bodies;
  std::map<int32_t, Answer> answers;
  int goaways = 0;
  uint32_t goaway_error = 0;
  bool chose_http2 = false;
  bool broken = false;
  bool ended = false;
};

constexpr bool kHttp2 = true;

TEST(Http2, AnswersManyStreamsOnOneConnection) {
  World world(kHttp2);
  Http2Peer peer(world);
  world.network.run();
  ASSERT_TRUE(peer.chose_http2);
  std::vector<int32_t> ids;
  for (int i = 0; i < 90; i++)
    ids.push_back(peer.send("POST", "/echo", "body " + std::to_string(i)));
  world.network.run();
  for (size_t i = 0; i < ids.size(); i++) {
    const Answer& answer = peer.answers[ids[i]];
    EXPECT_EQ(answer.status, "200");
    EXPECT_EQ(answer.body, "body " + std::to_string(i));
    EXPECT_TRUE(answer.closed);
    EXPECT_EQ(answer.error, 0u);
  }
  EXPECT_EQ(peer.answers[ids[0]].headers["x-content-type-options"], "nosniff");
  EXPECT_EQ(world.site.requests[0].header("host"), "a");
  EXPECT_EQ(world.server.connections(), 1u);
}

TEST(Http2, MoreStreamsThanAllowedWaitAtTheClient) {
  World world(kHttp2);
  Http2Peer peer(world);
  world.network.run();
  for (int i = 0; i < 150; i++)
    peer.send("GET", "/watch");
  world.network.run();
  EXPECT_EQ(world.site.open.size(), limits::kStreamsPerConnectionMax);
  for (int i = 0; i < 50; i++) {
    Response* first = world.site.open.front();
    std::erase(world.site.open, first);
    first->answer(200, "text/plain", "x");
  }
  world.network.run();
  EXPECT_EQ(world.site.requests.size(), 150u);
}

TEST(Http2, AWatchSeesItsHeadAndEachEventAtOnce) {
  World world(kHttp2);
  Http2Peer peer(world);
  world.network.run();
  const int32_t id = peer.send("GET", "/watch?x=1");
  world.network.run();
  ASSERT_EQ(world.site.open.size(), 1u);
  EXPECT_EQ(world.site.requests[0].query, "x=1");
  Response& response = *world.site.open[0];
  response.start(200, {});
  world.network.run();
  EXPECT_EQ(peer.answers[id].status, "200");
  for (int i = 0; i < 3; i++) {
    response.write("{}\n");
    world.network.run();
    EXPECT_EQ(peer.answers[id].body.size(), 3u * static_cast<size_t>(i + 1));
  }
  world.clock.pass(minutes(30));
  world.network.run();
  EXPECT_FALSE(peer.ended);
  response.finish();
  world.network.run();
  EXPECT_TRUE(peer.answers[id].closed);
}

TEST(Http2, ALongAnswerGoesThroughASmallWindowAndLetsOthersPass) {
  World world(kHttp2);
  world.network.piece_bytes = 4096;
  Http2Peer peer(world);
  world.network.run();
  const int32_t list = peer.send("GET", "/list");
  world.network.run();
  world.site.left = 3'000'000;
  world.site.open[0]->start(200, {});
  world.site.pour(*world.site.open[0]);
  for (int i = 0; i < 20; i++)
    world.network.turn();
  const int32_t hello = peer.send("GET", "/hello");
  while (!peer.answers[hello].closed)
    ASSERT_TRUE(world.network.turn());
  EXPECT_FALSE(peer.answers[list].closed);
  world.network.run();
  EXPECT_TRUE(peer.answers[list].closed);
  EXPECT_EQ(peer.answers[list].body.size(), 3'000'000u);
  EXPECT_LE(world.site.most, limits::kSendBufferBytesMax + 17 * 1024);
  EXPECT_GT(world.site.drained, 10);
}

TEST(Http2, LargeRequestBodies) {
  World world(kHttp2);
  Http2Peer peer(world);
  world.network.run();
  const int32_t fits = peer.send("POST", "/sink", std::string(limits::kBodyBytesMax, 'b'));
  const int32_t announced =
      peer.send("POST", "/sink", std::string(limits::kBodyBytesMax + 1, 'b'),
                {{"content-length", std::to_string(limits::kBodyBytesMax + 1)}});
  const int32_t too_large = peer.send("POST", "/sink", std::string(limits::kBodyBytesMax + 1, 'b'));
  world.network.run();
  ASSERT_EQ(world.site.open.size(), 1u);
  EXPECT_EQ(world.site.requests[0].body.size(), limits::kBodyBytesMax);
  world.site.open[0]->answer(201, "text/plain", "");
  world.network.run();
  EXPECT_EQ(peer.answers[fits].status, "201");
  EXPECT_EQ(peer.answers[announced].status, "413");
  EXPECT_EQ(peer.answers[too_large].status, "413");
  EXPECT_TRUE(peer.answers[too_large].closed);
  EXPECT_FALSE(peer.ended);
}

TEST(Http2, LargeBodiesAreWorkedOnInTurn) {
  World world(kHttp2);
  Http2Peer peer(world);
  world.network.run();
  const std::string body(1'500'000, 'b');
  const int32_t first = peer.send("POST", "/sink", body);
  const int32_t second = peer.send("POST", "/sink", body);
  const int32_t small = peer.send("GET", "/hello");
  world.network.run();
  EXPECT_EQ(peer.answers[small].status, "200");
  ASSERT_EQ(world.site.open.size(), 1u);
  world.site.open[0]->answer(201, "text/plain", "");
  world.network.run();
  EXPECT_EQ(peer.answers[first].status, "201");
  ASSERT_EQ(world.site.open.size(), 2u);
  world.site.open[1]->answer(201, "text/plain", "");
  world.network.run();
  EXPECT_EQ(peer.answers[second].status, "201");
}

TEST(Http2, BadRequestsAreAnsweredOnTheirStreamOnly) {
  World world(kHttp2);
  Http2Peer peer(world);
  world.network.run();
  const std::pair<int32_t, const char*> rows[] = {
      {peer.send("GET", "/a/../b"), "400"},
      {peer.send("GET", "/a%2fb"), "400"},
      {peer.send("BREW", "/"), "501"},
      {peer.send("GET", "/" + std::string(9000, 'a')), "414"},
      {peer.send("GET", "/", "",
                 {{"a", std::string(20'000, 'a')}, {"b", std::string(20'000, 'a')}}),
       "431"},
      {peer.send("POST", "/hello", "x", {{"expect", "100-continue"}}), "100200"},
      {peer.send("HEAD", "/hello"), "200"},
  };
  world.network.run();
  for (const auto& [id, status] : rows) {
    EXPECT_EQ(peer.answers[id].status, status);
    EXPECT_TRUE(peer.answers[id].closed);
  }
  EXPECT_EQ(peer.answers[rows[6].first].body, "");
  EXPECT_EQ(peer.answers[rows[6].first].headers["content-length"], "5");
  EXPECT_FALSE(peer.ended);
}

TEST(Http2, TheSiteHearsOfCancelledStreams) {
  World world(kHttp2);
  Http2Peer peer(world);
  world.network.run();
  const int32_t id = peer.send("GET", "/watch");
  peer.send("GET", "/watch");
  world.network.run();
  ASSERT_EQ(world.site.open.size(), 2u);
  peer.reset(id);
  world.network.run();
  EXPECT_EQ(world.site.gone, 1);
  EXPECT_EQ(world.site.open.size(), 1u);
}

TEST(Http2, RapidResetsEndTheConnection) {
  World world(kHttp2);
  Http2Peer peer(world);
  world.network.run();
  for (int i = 0; i < 2000 && !peer.ended; i++) {
    const int32_t id = peer.send("GET", "/watch");
    peer.pump();
    peer.reset(id);
    if (i % 50 == 49) world.network.run();
  }
  world.network.run();
  EXPECT_TRUE(peer.ended);
  EXPECT_EQ(peer.goaway_error, static_cast<uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
  EXPECT_LE(world.site.requests.size(), 600u);
  EXPECT_TRUE(world.site.open.empty());
}

TEST(Http2, StoppingSaysGoAwayAndLetsAnswersFinish) {
  World world(kHttp2);
  Http2Peer peer(world);
  Http2Peer idle(world);
  world.network.run();
  const int32_t id = peer.send("GET", "/watch");
  world.network.run();
  world.server.stop_accepting();
  world.network.run();
  EXPECT_EQ(peer.goaways, 1);
  EXPECT_FALSE(peer.ended);
  EXPECT_TRUE(idle.ended);
  world.site.open[0]->answer(200, "text/plain", "done");
  world.network.run();
  EXPECT_EQ(peer.answers[id].body, "done");
  EXPECT_TRUE(peer.ended);
}

TEST(Http2, IdleConnectionsAndUnfinishedRequestsEnd) {
  World world(kHttp2);
  Http2Peer idle(world);
  Http2Peer slow(world);
  world.network.run();
  const int32_t id = slow.send("POST", "/sink", std::string(2 * 1024 * 1024, 'b'));
  world.network.stuck = true;
  world.network.run();
  world.network.stuck = false;
  for (int i = 0; i < 4; i++)
    world.network.turn();
  world.network.stuck = true;
  world.network.run();
  world.clock.pass(limits::kIdleTimeout);
  world.network.stuck = false;
  world.network.run();
  EXPECT_TRUE(idle.ended);
  EXPECT_TRUE(slow.answers[id].closed);
  EXPECT_EQ(slow.answers[id].error, static_cast<uint32_t>(NGHTTP2_CANCEL));
}

TEST(Http2, NoiseInsteadOfFramesEndsTheConnection) {
  World world(kHttp2);
  Peer peer(world);
  world.network.run();
  ASSERT_TRUE(peer.stream.tls().chose_http2());
  peer.stream.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n and more noise, which is no preface");
  world.network.run();
  EXPECT_TRUE(peer.ended);
  EXPECT_TRUE(world.site.requests.empty());
}

}  // namespace
}  // namespace coracle::http
