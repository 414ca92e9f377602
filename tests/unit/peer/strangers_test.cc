// SPDX-License-Identifier: GPL-2.0-or-later
// Whoever is not a member, or misbehaves as one, is refused with a reason; nobody else notices.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "peer/bounds.h"
#include "raft/wire.h"
#include "tests/unit/peer/stranger.h"

namespace coracle::peer {
namespace {

struct Strangers : ::testing::Test {
  Strangers() { EXPECT_TRUE(members.connect()); }
  ~Strangers() override {
    members[1].peers->send(beat(1, 2));
    const auto& got = members[2].heard.messages;
    EXPECT_TRUE(
        members.world.run_until([&] { return !got.empty() && got.back().from == 1; }, seconds(1)))
        << "the cluster goes on";
  }
  bool ends(Stranger& stranger) {
    return members.world.run_until([&] { return stranger.ended; }, seconds(20));
  }
  // Certified as member 3, greeted and let in.
  std::unique_ptr<Stranger> insider() {
    auto stranger =
        std::make_unique<Stranger>(members.world, members[1], Authority::ours().member(3));
    stranger->greet(3, 1);
    EXPECT_TRUE(members.world.run_until([&] { return members[1].sees(3); }, seconds(5)));
    return stranger;
  }
  void expect_insider_is_cut(FrameType type, const std::string& payload) {
    auto stranger = insider();
    stranger->say(type, payload);
    EXPECT_TRUE(ends(*stranger)) << static_cast<int>(type);
    members.world.run_for(seconds(1));
    EXPECT_FALSE(members[1].sees(3));
    EXPECT_TRUE(members[1].heard.messages.empty());
  }
  Members members{7, 2};
};

TEST_F(Strangers, WithoutACertificateThereIsNoHandshake) {
  Stranger stranger(members.world, members[1], {});
  EXPECT_TRUE(ends(stranger));
}

TEST_F(Strangers, ACertificateOfAnotherAuthorityIsRefused) {
  Stranger stranger(members.world, members[1], Authority::others().member(2));
  EXPECT_TRUE(ends(stranger));
  EXPECT_TRUE(stranger.got.empty());
}

TEST_F(Strangers, ACertificateThatNamesNoMemberIsRefused) {
  for (const bool group : {false, true}) {
    pki::CertificateOptions options;
    options.common_name = group ? "alice" : pki::member_common_name(kCluster, 3);
    if (group) options.organizations = {std::string(pki::kMembersOrganization)};
    const Credentials credentials = Authority::ours().issue(options);
    Stranger stranger(members.world, members[1], credentials);
    EXPECT_TRUE(ends(stranger));
    EXPECT_NE(stranger.refusal.find("does not name a member"), std::string::npos);
  }
}

TEST_F(Strangers, AnExpiredCertificateIsRefused) {
  members.world.run_for(seconds(10));
  pki::CertificateOptions options;
  options.common_name = pki::member_common_name(kCluster, 3);
  options.organizations = {std::string(pki::kMembersOrganization)};
  options.not_after = members[1].machine.clock().trusted() + seconds(-5);
  const Credentials credentials = Authority::ours().issue(options);
  Stranger stranger(members.world, members[1], credentials);
  EXPECT_TRUE(ends(stranger));
  EXPECT_TRUE(stranger.got.empty());
}

TEST_F(Strangers, AGreetingThatDoesNotFitIsRefusedWithTheReason) {
  struct Case {
    raft::NodeId from;
    raft::NodeId to;
    const char* reason;
  };
  for (const Case& each :
       {Case{3, 2, "addresses have changed hands"}, Case{4, 1, "do not belong together"}}) {
    Stranger stranger(members.world, members[1], Authority::ours().member(3));
    stranger.greet(each.from, each.to);
    EXPECT_TRUE(ends(stranger));
    EXPECT_NE(stranger.refusal.find(each.reason), std::string::npos) << stranger.refusal;
  }
  Stranger copy(members.world, members[1], Authority::ours().member(1));
  copy.greet(1, 1);
  EXPECT_TRUE(ends(copy));
  EXPECT_NE(copy.refusal.find("identity of this very member"), std::string::npos);
  Stranger foreign(members.world, members[1], Authority::ours().member(3, 99));
  Hello hello;
  hello.cluster = 99;
  hello.from = 3;
  hello.to = 1;
  foreign.say(FrameType::kHello, encode(hello));
  EXPECT_TRUE(ends(foreign));
  EXPECT_NE(foreign.refusal.find("belongs to another cluster"), std::string::npos);
}

TEST_F(Strangers, AnotherVersionOfTheProtocolIsRefusedWithTheReason) {
  Stranger stranger(members.world, members[1], Authority::ours().member(3));
  stranger.say(FrameType::kHello, "crcl\x07\x09whatever this means");
  EXPECT_TRUE(ends(stranger));
  EXPECT_NE(stranger.refusal.find("versions 7 to 9"), std::string::npos) << stranger.refusal;
}

TEST_F(Strangers, WhoSaysNothingIsCut) {
  Stranger silent(members.world, members[1], Authority::ours().member(3));
  EXPECT_TRUE(members.world.run_until([&] { return silent.ended; }, kGreetingTime + seconds(1)));
}

TEST_F(Strangers, BytesThatAreNoTlsAreCut) {
  struct Ear final : port::StreamEvents {
    void on_bytes(std::string_view) override {}
    void on_closed(std::string_view) override { closed = true; }
    bool closed = false;
  } ear;
  auto stream = members.world.machine("stranger")
                    .network()
                    .connect({members[1].machine.address(), kPort}, ear);
  stream->send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_TRUE(members.world.run_until([&] { return ear.closed; }, seconds(10)));
}

TEST_F(Strangers, ManyAtOnceDoNotKeepAMemberOut) {
  std::vector<std::unique_ptr<Stranger>> crowd;
  for (size_t i = 0; i < 3 * kGreetersMax; i++) {
    crowd.push_back(
        std::make_unique<Stranger>(members.world, members[1], Authority::ours().member(3)));
  }
  members.world.run_for(milliseconds(10));
  auto stranger = insider();
  EXPECT_TRUE(stranger->open);
}

// What only members may say, said before the greeting.
TEST_F(Strangers, NothingButAGreetingIsHeardFromAStranger) {
  Stranger stranger(members.world, members[1], Authority::ours().member(3));
  stranger.say(FrameType::kMessage, raft::encode(beat(3, 1)));
  EXPECT_TRUE(ends(stranger));
  EXPECT_TRUE(members[1].heard.messages.empty());
}

TEST_F(Strangers, AMemberThatTalksNonsenseIsCut) {
  std::string number;
  put_u32(number, 1'000'000);
  expect_insider_is_cut(FrameType::kMessage, "nonsense");
  expect_insider_is_cut(FrameType::kMessage, raft::encode(beat(2, 1)));
  expect_insider_is_cut(FrameType::kMessage, raft::encode(beat(3, 2)));
  expect_insider_is_cut(FrameType::kCredit, number);
  expect_insider_is_cut(FrameType::kCredit, "x");
  expect_insider_is_cut(FrameType::kSnapshotBegin, number + raft::encode(beat(3, 1)));
  expect_insider_is_cut(static_cast<FrameType>(0), "");
  expect_insider_is_cut(static_cast<FrameType>(99), "");
  expect_insider_is_cut(FrameType::kPart, std::string(kPartBytes + 1, 'x'));
}

TEST_F(Strangers, AnEndlessMessageIsCut) {
  auto stranger = insider();
  for (size_t sent = 0; sent <= kMessageBytesMax; sent += kPartBytes)
    stranger->say(FrameType::kPart, std::string(kPartBytes, 'x'));
  EXPECT_TRUE(ends(*stranger));
  EXPECT_TRUE(members[1].heard.messages.empty());
}

TEST_F(Strangers, WhoAsksWithoutListeningIsCut) {
  auto stranger = insider();
  stranger->stream->pause(true);
  const raft::Message snapshot{.type = raft::MessageType::kSnapshot,
                               .to = 1,
                               .from = 3,
                               .term = 1,
                               .snapshot = {.index = 5, .term = 1}};
  members[1].heard.refuses = true;
  std::string begin;
  put_u32(begin, 1);
  begin += raft::encode(snapshot);
  for (int i = 0; i < 200'000 && members[1].sees(3); i++) {
    for (int each = 0; each < 500; each++)
      stranger->say(FrameType::kSnapshotBegin, begin);
    members.world.run_for(milliseconds(2));
  }
  EXPECT_FALSE(members[1].sees(3));
}

}  // namespace
}  // namespace coracle::peer
