// SPDX-License-Identifier: GPL-2.0-or-later
// A few power cuts on every build; `make sim` makes many.
#include <gtest/gtest.h>

#include "base/log.h"
#include "tests/sim/store_life.h"

namespace coracle::sim {
namespace {

struct PowerCut : ::testing::Test {
  void SetUp() override {
    set_log_sink([](Level, std::string_view) {});
  }
};

TEST_F(PowerCut, LosesNothingAcknowledgedAndTheStoreAlwaysStarts) {
  for (uint64_t seed = 1000; seed < 1006; ++seed) {
    StoreLife life(seed);
    EXPECT_TRUE(life.live(20)) << "seed " << seed << ": " << life.failure();
  }
}

TEST_F(PowerCut, OfADiskThatLiesAboutSyncsIsFound) {
  StoreLife life(1);
  life.lie_about_syncs();
  EXPECT_FALSE(life.live(50));
}

TEST_F(PowerCut, IsTheSameForTheSameSeed) {
  StoreLife first(7);
  StoreLife second(7);
  ASSERT_TRUE(first.live(10));
  ASSERT_TRUE(second.live(10));
  EXPECT_EQ(first.acknowledged(), second.acknowledged());
}

}  // namespace
}  // namespace coracle::sim
