// SPDX-License-Identifier: GPL-2.0-or-later
// What no script shows: limits, and whatever a peer may send.
#include "raft/core.h"

#include <gtest/gtest.h>

#include "tests/unit/raft/memory_storage.h"

namespace coracle::raft {

namespace {

struct Single {  // member 1 of `voters`, storage in memory, made leader if it is alone
  explicit Single(std::vector<NodeId> voters, Options options = {}) {
    Snapshot start{.index = 5, .term = 1};
    start.conf_state.voters = std::move(voters);
    storage.apply(start);
    storage.set_hard_state({.term = 1, .commit = 5});
    options.id = 1;
    options.applied = 5;
    core = Core::open(options, storage, nullptr).value();
  }

  Result<> give(Input::Kind kind, std::string_view data = "") {
    Input input{.kind = kind};
    input.data = Payload(data);
    return core->give(std::move(input));
  }

  Result<> receive(Message message) {
    Input input{.kind = Input::Kind::kMessage};
    input.message = std::move(message);
    return core->give(std::move(input));
  }

  Effects settle() {
    Effects effects = core->take_effects();
    if (!effects.hard.empty()) storage.set_hard_state(effects.hard);
    storage.append(effects.entries);
    core->advance();
    return effects;
  }

  MemoryStorage storage;
  std::unique_ptr<Core> core;
};

Message from_two(MessageType type, Term term) {
  return {.type = type, .to = 1, .from = 2, .term = term};
}

TEST(Core, RefusesImpossibleOptions) {
  MemoryStorage storage;
  EXPECT_FALSE(Core::open({.id = kNobody}, storage, nullptr));
  EXPECT_FALSE(Core::open({.id = kAppendLane}, storage, nullptr));
  EXPECT_FALSE(Core::open({.id = 1, .election_ticks = 1}, storage, nullptr));
  EXPECT_FALSE(Core::open({.id = 1, .window = {.messages_max = 0}}, storage, nullptr));
  EXPECT_FALSE(Core::open({.id = 1, .reads = Reads::kLease}, storage, nullptr));
  EXPECT_FALSE(Core::open({.id = 1, .applied = 9}, storage, nullptr));
  EXPECT_TRUE(Core::open({.id = 1}, storage, nullptr));
}

TEST(Core, RefusesWhatNoMemberSends) {
  Single member({1, 2, 3});
  EXPECT_FALSE(member.receive(from_two(MessageType::kHeartbeat, 0)));
  EXPECT_FALSE(member.receive(from_two(MessageType::kHeartbeat, UINT64_MAX)));
  EXPECT_FALSE(member.receive(from_two(MessageType::kCampaign, 2)));
  EXPECT_FALSE(member.receive(from_two(MessageType::kStorageAppendReply, 2)));
  EXPECT_FALSE(member.receive(from_two(MessageType::kSnapshot, 2)));
  EXPECT_FALSE(member.receive(from_two(MessageType::kPropose, 0)));
  Message lane = from_two(MessageType::kStorageApplyReply, 0);
  lane.from = kApplyLane;
  EXPECT_FALSE(member.receive(lane));
  Message astray = from_two(MessageType::kHeartbeat, 2);
  astray.to = 3;
  EXPECT_FALSE(member.receive(astray));
  Message stranger = from_two(MessageType::kAppendReply, 2);
  stranger.from = 9;
  EXPECT_FALSE(member.receive(stranger));
  EXPECT_EQ(member.core->machine().term(), 1u);  // nothing of it was taken in
}

TEST(Core, RefusesAppendsOutOfOrder) {
  Single member({1, 2, 3});
  Message append = from_two(MessageType::kAppend, 2);
  append.index = 5;
  append.log_term = 1;
  append.entries = {{.term = 2, .index = 7}};
  EXPECT_FALSE(member.receive(append));
  append.entries = {{.term = 3, .index = 6}};
  EXPECT_FALSE(member.receive(append));
  append.entries = {{.term = 2, .index = 6}, {.term = 1, .index = 7}};
  EXPECT_FALSE(member.receive(append));
  EXPECT_EQ(member.core->machine().log().last_index(), 5u);
}

TEST(Core, RefusesACommitItsLogCannotHold) {
  Single member({1, 2, 3});
  Message heartbeat = from_two(MessageType::kHeartbeat, 2);
  heartbeat.commit = 6;
  Result<> taken = member.receive(heartbeat);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::kCorrupt);
  EXPECT_EQ(member.core->machine().log().committed(), 5u);
}

TEST(Core, RefusesAcknowledgementsOfEntriesThatDoNotExist) {
  Single member({1, 2, 3});
  ASSERT_TRUE(member.give(Input::Kind::kCampaign));
  member.settle();
  ASSERT_TRUE(member.receive(from_two(MessageType::kVoteReply, 2)));
  member.settle();
  Message reply = from_two(MessageType::kAppendReply, 2);
  reply.index = 1'000;
  EXPECT_FALSE(member.receive(reply));
  EXPECT_EQ(member.core->machine().log().committed(), 5u);
}

TEST(Core, DropsProposalsAboveTheUncommittedLimit) {
  Single member({1, 2, 3}, {.uncommitted_bytes_max = 100});
  ASSERT_TRUE(member.give(Input::Kind::kCampaign));
  member.settle();
  ASSERT_TRUE(member.receive(from_two(MessageType::kVoteReply, 2)));
  EXPECT_TRUE(member.give(Input::Kind::kPropose, std::string(150, 'a')));  // one always fits
  EXPECT_FALSE(member.give(Input::Kind::kPropose, "b"));
  member.settle();
  Message reply = from_two(MessageType::kAppendReply, 2);
  reply.index = 7;
  ASSERT_TRUE(member.receive(reply));
  member.settle();  // applied
  EXPECT_TRUE(member.give(Input::Kind::kPropose, "b"));
}

TEST(Core, KeepsItsWindowInBytes) {
  Single member({1, 2},
                {.message_bytes_max = 100, .window = {.messages_max = 99, .bytes_max = 200}});
  ASSERT_TRUE(member.give(Input::Kind::kCampaign));
  member.settle();
  ASSERT_TRUE(member.receive(from_two(MessageType::kVoteReply, 2)));
  member.settle();
  Message reply = from_two(MessageType::kAppendReply, 2);
  reply.index = 6;
  ASSERT_TRUE(member.receive(reply));
  for (int i = 0; i < 10; i++) {
    ASSERT_TRUE(member.give(Input::Kind::kPropose, std::string(90, 'a')));
  }
  size_t appends = 0;
  for (const Message& message : member.settle().messages)
    appends += message.entries.size();
  EXPECT_EQ(appends, 3u);  // 270 bytes: the one that reaches the bound still goes
}

TEST(Core, AnswersASingleVotersReadsOnceItHasCommitted) {
  Single member({1});
  ASSERT_TRUE(member.give(Input::Kind::kCampaign));
  member.settle();
  ASSERT_TRUE(member.core->give({.kind = Input::Kind::kRead, .request = 7}));
  EXPECT_TRUE(member.settle().reads.empty());
  Effects effects = member.settle();
  ASSERT_EQ(effects.reads.size(), 1u);
  EXPECT_EQ(effects.reads[0].request, 7u);
  EXPECT_EQ(effects.reads[0].index, 6u);
}

TEST(Core, BoundsReadsThatWait) {
  Single member({1, 2, 3}, {.reads_max = 2});
  ASSERT_TRUE(member.give(Input::Kind::kCampaign));
  member.settle();
  ASSERT_TRUE(member.receive(from_two(MessageType::kVoteReply, 2)));
  EXPECT_TRUE(member.core->give({.kind = Input::Kind::kRead, .request = 1}));
  EXPECT_TRUE(member.core->give({.kind = Input::Kind::kRead, .request = 2}));
  Result<> third = member.core->give({.kind = Input::Kind::kRead, .request = 3});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Code::kTooManyRequests);
}

TEST(ConfChange, SurvivesItsBytesAndRefusesOthers) {
  ConfChange change{.transition = ConfChange::Transition::kJointExplicit,
                    .changes = {{Change::Type::kAddLearner, 4}, {Change::Type::kRemove, 9}},
                    .context = "why"};
  std::string bytes = encode(change);
  Result<ConfChange> back = decode_conf_change(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->transition, change.transition);
  ASSERT_EQ(back->changes.size(), 2u);
  EXPECT_EQ(back->changes[1].node, 9u);
  EXPECT_EQ(back->context, "why");
  EXPECT_TRUE(decode_conf_change("")->leaves_joint());
  for (size_t size = 1; size < bytes.size() - change.context.size(); size++) {
    EXPECT_FALSE(decode_conf_change(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_conf_change("\x09\x01"));
  EXPECT_FALSE(decode_conf_change(std::string("\0\xff", 2)));
}

}  // namespace

}  // namespace coracle::raft
