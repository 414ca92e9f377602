// SPDX-License-Identifier: GPL-2.0-or-later
// Failing, full and rotting disks.
#include <gtest/gtest.h>

#include "base/log.h"
#include "tests/unit/store/bench.h"

namespace coracle::store {
namespace {

struct DamageTest : ::testing::Test {
  void SetUp() override {
    set_log_sink([](Level, std::string_view) {});
    ASSERT_TRUE(bench.open());
  }
  std::string path(const std::string& name) { return bench.options.directory + "/" + name; }
  std::string bytes(const std::string& name) {
    return *bench.machine.disk().read_file(path(name), 1 << 24);
  }
  void flip(const std::string& name, size_t at) {
    bench.machine.disk().flip_bits(path(name), at, 0x10);
  }
  Code code_of(const Outcome& outcome) {
    return outcome.error ? outcome.error->code : Code::kInternal;
  }
  Bench bench;
};

TEST_F(DamageTest, AFailedSyncEndsAllAcknowledgements) {
  const uint64_t first = bench.put("a", "1");
  port_sim::SimDisk& disk = bench.machine.disk();
  disk.faults().io_error_at = disk.platter().operations() + 2;  // write, then sync
  const auto unknown = bench.propose_put("b", "1", 0);
  bench.settle(*unknown);
  EXPECT_EQ(code_of(*unknown), Code::kTimeout);
  const auto refused = bench.propose_put("c", "1", 0);
  bench.settle(*refused);
  EXPECT_EQ(code_of(*refused), Code::kUnavailable);
  EXPECT_EQ(bench.remove("a", first), 0u);
  EXPECT_TRUE(bench.store->figures().read_only);
  EXPECT_EQ(bench.value_of("a"), "1") << "reads go on";
  bench.cut_power();
  ASSERT_TRUE(bench.open());
  EXPECT_EQ(bench.value_of("a"), "1");
  EXPECT_NE(bench.put("c", "1"), 0u);
}

TEST_F(DamageTest, AFullDiskRefusesWritesServesDeletesAndRecoversByItself) {
  std::vector<uint64_t> versions;
  for (int i = 0; i < 10; ++i)
    versions.push_back(bench.put("k" + std::to_string(i), "1"));
  bench.world.run_for(minutes(2));
  port_sim::SimDisk& disk = bench.machine.disk();
  disk.faults().capacity = disk.platter().bytes_used();
  std::unique_ptr<Outcome> refused;
  for (int i = 0; i < 2000 && (!refused || refused->ok()); ++i) {
    refused = bench.propose_put("fill" + std::to_string(i), std::string(2000, 'x'), 0);
    bench.settle(*refused);
  }
  ASSERT_EQ(code_of(*refused), Code::kUnavailable);
  EXPECT_EQ(refused->error->retry_after_s, 10u);
  EXPECT_TRUE(bench.store->figures().read_only);
  EXPECT_EQ(bench.value_of("k1"), "1");
  EXPECT_NE(bench.remove("k1", versions[1]), 0u);
  EXPECT_EQ(bench.value_of("k1"), "");

  bench.cut_power();
  ASSERT_TRUE(bench.open()) << "starts on a full disk";
  EXPECT_EQ(bench.value_of("k1"), "");
  EXPECT_EQ(bench.value_of("k2"), "1");
  disk.faults().capacity = UINT64_MAX;
  bench.world.run_for(seconds(10));
  EXPECT_NE(bench.put("after", "1"), 0u);
}

TEST_F(DamageTest, SpaceThatComesBackIsFoundWithinTenSeconds) {
  bench.put("a", "1");
  bench.world.run_for(minutes(2));
  port_sim::SimDisk& disk = bench.machine.disk();
  disk.faults().capacity = disk.platter().bytes_used();
  for (int i = 0; i < 300 && !bench.store->figures().read_only; ++i) {
    bench.put("fill" + std::to_string(i), std::string(2000, 'x'));
  }
  ASSERT_TRUE(bench.store->figures().read_only);
  disk.faults().capacity = UINT64_MAX;
  bench.world.run_for(seconds(10));
  EXPECT_FALSE(bench.store->figures().read_only);
  EXPECT_NE(bench.put("b", "1"), 0u);
}

TEST_F(DamageTest, ATornLastBatchIsCut) {
  bench.put("a", "1");
  const auto lost = bench.propose_put("b", std::string(3000, 'x'), 0);
  port_sim::SimDisk& disk = bench.machine.disk();
  disk.faults().power_off_at = disk.platter().operations() + 2;
  bench.world.run_for(seconds(1));
  EXPECT_EQ(lost->count == 1 && lost->ok(), false);
  bench.store->forget(*lost);
  bench.cut_power();
  ASSERT_TRUE(bench.open());
  EXPECT_EQ(bench.value_of("a"), "1");
  EXPECT_NE(bench.put("c", "1"), 0u);
}

TEST_F(DamageTest, ABadRecordWithLaterOnesIsReportedAndNothingIsCut) {
  for (int i = 0; i < 10; ++i)
    bench.put("k" + std::to_string(i), "value");
  const std::string before = bytes("log/0");
  bench.cut_power();
  const size_t in_the_middle = before.find("\"k5\"");
  ASSERT_NE(in_the_middle, std::string::npos);
  flip("log/0", in_the_middle);
  const Result<> opened = bench.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kCorrupt);
  EXPECT_NE(opened.error().message.find("damaged"), std::string::npos) << opened.error().message;
  flip("log/0", in_the_middle);
  EXPECT_EQ(bytes("log/0"), before);
  ASSERT_TRUE(bench.open());
  EXPECT_EQ(bench.value_of("k9"), "value");
}

TEST_F(DamageTest, EveryDamagedBitOfAcknowledgedEntriesIsNoticed) {
  for (int i = 0; i < 6; ++i)
    bench.put("k" + std::to_string(i), "value");
  const std::string log = bytes("log/0");
  const size_t end = log.find("\"k4\"");  // the last entries could also be a torn write
  bench.cut_power();
  for (size_t at = 0; at < end; at += 61) {
    flip("log/0", at);
    const Result<> opened = bench.open();
    const bool whole =
        opened && bench.listing() == "k0=value k1=value k2=value k3=value k4=value k5=value";
    EXPECT_TRUE(whole || !opened) << "bit at " << at << " of " << log.size();
    bench.store.reset();
    flip("log/0", at);
  }
}

TEST_F(DamageTest, ALostLogIsNotTakenForANewStore) {
  bench.put("a", "1");
  ASSERT_TRUE(bench.store->close());
  bench.store.reset();
  ASSERT_TRUE(bench.machine.disk().remove_tree(path("log")));
  const Result<> opened = bench.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kCorrupt);
}

TEST_F(DamageTest, ALostDatabaseIsNotTakenForANewStore) {
  uint64_t version = 0;
  for (int i = 0; i < 3000; ++i)
    version = bench.put("a", std::to_string(i), version);
  ASSERT_TRUE(bench.store->close());
  bench.store.reset();
  ASSERT_TRUE(bench.machine.disk().remove(path("state.db")));
  ASSERT_TRUE(bench.machine.disk().remove(path("state.db-wal")));
  const Result<> opened = bench.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kCorrupt);
}

TEST_F(DamageTest, ARottenRowIsNeverServed) {
  bench.put("a", "good");
  bench.put("b", "rotten");
  ASSERT_TRUE(bench.store->close());
  bench.store.reset();
  const size_t at = bytes("state.db").find("rotten");
  ASSERT_NE(at, std::string::npos);
  flip("state.db", at);
  ASSERT_TRUE(bench.open());
  EXPECT_EQ(bench.store->find(api::kConfigMap, "d", "b").error().code, Code::kCorrupt);
  EXPECT_FALSE(bench.store->get(api::kConfigMap, "d", "b"));
  EXPECT_EQ(bench.value_of("a"), "good");
  EXPECT_NE(bench.listing().find("damaged"), std::string::npos);
  const auto create = bench.propose_put("b", "again", 0);
  bench.settle(*create);
  EXPECT_EQ(code_of(*create), Code::kCorrupt);
  EXPECT_GT(bench.store->figures().damaged_rows, 0u);
}

TEST_F(DamageTest, FlippedBitsOfTheDatabaseNeverGiveWrongText) {
  for (int i = 0; i < 30; ++i)
    bench.put("k" + std::to_string(i), "value" + std::to_string(i));
  ASSERT_TRUE(bench.store->close());
  bench.store.reset();
  const size_t size = bytes("state.db").size();
  for (size_t at = 100; at < size; at += 211) {
    flip("state.db", at);
    if (bench.open()) {
      for (int i = 0; i < 30; ++i) {
        const auto object = bench.store->find(api::kConfigMap, "d", "k" + std::to_string(i));
        if (object && *object) {
          EXPECT_EQ(Bench::value_in((*object)->text()), "value" + std::to_string(i)) << at;
        }
      }
    }
    bench.store.reset();
    flip("state.db", at);
    ASSERT_TRUE(bench.machine.disk().remove(path("state.db-wal")));
  }
}

}  // namespace
}  // namespace coracle::store
