// SPDX-License-Identifier: GPL-2.0-or-later
// Several members: what a client may rely on wherever it asks.
#include <gtest/gtest.h>

#include "base/log.h"
#include "tests/sim/store_group.h"
#include "tests/unit/store/bench.h"

namespace coracle::store {
namespace {

struct Confirmed : ReadWaiter {
  void on_confirmed(Result<> result) override {
    count++;
    ok = static_cast<bool>(result);
  }
  int count = 0;
  bool ok = false;
};

struct GroupTest : ::testing::Test {
  void SetUp() override {
    set_log_sink([](Level, std::string_view) {});
  }
  void grow(size_t voters, size_t learners = 0) {
    const Result<> grown = group.grow(voters, learners);
    ASSERT_TRUE(grown) << grown.error().message;
    ASSERT_TRUE(group.settle_all());
  }
  std::unique_ptr<Outcome> propose(raft::NodeId at,
                                   const std::string& name,
                                   const std::string& value,
                                   uint64_t expected = 0) {
    auto outcome = std::make_unique<Outcome>();
    group.store(at).propose(
        {Operation::kPut, &api::kConfigMap, "d", name, config_map("d", name, value), expected},
        *outcome);
    return outcome;
  }
  void settle(const Outcome& outcome) {
    world.run_until([&] { return outcome.count > 0; }, seconds(60));
  }
  uint64_t put(raft::NodeId at,
               const std::string& name,
               const std::string& value,
               uint64_t expected = 0) {
    const auto outcome = propose(at, name, value, expected);
    settle(*outcome);
    return outcome->ok() ? outcome->change->version : 0;
  }
  std::string value(raft::NodeId at, const std::string& name) {
    const api::ObjectRef object = group.store(at).get(api::kConfigMap, "d", name);
    return object ? std::string(Bench::value_in(object->text())) : "";
  }
  bool confirm(raft::NodeId at) {
    Confirmed confirmed;
    if (group.store(at).confirm(confirmed)) return true;
    world.run_until([&] { return confirmed.count > 0; }, seconds(30));
    group.store(at).forget(confirmed);
    return confirmed.ok;
  }

  port_sim::World world{7};
  sim::StoreGroup group{world, 7};
};

TEST_F(GroupTest, ThreeMembersHoldTheSame) {
  grow(3);
  const uint64_t version = put(1, "a", "1");
  ASSERT_NE(version, 0u);
  ASSERT_TRUE(group.settle_all());
  for (raft::NodeId id = 1; id <= 3; ++id) {
    EXPECT_EQ(value(id, "a"), "1") << id;
    EXPECT_EQ(group.store(id).get(api::kConfigMap, "d", "a")->version(), version);
    EXPECT_EQ(group.store(id).membership().members().size(), 3u);
  }
}

TEST_F(GroupTest, WritesThroughAFollowerAreAnsweredThere) {
  grow(3);
  for (raft::NodeId id = 1; id <= 3; ++id)
    EXPECT_NE(put(id, "k" + std::to_string(id), "v"), 0u);
  const auto again = propose(3, "k1", "w");
  settle(*again);
  ASSERT_TRUE(again->error);
  EXPECT_EQ(again->error->code, Code::kAlreadyExists);
  EXPECT_EQ(value(3, "k1"), "v") << "what it was refused for is known here";
}

TEST_F(GroupTest, AConfirmedReadMissesNothing) {
  grow(3);
  uint64_t version = 0;
  for (int i = 0; i < 20; ++i) {
    const raft::NodeId writer = 1 + static_cast<raft::NodeId>(i) % 3;
    version = put(writer, "a", std::to_string(i), version);
    ASSERT_NE(version, 0u);
    const raft::NodeId reader = 1 + static_cast<raft::NodeId>(i + 1) % 3;
    ASSERT_TRUE(confirm(reader));
    EXPECT_EQ(value(reader, "a"), std::to_string(i));
  }
}

TEST_F(GroupTest, ALostLeaderIsReplacedWithinTwoSeconds) {
  grow(3);
  sim::StoreGroup::Peer* old = group.leader();
  ASSERT_NE(old, nullptr);
  const uint64_t version = put(old->id, "a", "1");
  group.cut_power(*old);
  const Mono cut = world.now();
  const raft::NodeId other = old->id == 1 ? 2 : 1;
  uint64_t next = 0;
  while (next == 0 && world.now() - cut < seconds(10))
    next = put(other, "a", "2", version);
  EXPECT_NE(next, 0u);
  EXPECT_LE((world.now() - cut).ns, seconds(2).ns);
  ASSERT_TRUE(group.open(*old));
  ASSERT_TRUE(group.settle_all());
  EXPECT_EQ(value(old->id, "a"), "2");
}

TEST_F(GroupTest, WithoutAQuorumNothingIsAcknowledgedAndReadsWait) {
  grow(3);
  const raft::NodeId left = group.leader()->id;
  for (raft::NodeId id = 1; id <= 3; ++id) {
    if (id != left) group.cut_power(group.peer(id));
  }
  const auto outcome = propose(left, "a", "1");
  settle(*outcome);
  ASSERT_TRUE(outcome->error);
  EXPECT_TRUE(outcome->error->code == Code::kTimeout || outcome->error->code == Code::kUnavailable);
  EXPECT_FALSE(confirm(left));
  const auto later = propose(left, "b", "1");
  settle(*later);
  ASSERT_TRUE(later->error);
  EXPECT_EQ(later->error->code, Code::kUnavailable);
  EXPECT_EQ(later->error->retry_after_s, 1u);
}

TEST_F(GroupTest, ALaggingMemberGetsASnapshot) {
  grow(3);
  const raft::NodeId away = group.leader()->id == 3 ? 2 : 3;
  group.kill(group.peer(away));
  uint64_t version = 0;
  for (int i = 0; i < 600; ++i) {
    version = put(group.leader()->id, "a", std::to_string(i) + std::string(1500, 'x'), version);
    ASSERT_NE(version, 0u) << i;
  }
  const uint64_t before = group.net().snapshots();
  ASSERT_TRUE(group.open(group.peer(away)));
  const auto old = group.store(away).position_after(group.store(away).version());
  ASSERT_TRUE(group.settle_all());
  EXPECT_GT(group.net().snapshots(), before);
  EXPECT_EQ(value(away, "a").substr(0, 3), "599");
  Position position = *old;
  api::Change change;
  EXPECT_EQ(group.store(away).read(position, change), RingRead::kLost) << "watchers start anew";
  ASSERT_NE(put(away, "b", "1"), 0u);
  group.cut_power(group.peer(away));
  ASSERT_TRUE(group.open(group.peer(away)));
  ASSERT_TRUE(group.settle_all());
  EXPECT_EQ(value(away, "b"), "1");
}

struct Mirror : api::Feed {
  void on_change(const api::Change& change) override {
    const std::string key = change.after->key();
    if (change.type == api::ChangeType::kDeleted) {
      values.erase(key);
    } else {
      values[key] = std::string(change.after->text());
    }
  }
  std::map<std::string, std::string> values;
};

TEST_F(GroupTest, FeedsHearWhatASnapshotChanged) {
  grow(3);
  const raft::NodeId lead = group.leader()->id;
  const raft::NodeId away = lead == 3 ? 2 : 3;
  Mirror mirror;
  group.store(away).subscribe(mirror);
  const uint64_t gone = put(lead, "gone", "1");
  put(lead, "kept", "1");
  ASSERT_TRUE(group.settle_all());
  group.net().cut_off(away);
  Outcome removed;
  group.store(lead).propose({Operation::kDelete, &api::kConfigMap, "d", "gone", "", gone}, removed);
  settle(removed);
  uint64_t version = 0;
  for (int i = 0; i < 400; ++i)
    version = put(lead, "a", std::to_string(i) + std::string(1500, 'x'), version);
  group.net().heal();
  ASSERT_TRUE(group.settle_all());
  EXPECT_GT(group.net().snapshots(), 0u);
  std::map<std::string, std::string> should;
  auto rows = group.store(away).rows(api::storage_prefix(api::kConfigMap), "", 0);
  for (Rows::Row row; rows && *(*rows)->next(row);)
    should[std::string(row.key)] = std::string(row.text);
  EXPECT_EQ(should.size(), 2u);
  EXPECT_EQ(mirror.values, should);
}

TEST_F(GroupTest, AWholeClusterSurvivesAPowerCut) {
  grow(3);
  uint64_t version = 0;
  for (int i = 0; i < 30; ++i)
    version = put(1 + static_cast<raft::NodeId>(i) % 3, "a", std::to_string(i), version);
  for (raft::NodeId id = 1; id <= 3; ++id)
    group.cut_power(group.peer(id));
  for (raft::NodeId id = 1; id <= 3; ++id) {
    const Result<> opened = group.open(group.peer(id));
    ASSERT_TRUE(opened) << opened.error().message;
  }
  ASSERT_TRUE(group.settle_all());
  for (raft::NodeId id = 1; id <= 3; ++id)
    EXPECT_EQ(value(id, "a"), "29");
}

TEST_F(GroupTest, LearnersFollowAndForwardButDoNotCount) {
  grow(1, 2);
  EXPECT_NE(put(3, "a", "1"), 0u);
  ASSERT_TRUE(confirm(2));
  EXPECT_EQ(value(2, "a"), "1");
  group.kill(group.peer(2));
  group.kill(group.peer(3));
  EXPECT_NE(put(1, "b", "1"), 0u);
}

TEST_F(GroupTest, MembersAreRemovedTransferredAndNeverReused) {
  grow(3);
  const raft::NodeId lead = group.leader()->id;
  const raft::NodeId to = lead == 1 ? 2 : 1;
  sim::StoreGroup::Change moved;
  group.store(to).membership().transfer(to, moved);
  world.run_until([&] { return moved.done; }, seconds(20));
  ASSERT_TRUE(moved.outcome) << moved.outcome.error().message;
  ASSERT_TRUE(group.settle_leader());
  EXPECT_EQ(group.leader()->id, to);

  sim::StoreGroup::Change removed;
  group.store(to).membership().remove(lead, removed);
  world.run_until([&] { return removed.done; }, seconds(20));
  ASSERT_TRUE(removed.outcome) << removed.outcome.error().message;
  EXPECT_EQ(group.store(to).membership().members().size(), 2u);
  group.kill(group.peer(lead));
  EXPECT_NE(put(to, "a", "1"), 0u);
  const Result<raft::NodeId> fresh = group.add(true);
  ASSERT_TRUE(fresh) << fresh.error().message;
  EXPECT_EQ(*fresh, 4u);

  sim::StoreGroup::Change unknown;
  group.store(to).membership().remove(lead, unknown);
  world.run_until([&] { return unknown.done; }, seconds(20));
  EXPECT_EQ(unknown.outcome.error().code, Code::kNotFound);
}

TEST_F(GroupTest, ABackupBecomesANewClusterWhoseVersionsGoOn) {
  grow(3);
  const uint64_t version = put(1, "a", "1");
  for (int i = 0; i < 200; ++i)
    put(1, "k" + std::to_string(i), std::string(700, 'x'));
  auto source = group.store(1).backup();
  ASSERT_TRUE(source) << source.error().message;
  const uint64_t later = put(1, "later", "1");
  std::string bytes;
  for (std::string chunk; *(*source)->next(chunk);)
    bytes += chunk;
  source->reset();

  port_sim::Machine& spare = world.machine("spare");
  port_sim::SimDisk& disk = spare.disk();
  ASSERT_TRUE(disk.write_file("/backup", bytes, 0600));
  std::string rotten = bytes;
  rotten[rotten.size() / 2] = static_cast<char>(rotten[rotten.size() / 2] ^ 4);
  ASSERT_TRUE(disk.write_file("/rotten", rotten, 0600));
  StoreOptions options;
  options.directory = "/restored";
  options.entropy = 99;
  options.self.name = "spare";
  EXPECT_EQ(restore_store(options, disk, "/rotten").error().code, Code::kCorrupt);
  const Result<> restored = restore_store(options, disk, "/backup");
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restore_store(options, disk, "/backup").error().code, Code::kConflict);

  const auto log_lane = spare.lane();
  const auto state_lane = spare.lane();
  auto store = open_store(options, spare.clock(), disk, *log_lane, *state_lane);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_GT((*store)->version(), later);
  EXPECT_EQ((*store)->get(api::kConfigMap, "d", "a")->version(), version);
  EXPECT_TRUE((*store)->get(api::kConfigMap, "d", "k199"));
  EXPECT_FALSE((*store)->get(api::kConfigMap, "d", "later"));
  EXPECT_NE((*store)->membership().cluster(), group.store(1).membership().cluster());
  EXPECT_EQ((*store)->membership().members().front().name, "spare");
  EXPECT_TRUE((*store)->membership().standing().leading);
}

TEST_F(GroupTest, TheLastVoterStays) {
  grow(1);
  sim::StoreGroup::Change removed;
  group.store(1).membership().remove(1, removed);
  world.run_until([&] { return removed.done; }, seconds(20));
  ASSERT_TRUE(removed.done);
  EXPECT_EQ(removed.outcome.error().code, Code::kConflict);
}

}  // namespace
}  // namespace coracle::store
