// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/store.h"

#include <gtest/gtest.h>

#include "tests/unit/store/bench.h"

namespace coracle::store {
namespace {

struct StoreTest : ::testing::Test {
  void SetUp() override {
    const Result<> opened = bench.open();
    ASSERT_TRUE(opened) << opened.error().message;
  }
  Bench bench;
};

TEST_F(StoreTest, AWriteIsReadBackWithItsLogIndexAsVersion) {
  const uint64_t before = bench.store->version();
  const uint64_t version = bench.put("a", "1");
  EXPECT_EQ(version, before + 1);
  EXPECT_EQ(bench.store->version(), version);
  const api::ObjectRef object = bench.store->get(api::kConfigMap, "d", "a");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->version(), version);
  EXPECT_EQ(object->text(), config_map("d", "a", "1"));
  EXPECT_FALSE(bench.store->get(api::kConfigMap, "d", "b"));
}

TEST_F(StoreTest, ExpectationsAreHeldToTheVersion) {
  const uint64_t first = bench.put("a", "1");
  const auto exists = bench.propose_put("a", "2", 0);
  EXPECT_EQ(exists->count, 0) << "never answers from inside propose";
  bench.settle(*exists);
  EXPECT_EQ(exists->error->code, Code::kAlreadyExists);
  const auto conflict = bench.propose_put("a", "2", first + 5);
  bench.settle(*conflict);
  EXPECT_EQ(conflict->error->code, Code::kConflict);
  const uint64_t entries = bench.store->figures().entries;
  const uint64_t second = bench.put("a", "2", first);
  EXPECT_GT(second, first);
  EXPECT_EQ(bench.store->figures().entries, entries + 1) << "refused writes do not reach the log";
  EXPECT_EQ(bench.remove("a", first), 0u);
  EXPECT_GT(bench.remove("a", second), second);
  EXPECT_EQ(bench.value_of("a"), "");
  EXPECT_EQ(bench.remove("a", second), 0u);
  EXPECT_GT(bench.put("a", "3"), second);
}

TEST_F(StoreTest, ProposalsOfOneTurnShareOneSync) {
  std::vector<std::unique_ptr<Outcome>> outcomes;
  const uint64_t appends = bench.store->figures().appends;
  for (int i = 0; i < 20; ++i)
    outcomes.push_back(bench.propose_put("k" + std::to_string(i), "v", 0));
  bench.settle(*outcomes.back());
  EXPECT_EQ(bench.store->figures().appends, appends + 1);
  for (const auto& outcome : outcomes)
    EXPECT_TRUE(outcome->ok());
}

TEST_F(StoreTest, ALaterProposalOfTheTurnSeesTheEarlierOnes) {
  const auto create = bench.propose_put("a", "1", 0);
  const auto again = bench.propose_put("a", "2", 0);
  bench.settle(*again);
  bench.settle(*create);
  EXPECT_TRUE(create->ok());
  EXPECT_EQ(again->error->code, Code::kAlreadyExists);
}

TEST_F(StoreTest, StateSurvivesAnOrderlyStop) {
  const uint64_t a = bench.put("a", "1");
  bench.put("b", "2");
  bench.remove("a", a);
  const uint64_t version = bench.store->version();
  ASSERT_TRUE(bench.store->close());
  ASSERT_TRUE(bench.open());
  EXPECT_EQ(bench.store->version(), version + 1) << "the new leader's own entry";
  EXPECT_EQ(bench.listing(), "b=2");
}

TEST_F(StoreTest, StateSurvivesAPowerCut) {
  const uint64_t a = bench.put("a", "1");
  bench.put("b", "2");
  bench.put("a", "3", a);
  const uint64_t version = bench.store->version();
  bench.cut_power();
  ASSERT_TRUE(bench.open());
  EXPECT_EQ(bench.store->version(), version + 1);
  EXPECT_EQ(bench.listing(), "a=3 b=2");
  EXPECT_GT(bench.put("a", "4", version), version);
}

TEST_F(StoreTest, LazyKindsWaitForCompanyButNotForLong) {
  Outcome outcome;
  const Mono start = bench.world.now();
  bench.store->propose({Operation::kPut, &api::kLease, "n", "l", lease("l", "me"), 0}, outcome);
  bench.settle(outcome);
  ASSERT_TRUE(outcome.ok());
  EXPECT_GE(bench.world.now() - start, limits::kLazyWriteDelayMax);
  EXPECT_LT(bench.world.now() - start, limits::kLazyWriteDelayMax + milliseconds(50));

  Outcome lazy;
  const uint64_t appends = bench.store->figures().appends;
  bench.store->propose(
      {Operation::kPut, &api::kLease, "n", "l", lease("l", "you"), outcome.change->version}, lazy);
  bench.put("a", "1");
  EXPECT_TRUE(lazy.ok()) << "a write that cannot wait takes it along";
  EXPECT_EQ(bench.store->figures().appends, appends + 1);
}

TEST_F(StoreTest, AnIdleStoreSleeps) {
  bench.put("a", "1");
  bench.world.run_for(minutes(2));
  const uint64_t turns = bench.world.turns();
  const uint64_t operations = bench.machine.disk().platter().operations();
  bench.world.run_for(minutes(60));
  EXPECT_EQ(bench.world.turns(), turns);
  EXPECT_EQ(bench.machine.disk().platter().operations(), operations);
}

TEST_F(StoreTest, LazyRowsAloneStayLongerOutOfTheDatabase) {
  const auto writes_within = [this](Duration wait) {
    const uint64_t before = bench.machine.disk().platter().operations();
    bench.world.run_for(wait);
    return bench.machine.disk().platter().operations() - before;
  };
  bench.put("a", "1");
  EXPECT_GT(writes_within(seconds(65)), 0u);
  Outcome outcome;
  bench.store->propose({Operation::kPut, &api::kLease, "n", "l", lease("l", "me"), 0}, outcome);
  bench.settle(outcome);
  EXPECT_EQ(writes_within(minutes(9)), 0u);
  bench.put("b", "1");  // takes the lease along within its own minute
  EXPECT_GT(writes_within(seconds(65)), 0u);
  EXPECT_EQ(writes_within(minutes(20)), 0u);
}

struct Recorder : api::Feed {
  void on_change(const api::Change& change) override { versions.push_back(change.version); }
  std::vector<uint64_t> versions;
};

TEST_F(StoreTest, FeedsHearEveryLaterChangeOnceInOrder) {
  bench.put("before", "1");
  Recorder recorder;
  bench.store->subscribe(recorder);
  std::vector<uint64_t> written;
  for (int i = 0; i < 5; ++i)
    written.push_back(bench.put("k" + std::to_string(i), "v"));
  EXPECT_EQ(recorder.versions, written);
  bench.store->unsubscribe(recorder);
  bench.put("after", "1");
  EXPECT_EQ(recorder.versions.size(), 5u);
}

TEST_F(StoreTest, ForgottenWaitersAreNotCalledButTheirWritesGoOn) {
  const auto outcome = bench.propose_put("a", "1", 0);
  bench.store->forget(*outcome);
  bench.world.run_for(seconds(1));
  EXPECT_EQ(outcome->count, 0);
  EXPECT_EQ(bench.value_of("a"), "1");
}

TEST_F(StoreTest, WatchersReadTheRingFromAnyVersionItReaches) {
  const uint64_t start = bench.store->version();
  const uint64_t a = bench.put("a", "1");
  const uint64_t b = bench.put("a", "2", a);
  const uint64_t c = bench.remove("a", b);
  auto position = bench.store->position_after(start);
  ASSERT_TRUE(position);
  api::Change change;
  ASSERT_EQ(bench.store->read(*position, change), RingRead::kChange);
  EXPECT_EQ(change.type, api::ChangeType::kAdded);
  EXPECT_FALSE(change.before);
  ASSERT_EQ(bench.store->read(*position, change), RingRead::kChange);
  EXPECT_EQ(change.type, api::ChangeType::kModified);
  EXPECT_EQ(change.before->version(), a);
  ASSERT_EQ(bench.store->read(*position, change), RingRead::kChange);
  EXPECT_EQ(change.type, api::ChangeType::kDeleted);
  EXPECT_EQ(change.after->version(), c);
  EXPECT_EQ(bench.store->read(*position, change), RingRead::kEnd);
  EXPECT_EQ(bench.store->position_after(c + 1).error().code, Code::kTimeout);
}

TEST_F(StoreTest, TheRingIsRefilledFromTheLogAfterACrash) {
  const uint64_t a = bench.put("a", "1");
  bench.put("b", "1");
  bench.put("a", "2", a);
  bench.cut_power();
  ASSERT_TRUE(bench.open());
  auto position = bench.store->position_after(a);
  ASSERT_TRUE(position);
  api::Change change;
  ASSERT_EQ(bench.store->read(*position, change), RingRead::kChange);
  EXPECT_EQ(change.after->name(), "b");
  ASSERT_EQ(bench.store->read(*position, change), RingRead::kChange);
  EXPECT_EQ(change.before->version(), a);
}

TEST_F(StoreTest, HistoryBeforeTheRingIsExpired) {
  const uint64_t first = bench.put("a", "1");
  ASSERT_TRUE(bench.store->close());
  ASSERT_TRUE(bench.open());
  EXPECT_EQ(bench.store->position_after(first - 1).error().code, Code::kExpired);
  EXPECT_TRUE(bench.store->position_after(first));
  EXPECT_EQ(bench.store->rows(bench.prefix, "", first - 1).error().code, Code::kExpired);
}

TEST_F(StoreTest, AListKeepsItsVersionWhileTheStateMovesOn) {
  for (int i = 10; i < 60; ++i)
    bench.put("k" + std::to_string(i), "old");
  const std::string expected = bench.listing();
  auto rows = bench.store->rows(bench.prefix, "", 0);
  ASSERT_TRUE(rows);
  const uint64_t version = (*rows)->version();
  const api::ObjectRef old = bench.store->get(api::kConfigMap, "d", "k30");
  bench.put("k30", "new", old->version());
  bench.remove("k31", bench.store->get(api::kConfigMap, "d", "k31")->version());
  bench.put("k30x", "born");
  EXPECT_EQ(Bench::drain(**rows), expected);
  EXPECT_EQ(bench.listing(version), expected);
  EXPECT_NE(bench.listing(), expected);
}

TEST_F(StoreTest, ListsContinueBehindAKey) {
  for (const char* name : {"a", "b", "c"})
    bench.put(name, "1");
  EXPECT_EQ(bench.listing(0, bench.prefix + "a"), "b=1 c=1");
  EXPECT_EQ(*bench.store->count(bench.prefix, ""), 3u);
  EXPECT_EQ(*bench.store->count(bench.prefix, bench.prefix + "b"), 1u);
  ASSERT_TRUE(bench.store->close());
  ASSERT_TRUE(bench.open());
  EXPECT_EQ(*bench.store->count(bench.prefix, ""), 3u);
  bench.put("d", "1");
  bench.remove("a", bench.store->get(api::kConfigMap, "d", "a")->version());
  EXPECT_EQ(*bench.store->count(bench.prefix, ""), 3u);
  EXPECT_EQ(bench.listing(), "b=1 c=1 d=1");
}

std::string owned_map(const std::string& name, const std::string& uid) {
  return join({R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":")", name,
               R"(","namespace":"d","uid":"u-)", name,
               R"(","ownerReferences":[{"apiVersion":"v1","kind":"Pod",)", R"("name":"p","uid":")",
               uid, R"("}]},"data":{"v":"1"}})"});
}

struct Names : api::Visitor {
  bool visit(const api::ObjectRef& object) override {
    names += std::string(object->name()) + " ";
    return true;
  }
  std::string names;
};

TEST_F(StoreTest, DependentsAreFoundByTheirOwnersUid) {
  const auto owned_by = [&](const std::string& uid) {
    Names names;
    bench.store->list_owned_by(uid, names);
    return names.names;
  };
  Outcome one, two;
  bench.store->propose({Operation::kPut, &api::kConfigMap, "d", "x", owned_map("x", "U"), 0}, one);
  bench.store->propose({Operation::kPut, &api::kConfigMap, "d", "y", owned_map("y", "U"), 0}, two);
  bench.settle(two);
  EXPECT_EQ(owned_by("U"), "x y ");
  ASSERT_TRUE(bench.store->close());
  ASSERT_TRUE(bench.open());
  EXPECT_EQ(owned_by("U"), "x y ") << "the index is rebuilt from the rows";
  bench.remove("x", one.change->version);
  EXPECT_EQ(owned_by("U"), "y ");
  EXPECT_EQ(owned_by("V"), "");
}

TEST_F(StoreTest, TooLargeIsRefusedAndTheQueueIsBounded) {
  const auto large = bench.propose_put("a", std::string(100'000, 'x'), 0);
  bench.settle(*large);
  EXPECT_EQ(large->error->code, Code::kTooLarge);
  std::vector<std::unique_ptr<Outcome>> outcomes;
  for (size_t i = 0; i < limits::kProposalsMax + 10; ++i) {
    outcomes.push_back(bench.propose_put("k" + std::to_string(i), "v", 0));
  }
  bench.world.run_for(seconds(30));
  size_t refused = 0;
  for (const auto& outcome : outcomes) {
    ASSERT_EQ(outcome->count, 1);
    if (!outcome->ok()) {
      EXPECT_EQ(outcome->error->code, Code::kTooManyRequests);
      refused++;
    }
  }
  EXPECT_EQ(refused, 10u);
}

TEST_F(StoreTest, ManyWritesRecycleTheLogAndAllSurvive) {
  std::string expected;
  uint64_t version = 0;
  for (int i = 0; i < 3000; ++i) {
    version = bench.put("a", std::to_string(i), version);
    ASSERT_NE(version, 0u) << i;
  }
  EXPECT_LE(bench.store->figures().log_bytes, 4 * 64 * 1024u);
  bench.cut_power();
  ASSERT_TRUE(bench.open());
  EXPECT_EQ(bench.value_of("a"), "2999");
  EXPECT_EQ(bench.store->version(), version + 1);
}

}  // namespace
}  // namespace coracle::store
