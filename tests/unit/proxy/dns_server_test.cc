// SPDX-License-Identifier: GPL-2.0-or-later
// A whole DNS server in a world of its own: node "a" serves, node "b" is the name server outside.
#include "proxy/dns_server.h"

#include <gtest/gtest.h>

#include "port/sim/world.h"
#include "tests/unit/proxy/dns_text.h"
#include "tests/unit/proxy/fake_client.h"

namespace coracle::proxy {
namespace {

using namespace dns_type;

struct Outside : port::DatagramEvents {
  void on_datagram(std::string_view bytes, const port::Endpoint& from) override {
    ++asked;
    if (silent) return;
    const DnsParsed parsed = parse_query(bytes);
    DnsAnswer answer;
    answer.authoritative = false;
    answer.answers.push_back({{}, kA, 60, address_bytes(*parse_ip4("192.0.2.80"))});
    std::string reply = encode_answer(parsed.query, answer, 512);
    if (forges) reply[1] ^= 1;
    static_cast<void>(socket->send(reply, from));
  }
  std::unique_ptr<port::Datagrams> socket;
  int asked = 0;
  bool silent = false;
  bool forges = false;
};

struct Resolver : port::DatagramEvents, port::StreamEvents {
  void on_datagram(std::string_view bytes, const port::Endpoint&) override { heard = bytes; }
  void on_bytes(std::string_view bytes) override { heard += bytes; }
  void on_closed(std::string_view) override { closed = true; }
  std::unique_ptr<port::Datagrams> socket;
  std::unique_ptr<port::Stream> stream;
  std::string heard;
  bool closed = false;
};

std::unique_ptr<port::Datagrams> taken(Result<std::unique_ptr<port::Datagrams>> made) {
  EXPECT_TRUE(made);
  return std::move(*made);
}

class DnsServerTest : public ::testing::Test {
 protected:
  DnsServerTest() {
    client_.put(api::kService, R"({"metadata":{"name":"web","namespace":"shop"},"spec":{
      "clusterIP":"10.43.0.7","ports":[{"port":80}]}})");
    client_.put(api::kService, R"({"metadata":{"name":"away","namespace":"shop"},"spec":{
      "type":"ExternalName","externalName":"example.org"}})");
    static_cast<void>(node_.disk().make_directories("/etc", 0755));
    use_servers("search lan\nnameserver 10.43.0.10\nnameserver " + far_.address() + "\n");
    outside_.socket = taken(far_.datagrams().bind({far_.address(), 53}, outside_));
    server_.start();
    asker_.socket = taken(node_.datagrams().reach({node_.address(), kDnsListenPort}, asker_));
  }
  void use_servers(const std::string& text) {
    ASSERT_TRUE(node_.disk().replace_file("/etc/resolv.conf", text, 0644));
  }
  // The answer as text, after how long it came.
  std::string ask(std::string_view name, uint16_t type = kA) {
    asker_.heard.clear();
    const Mono before = world_.now();
    EXPECT_TRUE(asker_.socket->send(encode_question(query_for(name, type), 77)));
    if (!world_.run_until([&] { return !asker_.heard.empty(); }, seconds(20))) return "silence";
    took_ = world_.now() - before;
    EXPECT_TRUE(answers_question(asker_.heard, query_for(name, type).question, 77));
    std::string text = std::to_string(rcode_of(asker_.heard));
    for (const DnsRecord& record : addresses_in(asker_.heard))
      text += " " + record_text(record);
    return text;
  }

  port_sim::World world_{7};
  port_sim::Machine& node_ = world_.machine("a");
  port_sim::Machine& far_ = world_.machine("b");
  FakeClient client_;
  SliceIndex slices_;
  Outside outside_;
  Resolver asker_;
  DnsServer server_{
      client_,
      slices_,
      {node_.clock(), node_.disk(), node_.random(), node_.network(), node_.datagrams()},
      {*parse_ip4(node_.address()),
       {"cluster.local", *parse_ip4("10.43.0.10"), *parse_cidr4("10.43.0.0/16"),
        *parse_cidr4("10.0.0.0/16")}}};
  Duration took_;
};

TEST_F(DnsServerTest, AnswersForTheClusterAndAsksOthersForTheRest) {
  EXPECT_EQ(ask("web.shop.svc.cluster.local"), "0 A 10.43.0.7");
  EXPECT_EQ(outside_.asked, 0);
  EXPECT_EQ(ask("example.net"), "0 A 192.0.2.80");
  EXPECT_EQ(ask("Example.NET"), "0 A 192.0.2.80");
  EXPECT_EQ(outside_.asked, 1) << "remembered";
  world_.run_for(seconds(61));
  EXPECT_EQ(ask("example.net"), "0 A 192.0.2.80");
  EXPECT_EQ(outside_.asked, 2) << "forgotten with its TTL";
}

TEST_F(DnsServerTest, AliasesToOutsideAreAnsweredWhole) {
  EXPECT_EQ(ask("away.shop.svc.cluster.local"), "0 CNAME example.org. A 192.0.2.80");
}

TEST_F(DnsServerTest, AnswersOverStreamsManyAtOnce) {
  asker_.stream = node_.network().connect({node_.address(), kDnsListenPort}, asker_);
  std::string both;
  for (const char* name : {"web.shop.svc.cluster.local", "cluster.local"}) {
    const std::string question = encode_question(query_for(name, kSoa), 5);
    put_u16(both, static_cast<uint16_t>(question.size()));
    both += question;
  }
  asker_.stream->send(both.substr(0, 9));
  asker_.stream->send(both.substr(9));
  ASSERT_TRUE(world_.run_until([&] { return asker_.heard.size() > 180; }, seconds(5)));
  EXPECT_FALSE(asker_.closed);
  EXPECT_TRUE(world_.run_until([&] { return asker_.closed; }, seconds(30))) << "silent too long";
}

// What is too long for a datagram comes over streams all the way.
struct LongAnswers : port::Acceptor, port::StreamEvents {
  void on_accept(std::unique_ptr<port::Stream> accepted) override {
    stream = std::move(accepted);
    stream->listen_to(*this);
  }
  void on_bytes(std::string_view bytes) override {
    inbox += bytes;
    if (inbox.size() < 2 || inbox.size() < size_t{2} + static_cast<uint8_t>(inbox[1])) return;
    const DnsParsed parsed = parse_query(std::string_view(inbox).substr(2));
    DnsAnswer answer;
    for (uint32_t i = 0; i < 100; ++i)
      answer.answers.push_back({{}, kA, 60, address_bytes({i})});
    const std::string reply = encode_answer(parsed.query, answer, 65'535);
    std::string framed;
    put_u16(framed, static_cast<uint16_t>(reply.size()));
    stream->send(framed + reply);
  }
  void on_closed(std::string_view) override {}
  std::unique_ptr<port::Stream> stream;
  std::string inbox;
};

TEST_F(DnsServerTest, StreamsAreForwardedOverStreams) {
  LongAnswers far;
  const auto listening = far_.network().listen({far_.address(), 53}, far);
  ASSERT_TRUE(listening);
  asker_.stream = node_.network().connect({node_.address(), kDnsListenPort}, asker_);
  const std::string question = encode_question(query_for("example.net", kA), 9);
  std::string framed;
  put_u16(framed, static_cast<uint16_t>(question.size()));
  asker_.stream->send(framed + question);
  ASSERT_TRUE(world_.run_until([&] { return asker_.heard.size() > 1600; }, seconds(5)));
  EXPECT_EQ(addresses_in(std::string_view(asker_.heard).substr(2)).size(), 100u);
  EXPECT_EQ(outside_.asked, 0);
}

TEST_F(DnsServerTest, StreamsOfNonsenseAreClosed) {
  asker_.stream = node_.network().connect({node_.address(), kDnsListenPort}, asker_);
  asker_.stream->send(std::string(3000, '\xff'));
  EXPECT_TRUE(world_.run_until([&] { return asker_.closed; }, seconds(5)));
}

TEST_F(DnsServerTest, WithoutNameServersItSaysSoAtOnce) {
  use_servers("");
  EXPECT_EQ(ask("example.net"), "2");
  EXPECT_LT(took_.ms(), 10);
}

TEST_F(DnsServerTest, AServerThatIsSilentIsLeftAloneForAWhile) {
  outside_.silent = true;
  EXPECT_EQ(ask("example.net"), "2");
  EXPECT_LT(took_.ms(), 4'500);
  EXPECT_EQ(ask("example.org"), "2");
  EXPECT_LT(took_.ms(), 10) << "nobody is asked";
  outside_.silent = false;
  world_.run_for(seconds(4));
  EXPECT_EQ(ask("example.org"), "0 A 192.0.2.80");
}

TEST_F(DnsServerTest, ForgedAnswersAreNotBelieved) {
  outside_.forges = true;
  EXPECT_EQ(ask("example.net"), "2");
}

TEST_F(DnsServerTest, AServerThatDoesNotListenIsPassedOver) {
  world_.machine("c");
  use_servers("nameserver 10.0.0.3\nnameserver " + far_.address() + "\n");
  EXPECT_EQ(ask("example.net"), "0 A 192.0.2.80");
  EXPECT_LT(took_.ms(), 100);
}

TEST_F(DnsServerTest, StrangersGetNoAnswer) {
  port_sim::Machine& stranger = world_.machine("d");
  world_.net().name("192.0.2.9", stranger.number());
  Resolver outsider;
  outsider.socket = taken(stranger.datagrams().bind({"192.0.2.9", 4000}, outsider));
  EXPECT_TRUE(outsider.socket->send(encode_question(query_for("cluster.local", kSoa), 1),
                                    {node_.address(), kDnsListenPort}));
  world_.run_for(seconds(1));
  EXPECT_EQ(outsider.heard, "");
}

TEST_F(DnsServerTest, NothingIsAwakeWhenNobodyAsks) {
  EXPECT_EQ(ask("example.net"), "0 A 192.0.2.80");
  world_.run_for(seconds(30));
  EXPECT_TRUE(world_.idle());
}

}  // namespace
}  // namespace coracle::proxy
