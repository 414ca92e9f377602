// SPDX-License-Identifier: GPL-2.0-or-later
// Members of a simulated world talk to each other, are cut off, restarted, removed and copied.
#include "peer/peers.h"

#include <gtest/gtest.h>

#include "peer/bounds.h"
#include "tests/unit/peer/members.h"

namespace coracle::peer {
namespace {

TEST(Peers, EveryPairConnectsOnceAndCarriesMessagesBothWays) {
  for (uint64_t seed = 1; seed <= 5; seed++) {
    Members members(seed, 3);
    ASSERT_TRUE(members.connect()) << seed;
    members.world.run_for(seconds(1));
    for (raft::NodeId from = 1; from <= 3; from++) {
      for (raft::NodeId to = 1; to <= 3; to++)
        if (from != to) members[from].peers->send(beat(from, to));
    }
    members.world.run_for(milliseconds(50));
    for (const auto& each : members.all) {
      EXPECT_EQ(each->heard.messages.size(), 2u) << seed;
      EXPECT_TRUE(each->heard.messages.size() < 2 ||
                  each->heard.messages[0].from != each->heard.messages[1].from);
    }
  }
}

TEST(Peers, WhatCannotBeSentIsReportedFromOutsideTheCall) {
  port_sim::World world(1);
  Member one(world, 1);
  one.peers->set_members(std::vector<store::PeerAddress>{one.address(), {2, {{"10.0.0.99", 1}}}});
  one.peers->start(one.heard);
  one.peers->send(beat(1, 2));
  one.peers->send(beat(1, 2));
  EXPECT_TRUE(one.heard.unreachable.empty());
  world.run_for(milliseconds(1));
  EXPECT_EQ(one.heard.unreachable[2], 1);
  one.peers->send(beat(1, 3));
  world.run_for(milliseconds(1));
  EXPECT_FALSE(one.heard.unreachable.contains(3)) << "nobody of that name";
}

TEST(Peers, AMemberWithoutAddressCallsItself) {
  port_sim::World world(1);
  Member one(world, 1);
  Member two(world, 2);
  one.peers->set_members(std::vector<store::PeerAddress>{{2, {}}});
  one.peers->start(one.heard);
  two.peers->set_members(
      std::vector<store::PeerAddress>{{1, {{"10.0.0.77", 1}, one.address().endpoints[0]}}});
  two.peers->start(two.heard);
  ASSERT_TRUE(world.run_until([&] { return one.sees(2) && two.sees(1); }, seconds(10)));
  one.peers->send(beat(1, 2));
  EXPECT_TRUE(world.run_until([&] { return two.heard.messages.size() == 1; }, seconds(1)));
}

// A configuration that is behind does not know a newcomer; its certificate admits it all the same.
TEST(Peers, ANewcomerThatIsNotListedYetIsHeardAndAnswered) {
  port_sim::World world(1);
  Member one(world, 1);
  Member two(world, 2);
  one.peers->start(one.heard);
  two.peers->set_members(std::vector<store::PeerAddress>{one.address()});
  two.peers->start(two.heard);
  ASSERT_TRUE(world.run_until([&] { return two.sees(1) && one.sees(2); }, seconds(5)));
  two.peers->send(beat(2, 1));
  ASSERT_TRUE(world.run_until([&] { return one.heard.messages.size() == 1; }, seconds(1)));
  one.peers->send(beat(1, 2));
  EXPECT_TRUE(world.run_until([&] { return two.heard.messages.size() == 1; }, seconds(1)));
}

TEST(Peers, LongMessagesArriveWholeAndInOrder) {
  Members members(3, 2);
  ASSERT_TRUE(members.connect());
  for (raft::Index index = 1; index <= 4; index++)
    members[1].peers->send(append(1, 2, index, index == 2 ? 1'500'000 : 100));
  const auto& got = members[2].heard.messages;
  ASSERT_TRUE(members.world.run_until([&] { return got.size() == 4; }, seconds(5)));
  for (size_t i = 0; i < got.size(); i++)
    EXPECT_EQ(got[i].entries[0].index, i + 1);
  EXPECT_EQ(got[1].entries[0].data.view(), std::string(1'500'000, 'c'));
}

// On a slow link a heartbeat overtakes the parts of a long append.
TEST(Peers, AHeartbeatDoesNotWaitForALongAppend) {
  Members members(3, 2);
  ASSERT_TRUE(members.connect());
  members.world.net().delay = {milliseconds(20), milliseconds(30)};
  for (raft::Index index = 1; index <= 4; index++)
    members[1].peers->send(append(1, 2, index, 1'500'000));
  members.world.run_for(milliseconds(40));
  members[1].peers->send(beat(1, 2));
  const auto& got = members[2].heard.messages;
  ASSERT_TRUE(members.world.run_until([&] { return got.size() == 5; }, seconds(60)));
  size_t at = 0;
  while (got[at].type != raft::MessageType::kHeartbeat)
    at++;
  EXPECT_EQ(at, 0u) << "of 5";
}

TEST(Peers, AFullQueueDropsAndReports) {
  Members members(3, 2);
  ASSERT_TRUE(members.connect());
  members.world.net().cut(1, 2, true);
  for (raft::Index index = 1; index <= 20; index++)
    members[1].peers->send(append(1, 2, index, 1'000'000));
  members.world.run_for(milliseconds(10));
  EXPECT_GE(members[1].heard.unreachable[2], 1);
  members[1].peers->send(append(1, 2, 30, kMessageBytesMax));
  members.world.run_for(milliseconds(10));
  EXPECT_GE(members[1].heard.unreachable[2], 2) << "too long to be sent at all";
}

TEST(Peers, ASilentLinkIsCutAndHealsByItself) {
  Members members(3, 3);
  ASSERT_TRUE(members.connect());
  members.world.net().cut(1, 2, true);
  // Where something is said, an answer is missed after seconds.
  members[1].peers->send(beat(1, 2));
  EXPECT_TRUE(members.world.run_until([&] { return !members[1].sees(2); },
                                      kSilenceAsked + kPongTime + seconds(1)));
  EXPECT_EQ(members[1].heard.unreachable[2], 1);
  // Where nothing is said it takes longer.
  EXPECT_TRUE(members.world.run_until([&] { return !members[2].sees(1); },
                                      kSilenceIdle + kPongTime + seconds(2)));
  EXPECT_TRUE(members[1].sees(3) && members[2].sees(3)) << "the others do not notice";
  members.world.run_for(minutes(2));
  members.world.net().cut(1, 2, false);
  EXPECT_TRUE(members.world.run_until([&] { return members.connected(); },
                                      kRetryMost + kGreetingTime + seconds(1)));
}

TEST(Peers, IdleLinksStayAndCostLittle) {
  Members members(3, 2);
  ASSERT_TRUE(members.connect());
  members.world.run_for(seconds(1));
  const uint64_t before = members.world.turns();
  members.world.run_for(minutes(10));
  EXPECT_TRUE(members.connected());
  EXPECT_LT(members.world.turns() - before, 10 * 60 * 2u) << "two members, ten minutes";
}

TEST(Peers, ARestartedMemberTakesThePlaceOfItsPast) {
  Members members(3, 2);
  ASSERT_TRUE(members.connect());
  // Powered off: nobody says goodbye. Its past is silent, so the newcomer is let in.
  members.world.net().cut(1, 2, true);
  members.all[1].reset();
  members.world.run_for(milliseconds(100));
  EXPECT_TRUE(members[1].sees(2));
  members.world.net().cut(1, 2, false);
  members.all[1] = std::make_unique<Member>(members.world, 2);
  members[2].peers->set_members(std::vector<store::PeerAddress>{members[1].address()});
  members[2].peers->start(members[2].heard);
  ASSERT_TRUE(members.world.run_until([&] { return members[2].sees(1); }, seconds(10)));
  members.world.run_for(seconds(1));
  members[1].peers->send(beat(1, 2));
  EXPECT_TRUE(
      members.world.run_until([&] { return members[2].heard.messages.size() == 1; }, seconds(1)));
}

TEST(Peers, ACopyOfAMemberIsKeptOutWhileTheFirstAnswers) {
  Members members(3, 2);
  ASSERT_TRUE(members.connect());
  Member copy(members.world, 9, 2, Authority::ours().member(2));
  copy.peers->set_members(std::vector<store::PeerAddress>{members[1].address()});
  copy.peers->start(copy.heard);
  members.world.run_for(seconds(30));
  EXPECT_FALSE(copy.sees(1));
  EXPECT_TRUE(members[1].sees(2) && members[2].sees(1));
  members[1].peers->send(beat(1, 2));
  members.world.run_for(seconds(1));
  EXPECT_EQ(members[2].heard.messages.size(), 1u);
  EXPECT_EQ(copy.heard.messages.size(), 0u);
}

// Each of the two is called by one member only; those two compare.
TEST(Peers, ACopyThatTalksToAnotherMemberIsFencedToo) {
  Members members(3, 3);
  ASSERT_TRUE(members.connect());
  members.world.net().cut(1, 3, true);
  ASSERT_TRUE(members.world.run_until([&] { return !members[1].sees(3); }, minutes(1)));
  Member copy(members.world, 9, 3, Authority::ours().member(3));
  copy.peers->set_members(std::vector<store::PeerAddress>{members[1].address()});
  copy.peers->start(copy.heard);
  members.world.run_for(minutes(1));
  EXPECT_NE(copy.sees(1), members[3].sees(2)) << "one of them stays";
  EXPECT_TRUE(members[1].sees(2));
  members.world.run_for(minutes(1));
  EXPECT_NE(copy.sees(1), members[3].sees(2)) << "for good";
}

TEST(Peers, RestartsAreNotTakenForCopies) {
  Members members(3, 3);
  ASSERT_TRUE(members.connect());
  for (int round = 0; round < 5; round++) {
    members.all[2] = nullptr;
    members.all[2] = std::make_unique<Member>(members.world, 3);
    members[3].peers->set_members(
        std::vector<store::PeerAddress>{members[1].address(), members[2].address()});
    members[3].peers->start(members[3].heard);
    ASSERT_TRUE(members.connect()) << round;
  }
  members.world.run_for(seconds(10));
  EXPECT_TRUE(members.connected());
}

TEST(Peers, ARemovedMemberIsRefusedAndTheOthersGoOn) {
  Members members(3, 3);
  ASSERT_TRUE(members.connect());
  for (const raft::NodeId id : {1, 2}) {
    members[id].peers->set_members(
        std::vector<store::PeerAddress>{members[1].address(), members[2].address()});
  }
  members.world.run_for(seconds(20));
  EXPECT_FALSE(members[3].sees(1) || members[3].sees(2));
  EXPECT_FALSE(members[1].sees(3) || members[2].sees(3));
  EXPECT_TRUE(members[1].sees(2));
  members[1].peers->send(beat(1, 3));
  members.world.run_for(seconds(1));
  EXPECT_TRUE(members[3].heard.messages.empty());
}

TEST(Peers, AMemberAtANewAddressIsFoundByCallingTheOthers) {
  Members members(3, 2);
  ASSERT_TRUE(members.connect());
  members.all[1].reset();
  members.all[1] = std::make_unique<Member>(members.world, 7, 2, Authority::ours().member(2));
  members[2].peers->set_members(std::vector<store::PeerAddress>{members[1].address()});
  members[2].peers->start(members[2].heard);
  ASSERT_TRUE(members.connect());
  // It is called there from now on, though nobody has told the store yet.
  members[2].peers->set_members(std::vector<store::PeerAddress>{{1, {}}});
  members.world.net().cut(1, members[2].machine.number(), true);
  members.world.run_for(minutes(1));
  EXPECT_FALSE(members[1].sees(2));
  members.world.net().cut(1, members[2].machine.number(), false);
  EXPECT_TRUE(members.connect());
}

TEST(Peers, NothingIsToldAfterStop) {
  Members members(3, 2);
  ASSERT_TRUE(members.connect());
  members[1].peers->send(beat(1, 2));
  members[2].peers->stop();
  members.world.run_for(seconds(1));
  members[2].peers->send(beat(2, 1));
  EXPECT_FALSE(members[2].sees(1));
  EXPECT_TRUE(members[2].heard.messages.empty());
  EXPECT_TRUE(members[2].heard.unreachable.empty());
  EXPECT_GE(members[1].heard.unreachable[2], 1);
}

TEST(Peers, RenewedCertificatesServeTheNextConnection) {
  Members members(3, 2);
  ASSERT_TRUE(members.connect());
  pki::CertificateOptions options;
  options.common_name = pki::member_common_name(kCluster, 2);
  options.organizations = {std::string(pki::kMembersOrganization)};
  ASSERT_TRUE(members[2].peers->use_credentials(Authority::ours().issue(options)));
  members.world.run_for(seconds(1));
  EXPECT_TRUE(members.connected());
  members.world.net().cut(1, 2, true);
  members.world.run_for(minutes(1));
  members.world.net().cut(1, 2, false);
  EXPECT_TRUE(members.connect());
  options.common_name = pki::member_common_name(kCluster, 1);
  EXPECT_FALSE(members[2].peers->use_credentials(Authority::ours().issue(options)))
      << "a certificate of another member";
  EXPECT_TRUE(members.connected());
}

}  // namespace
}  // namespace coracle::peer
