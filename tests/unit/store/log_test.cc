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
  Result<> on_entry(uint64_t index, std::string_view payload) override {
    entries.push_back(std::to_string(index) + ":" + std::string(payload));
    return {};
  }
  Result<> on_batch_end(const LogPoint&) override { return {}; }
  std::vector<std::string> entries;
};

struct LogTest : ::testing::Test {
  std::unique_ptr<Log> open(Collector& collector, const LogPoint& from = {}) {
    auto log = Log::open({"/log", 4096, 3}, machine.disk());
    if (!log || !(*log)->recover(from, collector)) return nullptr;
    return std::move(*log);
  }
  static bool append(Log& log, const std::vector<std::string>& payloads) {
    std::vector<LogItem> items;
    for (const std::string& payload : payloads)
      items.push_back({RecordType::kEntry, payload});
    auto planned = log.plan(items);
    if (!planned || !planned->perform()) return false;
    log.appended(std::move(*planned));
    return true;
  }
  port_sim::World world{1};
  port_sim::Machine& machine = world.machine();
};

TEST_F(LogTest, ReadsBackWhatWasAppendedFromTheStartOrFromAPoint) {
  Collector none;
  auto log = open(none);
  ASSERT_NE(log, nullptr);
  EXPECT_TRUE(log->empty());
  ASSERT_TRUE(append(*log, {"a", "b"}));
  const LogPoint point = log->end();
  ASSERT_TRUE(append(*log, {"c"}));
  Collector all;
  ASSERT_NE(open(all), nullptr);
  EXPECT_EQ(all.entries, (std::vector<std::string>{"1:a", "2:b", "3:c"}));
  Collector rest;
  ASSERT_NE(open(rest, *LogPoint::decode(point.encode())), nullptr);
  EXPECT_EQ(rest.entries, (std::vector<std::string>{"3:c"}));
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
  log->set_durable(2);
  EXPECT_FALSE(append(*log, {payload}));
  log->set_durable(3);
  EXPECT_TRUE(append(*log, {payload}));
  Collector rest;
  auto again = open(rest, point);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(rest.entries.size(), 6u);
  EXPECT_EQ(again->end().next_index, 11u);
  Collector start;
  EXPECT_EQ(open(start), nullptr) << "the first segment is gone: not an empty log";
}

TEST_F(LogTest, TermsAreKeptAndGrow) {
  Collector none;
  auto log = open(none);
  log->begin_term();
  ASSERT_TRUE(append(*log, {"a"}));
  EXPECT_EQ(log->end().term, 1u);
  EXPECT_EQ(log->end().next_index, 2u) << "a hard state takes no index";
  auto again = open(none);
  again->begin_term();
  EXPECT_EQ(again->end().term, 1u);
  ASSERT_TRUE(append(*again, {"b"}));
  EXPECT_EQ(again->end().term, 2u);
  EXPECT_EQ(open(none)->end().term, 2u);
}

TEST(Mutation, CodesToFixedBytes) {
  const Mutation put{Operation::kPut, 7, "/k", "text"};
  EXPECT_EQ(hex(put.encode()), "010700000000000000020000002f6b74657874");
  const auto back = Mutation::decode(put.encode());
  ASSERT_TRUE(back);
  const std::string bytes = put.encode();
  EXPECT_EQ(Mutation::decode(bytes)->text, "text");
  EXPECT_EQ(Mutation::decode(bytes)->key, "/k");
  EXPECT_FALSE(Mutation::decode(bytes.substr(0, 12)));
  EXPECT_FALSE(Mutation::decode("\x09" + bytes.substr(1)));
  EXPECT_FALSE(Mutation::decode(bytes.substr(0, 14)));
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
