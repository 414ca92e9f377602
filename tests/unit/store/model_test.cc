// SPDX-License-Identifier: GPL-2.0-or-later
// The store against a plain map: enough keys for lists of many chunks, which are read a few rows at
// a time while the state under them moves on, is flushed and checkpointed.
#include "tests/sim/model.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "tests/unit/store/bench.h"

namespace coracle::store {
namespace {

constexpr uint64_t kKeys = 700;

struct OpenList {
  std::unique_ptr<Rows> rows;
  sim::Values should;
  sim::Values::const_iterator next;
  bool whole = false;
};

class ModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([](Level, std::string_view) {});
    ASSERT_TRUE(bench.open());
    model.start(bench.store->version());
  }
  port_sim::Dice& dice() { return bench.world.dice(); }

  void write_some(uint64_t count) {
    std::vector<std::unique_ptr<Outcome>> outcomes;
    for (; count > 0; --count) {
      const std::string name = "k" + std::to_string(dice().below(kKeys));
      const std::string key = bench.prefix + name;
      const auto found = model.now().find(key);
      const uint64_t expected = found == model.now().end() ? 0 : found->second.version;
      const bool deletes = expected != 0 && dice().chance(30);
      const std::string text = deletes ? "" : config_map("d", name, std::to_string(dice().roll()));
      ASSERT_EQ(model.propose(key, text, expected), sim::Verdict::kAccepted);
      outcomes.push_back(std::make_unique<Outcome>());
      bench.store->propose({deletes ? Operation::kDelete : Operation::kPut, &api::kConfigMap, "d",
                            name, text, expected},
                           *outcomes.back());
    }
    if (!outcomes.empty()) bench.settle(*outcomes.back());
    for (const auto& outcome : outcomes)
      ASSERT_TRUE(outcome->ok());
    ASSERT_EQ(bench.store->version(), model.version());
  }

  void open_list() {
    uint64_t at = 0;
    if (dice().chance(50)) at = model.version() - dice().below(model.version() - model.oldest());
    std::string after;
    if (dice().chance(30)) after = bench.prefix + "k" + std::to_string(dice().below(kKeys));
    auto rows = bench.store->rows(bench.prefix, after, at);
    ASSERT_TRUE(rows) << rows.error().message;
    OpenList list;
    list.should = model.at((*rows)->version());
    list.rows = std::move(*rows);
    list.next = list.should.upper_bound(after);
    list.whole = after.empty();
    lists.push_back(std::make_unique<OpenList>(std::move(list)));
    lists.back()->next = lists.back()->should.upper_bound(after);
  }

  bool read_on(OpenList& list, uint64_t count) {  // false: at its end
    Rows::Row row;
    for (; count > 0; --count) {
      const auto more = list.rows->next(row);
      EXPECT_TRUE(more) << more.error().message;
      if (!more || !*more) {
        EXPECT_TRUE(list.next == list.should.end()) << list.next->first << " is missing";
        return false;
      }
      EXPECT_TRUE(list.next != list.should.end()) << row.key << " is too much";
      if (list.next == list.should.end()) return false;
      EXPECT_EQ(row.key, list.next->first);
      EXPECT_EQ(row.text, list.next->second.text);
      EXPECT_EQ(row.version, list.next->second.version);
      ++list.next;
    }
    return true;
  }

  void check_points() {
    EXPECT_EQ(*bench.store->count(bench.prefix, ""), model.now().size());
    for (int i = 0; i < 20; ++i) {
      const std::string name = "k" + std::to_string(dice().below(kKeys));
      const auto should = model.now().find(bench.prefix + name);
      const api::ObjectRef is = bench.store->get(api::kConfigMap, "d", name);
      ASSERT_EQ(static_cast<bool>(is), should != model.now().end());
      if (is) {
        ASSERT_EQ(is->text(), should->second.text);
      }
    }
    struct Count : api::Visitor {
      bool visit(const api::ObjectRef&) override { return ++count < 300; }
      size_t count = 0;
    } visited;
    bench.store->list(api::kConfigMap, "", visited);
    EXPECT_EQ(visited.count, std::min<size_t>(300, model.now().size()));
  }

  Bench bench{42};
  sim::Model model;
  std::vector<std::unique_ptr<OpenList>> lists;
};

TEST_F(ModelTest, ListsReadSlowlyWhileTheStateMovesOnAreExact) {
  write_some(600);
  size_t finished = 0;
  for (int round = 0; round < 120 && !HasFailure(); ++round) {
    write_some(dice().below(12));
    if (lists.size() < 6) open_list();
    std::erase_if(lists, [&](const std::unique_ptr<OpenList>& list) {
      const bool more = read_on(*list, dice().below(60));
      finished += more ? 0 : 1;
      return !more;
    });
    if (dice().chance(5)) bench.world.run_for(minutes(2));
    if (round % 10 == 0) check_points();
    if (dice().chance(2)) {
      lists.clear();
      if (dice().chance(50)) {
        bench.cut_power();
      } else {
        ASSERT_TRUE(bench.store->close());
      }
      ASSERT_TRUE(bench.open());
      ASSERT_EQ(bench.store->version(), model.version() + 1) << "the new leader's own entry";
      model.skip_to(model.version() + 1);
      model.forget_old(0);
    }
  }
  EXPECT_GT(finished, 15u);
  EXPECT_GT(bench.store->figures().durable_applied, 0u);
}

}  // namespace
}  // namespace coracle::store
