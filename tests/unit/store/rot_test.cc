// SPDX-License-Identifier: GPL-2.0-or-later
// Members whose disks rot, among others whose disks do not; and disks that are full.
#include <gtest/gtest.h>

#include "base/log.h"
#include "store/damage.h"
#include "tests/sim/store_group.h"
#include "tests/unit/store/bench.h"

namespace coracle::store {
namespace {

struct RotTest : ::testing::Test {
  void SetUp() override {
    set_log_sink([](Level, std::string_view) {});
    ASSERT_TRUE(group.grow(3));
    ASSERT_TRUE(group.settle_all());
  }
  uint64_t write(Operation operation,
                 const std::string& name,
                 const std::string& value,
                 uint64_t expected) {
    Outcome outcome;
    const bool puts = operation == Operation::kPut;
    group.leader()->store->propose({operation, &api::kConfigMap, "d", name,
                                    puts ? config_map("d", name, value) : "", expected},
                                   outcome);
    world.run_until([&] { return outcome.count > 0; }, seconds(60));
    return outcome.ok() ? outcome.change->version : 0;
  }
  sim::StoreGroup::Peer& follower() {
    for (const auto& peer : group.peers()) {
      if (peer->up() && peer.get() != group.leader()) return *peer;
    }
    abort();
  }
  void flip(sim::StoreGroup::Peer& peer, const std::string& file, const std::string& word) {
    port_sim::SimDisk& disk = peer.machine->disk();
    std::string path = peer.options.directory + "/" + file;
    const size_t at = disk.read_file(path, size_t{1} << 24)->find(word);
    ASSERT_NE(at, std::string::npos) << word << " in " << path;
    disk.flip_bits(path, at, 0x10);
  }
  std::string state_file(sim::StoreGroup::Peer& peer) {
    const auto name = peer.machine->disk().read_file(peer.options.directory + "/current", 64);
    return name ? *name : "state.db";
  }
  Code code_of(sim::StoreGroup::Peer& peer, const std::string& name) {
    const auto found = peer.store->find(api::kConfigMap, "d", name);
    return found ? Code::kInternal : found.error().code;
  }
  std::string value(sim::StoreGroup::Peer& peer, const std::string& name) {
    const api::ObjectRef object = peer.store->get(api::kConfigMap, "d", name);
    return object ? std::string(Bench::value_in(object->text())) : "";
  }

  port_sim::World world{11};
  sim::StoreGroup group{world, 11};
};

TEST_F(RotTest, AWriteOverADamagedRowIsTheSameEverywhereAndHealsIt) {
  const uint64_t put_later = write(Operation::kPut, "put", "rottenput", 0);
  const uint64_t gone_later = write(Operation::kPut, "gone", "rottengone", 0);
  ASSERT_TRUE(group.settle_all());
  sim::StoreGroup::Peer& peer = follower();
  ASSERT_TRUE(peer.store->close());
  group.kill(peer);
  flip(peer, state_file(peer), "rottenput");
  flip(peer, state_file(peer), "rottengone");
  ASSERT_TRUE(group.open(peer));
  ASSERT_TRUE(group.settle_all());
  EXPECT_EQ(code_of(peer, "put"), Code::kCorrupt);
  const auto before = peer.store->position_after(peer.store->version());
  ASSERT_TRUE(before);

  ASSERT_NE(write(Operation::kPut, "put", "new", put_later), 0u);
  ASSERT_NE(write(Operation::kDelete, "gone", "", gone_later), 0u);
  ASSERT_TRUE(group.settle_all());
  for (const auto& each : group.peers()) {
    EXPECT_EQ(value(*each, "put"), "new") << each->id;
    EXPECT_EQ(value(*each, "gone"), "") << each->id;
  }
  Position position = *before;
  api::Change change;
  EXPECT_EQ(peer.store->read(position, change), RingRead::kLost) << "its watches list again";
  EXPECT_EQ(write(Operation::kPut, "put", "late", put_later), 0u) << "refused as ever";
}

TEST_F(RotTest, AMemberWithADamagedLogComesBackAsANewOne) {
  for (int i = 0; i < 8; ++i)
    ASSERT_NE(write(Operation::kPut, "k" + std::to_string(i), "value", 0), 0u);
  ASSERT_TRUE(group.settle_all());
  sim::StoreGroup::Peer& peer = follower();
  const raft::NodeId old = peer.id;
  group.cut_power(peer);
  flip(peer, "log/0", "\"k4\"");
  const Result<> opened = group.open(peer);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kCorrupt);

  port_sim::SimDisk& disk = peer.machine->disk();
  const std::string directory = peer.options.directory;
  ASSERT_TRUE(condemn(directory, "a bit fell over", disk));
  const Result<> again = group.open(peer);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("a bit fell over"), std::string::npos);
  const auto remains = read_remains(directory, disk);
  ASSERT_TRUE(remains);
  EXPECT_EQ(remains->member, old);
  EXPECT_GE(remains->members.size(), 2u);  // of whom its state knew

  ASSERT_TRUE(group.replace(peer));
  ASSERT_TRUE(group.settle_all());
  EXPECT_TRUE(disk.stat(directory + ".damaged"));
  ASSERT_TRUE(forget_aside(directory, disk));
  EXPECT_FALSE(disk.stat(directory + ".damaged"));
  EXPECT_EQ(group.find(old), nullptr);
  for (const auto& each : group.peers())
    EXPECT_EQ(value(*each, "k4"), "value") << each->id;
}

TEST_F(RotTest, AStoreThatWasClosedOpensOnADiskWithoutAnyRoom) {
  const uint64_t version = write(Operation::kPut, "a", "1", 0);
  ASSERT_TRUE(group.settle_all());
  sim::StoreGroup::Peer& peer = follower();
  ASSERT_TRUE(peer.store->close());
  group.kill(peer);
  port_sim::SimDisk& disk = peer.machine->disk();
  disk.faults().capacity = disk.platter().bytes_used();
  const Result<> opened = group.open(peer);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(value(peer, "a"), "1");
  ASSERT_NE(write(Operation::kPut, "a", "2", version), 0u);
  ASSERT_TRUE(group.settle_all());
  EXPECT_EQ(value(peer, "a"), "2");
}

TEST_F(RotTest, ALeaderWithoutRoomHandsOverToOneThatHasSome) {
  sim::StoreGroup::Peer& old = *group.leader();
  port_sim::SimDisk& disk = old.machine->disk();
  disk.faults().capacity = disk.platter().bytes_used();
  const auto moved = [&] { return group.leader() != nullptr && group.leader()->id != old.id; };
  for (int i = 0; i < 2000 && !old.store->figures().read_only; ++i)
    write(Operation::kPut, "fill" + std::to_string(i), std::string(2000, 'x'), 0);
  EXPECT_TRUE(old.store->figures().read_only);
  ASSERT_TRUE(world.run_until(moved, seconds(10)));
  EXPECT_NE(write(Operation::kPut, "more", "1", 0), 0u);
  EXPECT_TRUE(group.settle_all());
  disk.faults().capacity = UINT64_MAX;
  world.run_for(seconds(10));
  EXPECT_FALSE(old.store->figures().read_only);
}

TEST_F(RotTest, ALeaderWithADamagedRowLetsAnotherJudge) {
  const uint64_t version = write(Operation::kPut, "a", "rottenrow", 0);
  ASSERT_TRUE(group.settle_all());
  sim::StoreGroup::Peer& peer = follower();
  ASSERT_TRUE(peer.store->close());
  group.kill(peer);
  flip(peer, state_file(peer), "rottenrow");
  ASSERT_TRUE(group.open(peer));
  ASSERT_TRUE(group.settle_all());
  sim::StoreGroup::Change asked;
  group.leader()->store->membership().transfer(peer.id, asked);
  ASSERT_TRUE(world.run_until([&] { return group.leader() == &peer; }, seconds(10)));
  EXPECT_EQ(write(Operation::kPut, "a", "2", version), 0u) << "it cannot know";
  ASSERT_TRUE(world.run_until([&] { return group.leader() != nullptr && group.leader() != &peer; },
                              seconds(10)));
  EXPECT_NE(write(Operation::kPut, "a", "2", version), 0u);
  ASSERT_TRUE(group.settle_all());
  EXPECT_EQ(value(peer, "a"), "2");
}

}  // namespace
}  // namespace coracle::store
