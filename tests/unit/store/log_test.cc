// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/log.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "port/sim/world.h"
#include "store/entry.h"
#include "store/ring.h"

namespace coracle::store {
namespace {

struct Collector : LogReader {
  Result<> on_entry(const LogItem& item) override {
    entries.push_back(
        join({std::to_string(item.index), "@", std::to_string(item.term), ":", item.payload}));
    return {};
  }
  std::vector<std::string> entries;
};

struct LogTest : ::testing::Test {
  std::unique_ptr<Log> open(Collector& collector, const LogPoint& from = {}) {
    auto log = Log::open({"/log", 4096, 3}, machine.disk());
    if (!log || !(*log)->recover(from, collector)) return nullptr;
    return std::move(*log);
  }
  static bool append(Log& log,
                     const std::vector<std::string>& payloads,
                     uint64_t first = 0,
                     uint64_t term = 1) {
    std::vector<LogItem> items;
    if (first == 0) first = log.end().next_index;
    for (const std::string& payload : payloads)
      items.push_back({RecordType::kEntry, first++, term, 0, payload, 0});
    return write(log, items);
  }
  static bool write(Log& log, const std::vector<LogItem>& items) {
    auto planned = log.plan(items);
    if (!planned || !planned->perform()) return false;
    log.appended(std::move(*planned));
    return true;
  }
  static std::vector<std::string> read(const Log& log, uint64_t low, uint64_t high) {
    Collector collector;
    const Result<> outcome = log.read(low, high, collector);
    if (!outcome) collector.entries.push_back(outcome.error().message);
    return collector.entries;
  }
  port_sim::World world{1};
  port_sim::Machine& machine = world.machine();
};

using Lines = std::vector<std::string>;

TEST_F(LogTest, ReadsBackWhatWasAppendedFromTheStartOrFromAPoint) {
  Collector none;
  auto log = open(none);
  ASSERT_NE(log, nullptr);
  EXPECT_TRUE(log->pristine());
  ASSERT_TRUE(append(*log, {"a", "b"}));
  EXPECT_FALSE(log->pristine());
  const LogPoint point = log->end();
  ASSERT_TRUE(append(*log, {"c"}));
  Collector all;
  ASSERT_NE(open(all), nullptr);
  EXPECT_EQ(all.entries, (Lines{"1@1:a", "2@1:b", "3@1:c"}));
  Collector rest;
  std::string coded;
  point.encode(coded);
  ASSERT_NE(open(rest, LogPoint::decode(coded.data())), nullptr);
  EXPECT_EQ(rest.entries, (Lines{"3@1:c"}));
}

TEST_F(LogTest, TheLastRecordOfAnIndexCounts) {
  Collector none;
  auto log = open(none);
  ASSERT_TRUE(append(*log, {"a", "b", "c"}));
  ASSERT_TRUE(append(*log, {"B"}, 2, 2));
  EXPECT_EQ(read(*log, 1, 3), (Lines{"1@1:a", "2@2:B"}));
  EXPECT_EQ(log->end().next_index, 3u);
  ASSERT_TRUE(append(*log, {"C", "D"}, 3, 2));
  EXPECT_EQ(read(*log, 1, 5), (Lines{"1@1:a", "2@2:B", "3@2:C", "4@2:D"}));
  Collector all;
  auto again = open(all);
  EXPECT_EQ(all.entries.size(), 6u);
  EXPECT_EQ(read(*again, 2, 5), (Lines{"2@2:B", "3@2:C", "4@2:D"}));
  EXPECT_EQ(read(*again, 3, 4), (Lines{"3@2:C"}));
}

TEST_F(LogTest, ThePointForAnAppliedEntryLiesBeforeAllLaterOnes) {
  Collector none;
  auto log = open(none);
  ASSERT_TRUE(append(*log, {"a", "b"}));
  const LogPoint second = log->end();
  ASSERT_TRUE(append(*log, {"c", "d"}));
  EXPECT_EQ(log->point_for(0).offset, 0u);
  EXPECT_EQ(log->point_for(2).offset, second.offset);
  EXPECT_EQ(log->point_for(3).offset, second.offset);
  EXPECT_EQ(log->point_for(4).offset, log->end().offset);
}

TEST_F(LogTest, RecyclesOnlyWhatIsDurable) {
  Collector none;
  auto log = open(none);
  const std::string payload(1000, 'x');
  LogPoint point = log->end();
  int written = 0;
  while (append(*log, {payload})) {
    if (++written == 4) point = log->end();
  }
  EXPECT_EQ(written, 9) << "three segments of three records";
  EXPECT_EQ(log->free_segments(), 0u);
  log->set_durable(2, log->end());
  EXPECT_FALSE(append(*log, {payload}));
  log->set_durable(3, {});
  EXPECT_FALSE(append(*log, {payload})) << "reading would start there";
  log->set_durable(3, point);
  EXPECT_EQ(log->first_index(), 1u);
  EXPECT_TRUE(append(*log, {payload}));
  EXPECT_EQ(log->first_index(), 4u);
  EXPECT_EQ(read(*log, 5, 6), (Lines{"5@1:" + payload}));
  Collector rest;
  auto again = open(rest, point);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(rest.entries.size(), 6u);
  EXPECT_EQ(again->end().next_index, 11u);
  Collector start;
  EXPECT_EQ(open(start), nullptr) << "the first segment is gone: not an empty log";
}

TEST_F(LogTest, GrowsIntoAnotherFile) {
  Collector none;
  auto log = open(none);
  const std::string payload(3000, 'x');
  while (append(*log, {payload})) {
  }
  auto growth = log->plan_growth();
  ASSERT_TRUE(growth && growth->perform(machine.disk()));
  log->grown(std::move(*growth));
  EXPECT_TRUE(append(*log, {"more"}));
  Collector all;
  ASSERT_NE(open(all), nullptr);
  EXPECT_EQ(all.entries.size(), 4u);
}

TEST_F(LogTest, TermAndVoteAreKept) {
  Collector none;
  auto log = open(none);
  ASSERT_TRUE(write(*log, {{RecordType::kHardState, 0, 3, 2, {}, 1}}));
  EXPECT_EQ(log->end().next_index, 1u) << "a hard state takes no index";
  ASSERT_TRUE(append(*log, {"a"}, 1, 2));
  auto again = open(none);
  EXPECT_EQ(again->end().term, 3u);
  EXPECT_EQ(again->end().vote, 2u);
  EXPECT_EQ(again->end().commit, 1u);
  EXPECT_EQ(read(*again, 1, 2), (Lines{"1@2:a"}));
}

TEST_F(LogTest, AJumpLeavesAGapThatRecoveryKnowsOf) {
  Collector none;
  auto log = open(none);
  ASSERT_TRUE(append(*log, {"a", "b"}));
  log->jump(100);
  const LogPoint point = log->end();
  EXPECT_EQ(log->first_index(), 101u);
  ASSERT_TRUE(append(*log, {"c"}));
  Collector rest;
  auto again = open(rest, point);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(rest.entries, (Lines{"101@1:c"}));
}

TEST(Mutation, CodesToFixedBytes) {
  const Mutation put{Operation::kPut, 7, "/k", "text", {3, 5}};
  EXPECT_EQ(hex(put.encode()),
            "01030000000000000005000000000000000700000000000000020000002f6b74657874");
  const auto back = Mutation::decode(put.encode());
  ASSERT_TRUE(back);
  const std::string bytes = put.encode();
  EXPECT_EQ(Mutation::decode(bytes)->text, "text");
  EXPECT_EQ(Mutation::decode(bytes)->key, "/k");
  EXPECT_FALSE(Mutation::decode(bytes.substr(0, 28)));
  EXPECT_FALSE(Mutation::decode("\x09" + bytes.substr(1)));
  EXPECT_FALSE(Mutation::decode(bytes.substr(0, 30)));
  EXPECT_EQ(Mutation::decode(bytes)->origin.sequence, 5u);
}

TEST(Refusal, CarriesItsError) {
  const Refusal refusal{{3, 5}, fail(Code::kAlreadyExists, "it is there")};
  const auto back = Refusal::decode(refusal.encode());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->origin.sequence, 5u);
  EXPECT_EQ(back->error.code, Code::kAlreadyExists);
  EXPECT_EQ(back->error.message, "it is there");
  EXPECT_FALSE(Mutation::decode(refusal.encode()));
  EXPECT_FALSE(Refusal::decode("short"));
}

TEST(Record, CodesToFixedBytes) {
  std::string out;
  put_record(out, {{0, 1, 2, 3}, RecordType::kEntry, true, 4, 5, 0}, "ab");
  EXPECT_EQ(hex(out.substr(4)),
            "010000001edac0000200000002000000000000000400000000000000050000000000000003000000"
            "010100006162000000000000");
  ASSERT_TRUE(get_record(out));
  for (size_t i = 0; i < out.size(); ++i) {
    std::string bad = out;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(get_record(bad)) << i;
  }
}

api::ObjectRef object_at(uint64_t version) {
  return *api::make_object(api::kNamespace,
                           R"({"kind":"Namespace","apiVersion":"v1","metadata":{"name":"n"}})",
                           version);
}

TEST(Ring, ForgetsTheOldestWhenItIsFull) {
  Ring ring({1 << 20, 3, minutes(5)});
  ring.start(10);
  for (uint64_t version = 11; version <= 15; ++version) {
    ring.push({api::ChangeType::kAdded, version, {}, object_at(version)}, Mono{0});
  }
  EXPECT_FALSE(ring.reaches(11));
  EXPECT_TRUE(ring.reaches(12));
  EXPECT_EQ(ring.at(ring.sequence_after(12)).version, 13u);
  EXPECT_EQ(ring.sequence_after(15), ring.end());
}

TEST(Ring, ForgetsByAgeOnlyBeyondAQuarterOfItsBytes) {
  const size_t one = object_at(1)->bytes();
  Ring ring({one * 400, 1000, minutes(5)});
  ring.start(0);
  uint64_t version = 0;
  for (; version < 20; ++version) {
    ring.push({api::ChangeType::kAdded, version + 1, {}, object_at(version + 1)}, Mono{0});
  }
  ring.push({api::ChangeType::kAdded, 21, {}, object_at(21)}, Mono{minutes(60).ns});
  EXPECT_TRUE(ring.reaches(0));
  for (version = 22; version < 150; ++version) {
    ring.push({api::ChangeType::kAdded, version, {}, object_at(version)}, Mono{minutes(60).ns});
  }
  EXPECT_FALSE(ring.reaches(0));
  EXPECT_LE(ring.bytes(), one * 400);
}

}  // namespace
}  // namespace coracle::store
