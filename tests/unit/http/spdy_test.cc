// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/spdy.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/bytes.h"
#include "http/spdy_headers.h"

namespace coracle::http {
namespace {

struct Heard : SpdyEvents {
  bool on_stream(uint32_t stream, const std::vector<Header>& headers) override {
    log += join({"open ", std::to_string(stream)});
    for (const Header& each : headers)
      log += join({" ", each.name, "=", each.value});
    log += "\n";
    return accepts;
  }
  void on_stream_data(uint32_t stream, std::string_view bytes) override {
    EXPECT_EQ(stream, 3u);
    data += bytes;
  }
  void on_stream_end(uint32_t stream) override {
    log += join({"end ", std::to_string(stream), "\n"});
  }
  void on_stream_reset(uint32_t stream) override {
    log += join({"reset ", std::to_string(stream), "\n"});
  }
  void on_goaway() override { log += "goaway\n"; }
  void on_spdy_out(std::string_view frames) override { out += frames; }
  bool accepts = true;
  std::string log;
  std::string data;  // of all streams
  std::string out;
};

void put(std::string& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(value >> shift);
}

// The client's side, without the dictionary: a reader must take both.
class Client {
 public:
  Client() { deflateInit(&stream_, Z_BEST_COMPRESSION); }
  ~Client() { deflateEnd(&stream_); }
  static std::string control(uint16_t type, uint8_t flags, std::string_view payload) {
    std::string out;
    put(out, 0x80030000u | type);
    put(out, uint32_t{flags} << 24 | static_cast<uint32_t>(payload.size()));
    return out.append(payload);
  }
  static std::string data(uint32_t stream, uint8_t flags, std::string_view bytes) {
    std::string out;
    put(out, stream);
    put(out, uint32_t{flags} << 24 | static_cast<uint32_t>(bytes.size()));
    return out.append(bytes);
  }
  std::string open(uint32_t stream, const std::vector<Header>& headers, uint8_t flags = 0) {
    std::string plain;
    put(plain, static_cast<uint32_t>(headers.size()));
    for (const Header& each : headers) {
      put(plain, static_cast<uint32_t>(each.name.size()));
      plain += each.name;
      put(plain, static_cast<uint32_t>(each.value.size()));
      plain += each.value;
    }
    std::string payload;
    put(payload, stream);
    put(payload, 0);
    payload += std::string(2, '\0') + compress(plain);
    return control(1, flags, payload);
  }
  std::string compress(const std::string& plain) {
    std::string out(plain.size() + 1024, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    stream_.avail_in = static_cast<uInt>(plain.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream_, Z_SYNC_FLUSH), Z_OK);
    out.resize(out.size() - stream_.avail_out);
    return out;
  }

 private:
  z_stream stream_{};
};

std::string read(std::string_view bytes, Heard& heard, size_t piece = SIZE_MAX) {
  Spdy spdy(heard);
  while (!bytes.empty()) {
    if (!spdy.receive(bytes.substr(0, piece))) return heard.log + "broken\n";
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return heard.log;
}

TEST(Spdy, ReadsStreamsHoweverTheyAreCut) {
  for (const size_t piece : {size_t{1}, size_t{5}, SIZE_MAX}) {
    Client client;
    Heard heard;
    std::string bytes = client.open(1, {{"Streamtype", "error"}, {"Port", "80"}}, 1);
    bytes += client.open(3, {{"Streamtype", "data"}, {"Port", "80"}});  // after the first: zlib
    bytes += Client::data(3, 0, "some") + Client::control(6, 0, std::string("\0\0\0\7", 4)) +
             Client::data(3, 1, "more") +
             Client::control(3, 0, std::string("\0\0\0\1\0\0\0\5", 8)) +
             Client::control(99, 0, "of the future") + Client::control(7, 0, std::string(8, '\0'));
    EXPECT_EQ(read(bytes, heard, piece),
              "open 1 streamtype=error port=80\nend 1\nopen 3 streamtype=data port=80\n"
              "end 3\nreset 1\ngoaway\n");
    EXPECT_EQ(heard.data, "somemore");
    const std::string reply1 =
        Client::control(2, 0, std::string("\0\0\0\1", 4) + empty_spdy_block(true));
    const std::string reply3 =
        Client::control(2, 0, std::string("\0\0\0\3", 4) + empty_spdy_block(false));
    EXPECT_EQ(heard.out, reply1 + reply3 + Client::control(6, 0, std::string("\0\0\0\7", 4)));
  }
}

TEST(Spdy, ReadsItsOwnEmptyHeaders) {
  SpdyInflater inflater;
  for (const bool first : {true, false, false}) {
    const auto headers = inflater.read(empty_spdy_block(first));
    ASSERT_TRUE(headers) << headers.error().message;
    EXPECT_TRUE(headers->empty());
  }
}

// What moby/spdystream sends for one header: compressed with the dictionary of the protocol.
TEST(Spdy, ReadsHeadersThatUseTheDictionary) {
  const auto block = from_hex("78f9e3c6a7c202a62346ac4512938501000000ffff");
  ASSERT_TRUE(block);
  SpdyInflater inflater;
  const auto headers = inflater.read(*block);
  ASSERT_TRUE(headers) << headers.error().message;
  ASSERT_EQ(headers->size(), 1u);
  EXPECT_EQ(headers->front().name, "content-length");
  EXPECT_EQ(headers->front().value, "80");
}

TEST(Spdy, RefusedStreamsAreReset) {
  Client client;
  Heard heard;
  heard.accepts = false;
  read(client.open(1, {}), heard);
  EXPECT_EQ(heard.out, Client::control(3, 0, std::string("\0\0\0\1\0\0\0\3", 8)));
}

TEST(Spdy, BreaksOffWithWhoDoesNotSpeakIt) {
  const auto broken = [](const std::string& bytes) {
    Heard heard;
    return read(bytes, heard).ends_with("broken\n");
  };
  Client client;
  EXPECT_TRUE(broken(std::string("\x80\x02\0\1\0\0\0\0", 8))) << "SPDY/2";
  EXPECT_TRUE(broken(std::string("\x80\x03\0\1\0\xff\xff\xff", 8))) << "a huge control frame";
  EXPECT_TRUE(broken(Client::control(1, 0, "short")));
  EXPECT_TRUE(broken(Client::control(1, 0, std::string("\0\0\0\1\0\0\0\0\0\0not zlib", 18))));
  EXPECT_TRUE(broken(client.open(2, {}))) << "an even number is ours";
  Client other;
  const std::string later = other.open(3, {});
  EXPECT_TRUE(broken(later + other.open(1, {}))) << "numbers rise";
  Client greedy;
  EXPECT_TRUE(broken(greedy.open(1, {{"a", std::string(60'000, 'x')}}))) << "too much unpacked";
}

TEST(Spdy, SaysGoodbyeWithTheLastStream) {
  Client client;
  Heard heard;
  Spdy spdy(heard);
  spdy.receive(client.open(5, {}));
  heard.out.clear();
  spdy.send(5, "bytes");
  spdy.end(5);
  spdy.reset(5);
  spdy.say_goodbye();
  EXPECT_EQ(heard.out, Client::data(5, 0, "bytes") + Client::data(5, 1, "") +
                           Client::control(3, 0, std::string("\0\0\0\5\0\0\0\5", 8)) +
                           Client::control(7, 0, std::string("\0\0\0\5\0\0\0\0", 8)));
}

}  // namespace
}  // namespace coracle::http
