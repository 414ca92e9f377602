// SPDX-License-Identifier: GPL-2.0-or-later
// Snapshots between members: whole, pulled no faster than they are taken, and broken in every way.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "peer/bounds.h"
#include "raft/wire.h"
#include "tests/unit/peer/stranger.h"

namespace coracle::peer {
namespace {

struct Rows final : store::SnapshotSource {
  Rows(int count_in, int* made_in, int fails_at_in = -1)
      : count(count_in),
        made(made_in),
        fails_at(fails_at_in) {}
  Result<bool> next(std::string& chunk) override {
    if (*made == fails_at) return fail(Code::kIo, "cannot read");
    if (*made == count) return false;
    chunk.assign(store::kSnapshotChunkBytesMax, static_cast<char>('a' + *made % 26));
    ++*made;
    return true;
  }
  int count;
  int* made;
  int fails_at;
};

raft::Message announcement(raft::NodeId from, raft::NodeId to, raft::Index index) {
  raft::Message message{.type = raft::MessageType::kSnapshot, .to = to, .from = from, .term = 3};
  message.snapshot.index = index;
  message.snapshot.term = 2;
  message.snapshot.conf_state.voters = {1, 2, 3};
  return message;
}

struct Snapshots : ::testing::Test {
  Snapshots() { EXPECT_TRUE(members.connect()); }
  void send(raft::NodeId from, raft::NodeId to, int count, int fails_at = -1) {
    made = 0;
    members[from].peers->send_snapshot(announcement(from, to, 50),
                                       std::make_unique<Rows>(count, &made, fails_at));
  }
  bool settles(raft::NodeId from) {
    const Recorder& heard = members[from].heard;
    return members.world.run_until([&] { return heard.sent + heard.failed_ > 0; }, minutes(1));
  }
  Members members{11, 3};
  int made = 0;
};

TEST_F(Snapshots, ArriveWholeWithTheMessageThatAnnouncesThem) {
  send(1, 2, 40);
  ASSERT_TRUE(settles(1));
  EXPECT_EQ(members[1].heard.sent, 1);
  const Recorder& heard = members[2].heard;
  EXPECT_EQ(heard.begun, 1);
  EXPECT_EQ(heard.ended, 1);
  EXPECT_EQ(heard.broken, 0);
  ASSERT_EQ(heard.rows.size(), 40 * store::kSnapshotChunkBytesMax);
  for (size_t i = 0; i < 40; i++)
    EXPECT_EQ(heard.rows[i * store::kSnapshotChunkBytesMax], 'a' + static_cast<int>(i % 26));
  send(1, 2, 0);
  members.world.run_for(seconds(1));
  EXPECT_EQ(members[2].heard.ended, 2) << "one without rows is one, too";
}

// The source is read as the receiver takes, however long that takes.
TEST_F(Snapshots, ArePulledNoFasterThanTheyAreTaken) {
  members.world.net().cut(1, 2, true);
  send(1, 2, 1000);
  members.world.run_for(seconds(2));
  EXPECT_LE(made * store::kSnapshotChunkBytesMax, kWindowBytes);
  EXPECT_EQ(members[2].heard.chunks, 0);
  members.world.net().cut(1, 2, false);
  ASSERT_TRUE(settles(1));
  EXPECT_EQ(members[1].heard.sent, 1);
}

TEST_F(Snapshots, DoNotDelayShortMessages) {
  members.world.net().delay = {milliseconds(20), milliseconds(30)};
  send(1, 2, 1000);
  members.world.run_for(milliseconds(500));
  const int chunks = members[2].heard.chunks;
  members[1].peers->send(beat(1, 2));
  const auto& got = members[2].heard.messages;
  ASSERT_TRUE(members.world.run_until([&] { return got.size() == 1; }, minutes(1)));
  EXPECT_LE(static_cast<size_t>(members[2].heard.chunks - chunks),
            kWindowBytes / store::kSnapshotChunkBytesMax + 1);
}

TEST_F(Snapshots, TellBothSidesWhenTheLinkBreaks) {
  send(1, 2, 1000);
  ASSERT_TRUE(members.world.run_until([&] { return members[2].heard.chunks > 10; }, minutes(1)));
  members.world.net().cut(1, 2, true);
  ASSERT_TRUE(settles(1));
  EXPECT_EQ(members[1].heard.failed_, 1);
  EXPECT_TRUE(members.world.run_until([&] { return members[2].heard.broken == 1; }, minutes(1)));
  EXPECT_EQ(members[2].heard.ended, 0);
  members.world.net().cut(1, 2, false);
  ASSERT_TRUE(members.connect());
  send(1, 2, 3);
  ASSERT_TRUE(members.world.run_until([&] { return members[1].heard.sent == 1; }, minutes(1)));
}

TEST_F(Snapshots, TellBothSidesWhenTheSourceFails) {
  send(1, 2, 100, 20);
  ASSERT_TRUE(settles(1));
  EXPECT_EQ(members[1].heard.failed_, 1);
  members.world.run_for(seconds(1));
  EXPECT_EQ(members[2].heard.broken, 1);
  EXPECT_TRUE(members.connected());
}

TEST_F(Snapshots, ThatAreRefusedFailAtOnce) {
  members[2].heard.refuses = true;
  send(1, 2, 1000);
  ASSERT_TRUE(settles(1));
  EXPECT_EQ(members[1].heard.failed_, 1);
  EXPECT_LE(made, 20);
  EXPECT_EQ(members[2].heard.broken, 0);
  members[2].heard.refuses = false;
  send(1, 2, 3);
  ASSERT_TRUE(members.world.run_until([&] { return members[1].heard.sent == 1; }, minutes(1)));
}

TEST_F(Snapshots, FailWhenTheReceiverCannotKeepThem) {
  members[2].heard.refuses_chunk = 7;
  send(1, 2, 1000);
  ASSERT_TRUE(settles(1));
  EXPECT_EQ(members[1].heard.failed_, 1);
  members.world.run_for(seconds(1));
  EXPECT_EQ(members[2].heard.chunks, 7);
  EXPECT_EQ(members[2].heard.ended, 0);
  EXPECT_TRUE(members.connected());
}

TEST_F(Snapshots, ComeInOneAtATime) {
  int other = 0;
  send(1, 2, 500);
  members.world.run_for(milliseconds(5));
  members[3].peers->send_snapshot(announcement(3, 2, 60), std::make_unique<Rows>(5, &other));
  ASSERT_TRUE(settles(3));
  EXPECT_EQ(members[3].heard.failed_, 1);
  ASSERT_TRUE(settles(1));
  EXPECT_EQ(members[1].heard.sent, 1);
}

TEST_F(Snapshots, ToNobodyFail) {
  members.world.net().cut(1, 2, true);
  members.all[1].reset();
  members.world.run_for(minutes(1));
  send(1, 2, 5);
  EXPECT_EQ(members[1].heard.failed_, 0) << "not from inside the call";
  ASSERT_TRUE(settles(1));
  EXPECT_EQ(members[1].heard.failed_, 1);
}

TEST_F(Snapshots, WithASpoiledChunkAreBroken) {
  Stranger sender(members.world, members[1], Authority::ours().member(4));
  sender.greet(4, 1);
  const auto number = [](uint32_t value) {
    std::string out;
    put_u32(out, value);
    return out;
  };
  sender.say(FrameType::kSnapshotBegin, number(1) + raft::encode(announcement(4, 1, 50)));
  sender.say(FrameType::kSnapshotChunk, number(1) + number(crc32c("rows")) + "rows");
  sender.say(FrameType::kSnapshotChunk, number(1) + number(crc32c("rows")) + "more");
  sender.say(FrameType::kSnapshotEnd, number(1));
  members.world.run_for(seconds(2));
  EXPECT_EQ(members[1].heard.chunks, 1);
  EXPECT_EQ(members[1].heard.broken, 1);
  EXPECT_EQ(members[1].heard.ended, 0);
}

}  // namespace
}  // namespace coracle::peer
