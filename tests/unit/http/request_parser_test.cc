// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/request_parser.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "tests/unit/pki/counting_random.h"

namespace coracle::http {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

struct Outcome {
  int status = 0;  // of a refusal
  std::vector<Request> requests;
  RequestParser::Phase phase = RequestParser::Phase::kHead;
};

Outcome parse(std::string_view bytes, size_t piece_bytes) {
  RequestParser parser;
  Outcome out;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    while (!piece.empty() && out.phase != RequestParser::Phase::kRefused) {
      out.phase = parser.feed(piece);
      if (out.phase != RequestParser::Phase::kDone) continue;
      out.requests.push_back(std::move(parser.request()));
      parser.restart();
      out.phase = RequestParser::Phase::kHead;
    }
  }
  out.status = parser.refusal().status;
  return out;
}

std::string get(std::string_view target, std::string_view headers = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n";
}
std::string post(std::string_view headers, std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

TEST(RequestParser, PlainRequest) {
  const Outcome out =
      parse("GET /api/v1?limit=5 HTTP/1.1\r\nHost: a:1\r\nX-Thing:  two words \r\n\r\n", 1);
  ASSERT_EQ(out.requests.size(), 1u);
  const Request& request = out.requests[0];
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/api/v1");
  EXPECT_EQ(request.query, "limit=5");
  EXPECT_EQ(request.header("x-thing"), "two words");
  EXPECT_EQ(request.header("absent"), "");
}

TEST(RequestParser, BodiesAndPipelinesHoweverTheyAreCut) {
  const std::string stream =
      post("Content-Length: 5\r\n", "hello") + get("/a%20b") +
      post("Transfer-Encoding: Chunked\r\n",
           "3;x=\"y\"\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n") +
      "\r\n" + get("/last");
  for (size_t piece : {1u, 2u, 3u, 7u, 64u, 100'000u}) {
    const Outcome out = parse(stream, piece);
    ASSERT_EQ(out.status, 0) << piece;
    ASSERT_EQ(out.requests.size(), 4u) << piece;
    EXPECT_EQ(out.requests[0].body, "hello");
    EXPECT_EQ(out.requests[1].path, "/a b");
    EXPECT_EQ(out.requests[2].body, "abc0123456789");
    EXPECT_EQ(out.requests[3].path, "/last");
  }
}

struct Row {
  std::string bytes;
  int status;
};

std::vector<Row> refused_heads() {
  return {
      {"GET  / HTTP/1.1\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"G\"T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/11\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\0\r\n\r\n"s, 400},
      {"\0"s, 400},
      {"\n", 400},
      {"\r\n\r\nGET / HTTP/1.1\r\n", 400},
      {"\x16\x03\x01\x02\x00\x01"s, 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {get("/", "A : b\r\n"), 400},
      {get("/", " A: b\r\n"), 400},
      {get("/", "A: b\r\n c\r\n"), 400},
      {get("/", "A: b\r\n\tc\r\n"), 400},
      {get("/", ": b\r\n"), 400},
      {get("/", "no colon\r\n"), 400},
      {get("/", "A\x80: b\r\n"), 400},
      {get("/", "A: b\x01\r\n"), 400},
      {get("/", "A: b\x7f\r\n"), 400},
      {get("/", "Expect: 200-maybe\r\n"), 417},
      {get("/" + std::string(limits::kRequestLineBytesMax, 'a')), 414},
      {std::string(limits::kRequestLineBytesMax + 1, 'G'), 414},
      {get("/", "A: " + std::string(limits::kHeaderBytesMax, 'a') + "\r\n"), 431},
      {get("/",
           [] {
             std::string many;
             for (int i = 0; i < 200; i++)
               many += "a: b\r\n";
             return many;
           }()),
       431},
  };
}

TEST(RequestParser, RefusesBadHeads) {
  for (const Row& row : refused_heads()) {
    for (size_t piece : {1u, 100'000u}) {
      const std::string bytes = row.bytes + (row.bytes.size() < 40 ? "GET / HTTP/1.1\r\n" : "");
      EXPECT_EQ(parse(bytes, piece).status, row.status) << row.bytes.substr(0, 80);
      EXPECT_TRUE(parse(bytes, piece).requests.empty()) << row.bytes.substr(0, 80);
    }
  }
}

TEST(RequestParser, RefusesAmbiguousOrLargeBodies) {
  const std::string too_long = std::to_string(limits::kBodyBytesMax + 1);
  const Row rows[] = {
      {post("Content-Length: 1\r\nContent-Length: 1\r\n", "a"), 400},
      {post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", "0\r\n\r\n"), 400},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
      {post("Transfer-Encoding: identity\r\n", ""), 501},
      {post("Transfer-Encoding: \x0b"
            "chunked\r\n",
            ""),
       400},
      {post("Content-Length: 1, 1\r\n", "a"), 400},
      {post("Content-Length: +1\r\n", "a"), 400},
      {post("Content-Length: -1\r\n", "a"), 400},
      {post("Content-Length: 0x1\r\n", "a"), 400},
      {post("Content-Length: 1 1\r\n", "a"), 400},
      {post("Content-Length:\r\n", "a"), 400},
      {post("Content-Length: 99999999999999999999999\r\n", "a"), 400},
      {post("Content-Length: 9999999999999999999\r\n", "a"), 413},
      {post("Content-Length: " + too_long + "\r\n", "a"), 413},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
  };
  for (const Row& row : rows)
    EXPECT_EQ(parse(row.bytes, 1).status, row.status) << row.bytes;
}

TEST(RequestParser, RefusesBadChunks) {
  for (const char* body :
       {"g\r\n", "\r\n", " 1\r\na\r\n", "1 \r\na\r\n", "0x1\r\na\r\n", "-1\r\n", "123456789\r\n",
        "1\na\r\n", "1\r\nab\r\n", "1\r\na\n", "1\r\na\rb", "1;\x01\r\n", "0\r\n folded\r\n\r\n",
        "0\r\nno colon\r\n\r\n", "1\r\r\n"}) {
    EXPECT_EQ(parse(post("Transfer-Encoding: chunked\r\n", body), 1).status, 400) << body;
  }
  const std::string chunk = "100000\r\n" + std::string(0x100000, 'a') + "\r\n";
  EXPECT_EQ(
      parse(post("Transfer-Encoding: chunked\r\n", chunk + chunk + chunk + "1\r\na"), 65536).status,
      413);
  const Outcome full =
      parse(post("Transfer-Encoding: chunked\r\n", chunk + chunk + chunk + "0\r\n\r\n"), 65536);
  ASSERT_EQ(full.requests.size(), 1u);
  EXPECT_EQ(full.requests[0].body.size(), limits::kBodyBytesMax);
  const std::string endless = "1;" + std::string(5000, 'x');
  EXPECT_EQ(parse(post("Transfer-Encoding: chunked\r\n", endless), 64).status, 400);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 2000; i++)
    trailers += "a: bcdef\r\n";
  EXPECT_EQ(parse(post("Transfer-Encoding: chunked\r\n", trailers), 64).status, 400);
}

TEST(RequestParser, RefusesEverySecondSpellingOfAPath) {
  for (const char* target :
       {"*",      "a",         "http://a/",  "//",      "/a//b",      "/./a",          "/a/..",
        "/../a",  "/a/.",      "/%2e%2e/a",  "/a/%2e",  "/a%2fb",     "/a%2Fb",        "/a%5cb",
        "/a\\b",  "/a;b",      "/a%3bb",     "/a%00",   "/a%0a",      "/a%7f",         "/%",
        "/%2",    "/%zz",      "/a%80",      "/%c0%af", "/%ed%a0%80", "/%f5%80%80%80", "/a#b",
        "/a?b#c", "/\xc3\xa9", "/a?\xc3\xa9"}) {
    EXPECT_EQ(parse(get(target), 100).status, 400) << target;
  }
}

TEST(RequestParser, AcceptsTheOneSpelling) {
  const std::pair<const char*, const char*> rows[] = {
      {"/", "/"},
      {"/a/", "/a/"},
      {"/a.b/...", "/a.b/..."},
      {"/%61", "/a"},
      {"/caf%C3%A9", "/caf\xc3\xa9"},
      {"/a%3Fb", "/a?b"},
      {"/a%20b%23", "/a b#"},
      {"/system:node", "/system:node"},
      {"/a%25b", "/a%b"},
      {"/a?x=//../%2f;", "/a"},
      {"/a~!$&'()*+,=@", "/a~!$&'()*+,=@"},
  };
  for (const auto& [target, path] : rows) {
    const Outcome out = parse(get(target), 100);
    ASSERT_EQ(out.requests.size(), 1u) << target;
    EXPECT_EQ(out.requests[0].path, path);
  }
}

TEST(RequestParser, ConnectionAndExpectation) {
  RequestParser parser;
  const std::string bytes =
      post("Expect: 100-Continue\r\nContent-Length: 1\r\nConnection: x, Close\r\n", "");
  std::string_view input = bytes;
  EXPECT_EQ(parser.feed(input), RequestParser::Phase::kBody);
  EXPECT_TRUE(parser.take_continue());
  EXPECT_FALSE(parser.take_continue());
  EXPECT_FALSE(parser.keeps_alive());
  parser.restart();
  input = "GET / HTTP/1.0\r\n\r\n";
  EXPECT_EQ(parser.feed(input), RequestParser::Phase::kDone);
  EXPECT_TRUE(parser.is_http10());
  EXPECT_FALSE(parser.keeps_alive());
}

// However a damaged stream is cut, the same requests come out and the same refusal.
TEST(RequestParser, CutsNeverChangeTheOutcome) {
  const std::string sound =
      post("Content-Length: 5\r\n", "hello") + get("/a%20b?c=d", "A: b\r\n") +
      post("Transfer-Encoding: chunked\r\n", "3;x\r\nabc\r\n0\r\nT: u\r\n\r\n") + get("/last");
  const std::string_view kBytes = "\r\n\0 :;,%/.?09afG\x80\x7f"sv;
  CountingRandom random(7);
  for (int round = 0; round < 3000; round++) {
    std::string damaged = sound;
    for (uint64_t i = random.next() % 4; i > 0; i--) {
      const size_t at = random.next() % damaged.size();
      const char byte = kBytes[random.next() % kBytes.size()];
      if (random.next() % 2 == 0) damaged.erase(at, 1 + random.next() % 3);
      damaged.insert(std::min(at, damaged.size()), 1, byte);
    }
    const Outcome whole = parse(damaged, damaged.size());
    const Outcome cut = parse(damaged, 1 + random.next() % 9);
    ASSERT_EQ(whole.status, cut.status) << damaged;
    ASSERT_EQ(whole.requests.size(), cut.requests.size()) << damaged;
    for (size_t i = 0; i < whole.requests.size(); i++) {
      EXPECT_EQ(whole.requests[i].path, cut.requests[i].path);
      EXPECT_EQ(whole.requests[i].body, cut.requests[i].body);
      EXPECT_EQ(whole.requests[i].path.find("//"), std::string::npos);
    }
  }
}

TEST(Message, QueryIsDecoded) {
  const auto query = parse_query("a=1&b=%20+x&c&&d=%zz&e=a=b");
  ASSERT_EQ(query.size(), 5u);
  EXPECT_EQ(query[1], (std::pair<std::string, std::string>{"b", "  x"}));
  EXPECT_EQ(query[2], (std::pair<std::string, std::string>{"c", ""}));
  EXPECT_EQ(query[3], (std::pair<std::string, std::string>{"d", "%zz"}));
  EXPECT_EQ(query[4], (std::pair<std::string, std::string>{"e", "a=b"}));
  EXPECT_EQ(percent_encode("a/b c~"), "a%2Fb%20c~");
}

}  // namespace
}  // namespace coracle::http
