// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "tests/contract/port.h"

namespace coracle::contract {

template <class Port>
class ClockContract : public ::testing::Test {
 protected:
  Port port_;
};
TYPED_TEST_SUITE_P(ClockContract);

TYPED_TEST_P(ClockContract, FiresNotBeforeItsTimeAndOnce) {
  port::Clock& clock = this->port_.clock();
  Bell bell;
  auto timer = clock.timer(bell);
  const Mono start = clock.now();
  timer->arm(start + milliseconds(20));
  EXPECT_TRUE(timer->armed());
  ASSERT_TRUE(this->port_.run_until([&] { return bell.rings > 0; }, kSoon));
  EXPECT_GE((clock.now() - start).ns, milliseconds(20).ns);
  EXPECT_FALSE(timer->armed());
  EXPECT_FALSE(this->port_.run_until([&] { return bell.rings > 1; }, milliseconds(40)));
}

TYPED_TEST_P(ClockContract, TimersFireInOrderOfTheirTime) {
  struct Recorder : port::Alarm {
    Recorder(std::vector<int>& order_in, int name_in) : order(order_in), name(name_in) {}
    void on_alarm(port::Timer&) override { order.push_back(name); }
    std::vector<int>& order;
    int name;
  };
  port::Clock& clock = this->port_.clock();
  std::vector<int> order;
  Recorder late(order, 2);
  Recorder early(order, 1);
  auto late_timer = clock.timer(late);
  auto early_timer = clock.timer(early);
  late_timer->arm(clock.now() + milliseconds(10));
  early_timer->arm(clock.now() + milliseconds(5));
  ASSERT_TRUE(this->port_.run_until([&] { return order.size() == 2; }, kSoon));
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TYPED_TEST_P(ClockContract, ArmingAgainMovesAndDisarmingOrDestroyingStops) {
  port::Clock& clock = this->port_.clock();
  Bell moved;
  Bell disarmed;
  Bell destroyed;
  auto moved_timer = clock.timer(moved);
  auto disarmed_timer = clock.timer(disarmed);
  auto destroyed_timer = clock.timer(destroyed);
  const Mono start = clock.now();
  moved_timer->arm(start + milliseconds(1));
  moved_timer->arm(start + milliseconds(30));
  disarmed_timer->arm(start + milliseconds(1));
  disarmed_timer->disarm();
  destroyed_timer->arm(start + milliseconds(1));
  destroyed_timer.reset();
  ASSERT_TRUE(this->port_.run_until([&] { return moved.rings > 0; }, kSoon));
  EXPECT_GE((clock.now() - start).ns, milliseconds(30).ns);
  EXPECT_EQ(disarmed.rings, 0);
  EXPECT_EQ(destroyed.rings, 0);
}

TYPED_TEST_P(ClockContract, ATimeInThePastFiresSoonButNotFromInsideArm) {
  port::Clock& clock = this->port_.clock();
  Bell bell;
  auto timer = clock.timer(bell);
  timer->arm(clock.now());
  EXPECT_EQ(bell.rings, 0);
  EXPECT_TRUE(this->port_.run_until([&] { return bell.rings == 1; }, kSoon));
}

struct Ender : port::TurnEnd {
  void on_turn_end() override { ends++; }
  int ends = 0;
};

TYPED_TEST_P(ClockContract, TurnEndRunsOnceForManyRequests) {
  port::Clock& clock = this->port_.clock();
  Ender ender;
  clock.at_turn_end(ender);
  clock.at_turn_end(ender);
  EXPECT_EQ(ender.ends, 0);
  ASSERT_TRUE(this->port_.run_until([&] { return ender.ends > 0; }, kSoon));
  EXPECT_FALSE(this->port_.run_until([&] { return ender.ends > 1; }, milliseconds(20)));
}

TYPED_TEST_P(ClockContract, TurnEndCanBeCancelled) {
  port::Clock& clock = this->port_.clock();
  Ender cancelled;
  Ender kept;
  clock.at_turn_end(cancelled);
  clock.at_turn_end(kept);
  clock.cancel_turn_end(cancelled);
  ASSERT_TRUE(this->port_.run_until([&] { return kept.ends > 0; }, kSoon));
  EXPECT_EQ(cancelled.ends, 0);
}

TYPED_TEST_P(ClockContract, TurnEndAskedFromATimerNeedsNoFurtherInput) {
  struct Asker : port::Alarm, port::TurnEnd {
    explicit Asker(port::Clock& clock_in) : clock(clock_in) {}
    void on_alarm(port::Timer&) override {
      rings++;
      clock.at_turn_end(*this);
    }
    void on_turn_end() override { ends++; }
    port::Clock& clock;
    int rings = 0;
    int ends = 0;
  };
  port::Clock& clock = this->port_.clock();
  Asker asker(clock);
  auto timer = clock.timer(asker);
  const Mono start = clock.now();
  timer->arm(start + milliseconds(5));
  ASSERT_TRUE(this->port_.run_until([&] { return asker.ends == 1; }, kSoon));
  EXPECT_LT((clock.now() - start).ns, seconds(2).ns);
  EXPECT_EQ(asker.rings, 1);
}

TYPED_TEST_P(ClockContract, TurnEndThatAsksAgainDoesNotStarveTimers) {
  struct Restless : port::TurnEnd {
    explicit Restless(port::Clock& clock_in) : clock(clock_in) {}
    ~Restless() { clock.cancel_turn_end(*this); }
    void on_turn_end() override {
      ends++;
      if (!resting) clock.at_turn_end(*this);
    }
    port::Clock& clock;
    int ends = 0;
    bool resting = false;
  };
  port::Clock& clock = this->port_.clock();
  Restless restless(clock);
  Bell bell;
  auto timer = clock.timer(bell);
  clock.at_turn_end(restless);
  ASSERT_TRUE(this->port_.run_until([&] { return restless.ends > 3; }, kSoon));
  restless.resting = true;
  timer->arm(clock.now() + milliseconds(5));
  EXPECT_TRUE(this->port_.run_until([&] { return bell.rings == 1; }, kSoon));
}

TYPED_TEST_P(ClockContract, RandomBytesDiffer) {
  port::Random& random = this->port_.random();
  EXPECT_NE(random.next(), random.next());
  std::string bytes(257, '\0');
  random.fill(bytes.data(), bytes.size());
  EXPECT_NE(bytes, std::string(257, '\0'));
}

REGISTER_TYPED_TEST_SUITE_P(ClockContract,
                            FiresNotBeforeItsTimeAndOnce,
                            TimersFireInOrderOfTheirTime,
                            ArmingAgainMovesAndDisarmingOrDestroyingStops,
                            ATimeInThePastFiresSoonButNotFromInsideArm,
                            TurnEndRunsOnceForManyRequests,
                            TurnEndCanBeCancelled,
                            TurnEndAskedFromATimerNeedsNoFurtherInput,
                            TurnEndThatAsksAgainDoesNotStarveTimers,
                            RandomBytesDiffer);

}  // namespace coracle::contract
