// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/raft/cluster.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace coracle::raft {

namespace {

struct Course {
  size_t voters;
  bool pre_vote;
  bool changes;
};

ConfChange random_change(uint64_t number, size_t voters) {
  ConfChange change;
  NodeId newcomer = voters + 1 + number % 2;
  NodeId veteran = 1 + number % voters;
  switch (number % 6) {
    case 0:
      change.changes = {{Change::Type::kAddLearner, newcomer}};
      break;
    case 1:
      change.changes = {{Change::Type::kAddVoter, newcomer}};
      break;
    case 2:
      change.changes = {{Change::Type::kRemove, newcomer}};
      break;
    case 3:
      change.changes = {{Change::Type::kAddVoter, newcomer}, {Change::Type::kRemove, veteran}};
      break;
    case 4:
      change.changes = {{Change::Type::kAddVoter, veteran}, {Change::Type::kAddLearner, newcomer}};
      break;
    default:
      change.changes = {{Change::Type::kAddVoter, veteran}};
      break;
  }
  return change;
}

// CORACLE_RAFT_SEEDS: how many seeds; each failure names its own.
uint64_t seeds() {
  const char* text = std::getenv("CORACLE_RAFT_SEEDS");
  return text ? parse_unsigned(text).value_or(8) : 8;
}

void run(const Course& course) {
  size_t applied = 0;
  size_t reads = 0;
  for (uint64_t seed = 1; seed <= seeds(); seed++) {
    Cluster cluster(seed, course.voters, course.pre_vote);
    cluster.heal();
    for (uint64_t step = 0; step < 12'000 && cluster.complaint().empty(); step++) {
      cluster.step({});
      if (course.changes && step % 300 == 0) {
        cluster.change(random_change(seed + step / 300, course.voters));
      }
      if (step % 6'000 == 5'999) cluster.heal();
    }
    ASSERT_EQ(cluster.complaint(), "") << "seed " << seed;
    applied += cluster.applied();
    reads += cluster.reads_answered();
  }
  // The schedule must leave something to check.
  EXPECT_GT(applied, seeds() * 20);
  EXPECT_GT(reads, seeds() * 5);
}

TEST(Cluster, KeepsItsPromisesAlone) {
  run({.voters = 1, .pre_vote = false, .changes = false});
}

TEST(Cluster, KeepsItsPromisesWithThree) {
  run({.voters = 3, .pre_vote = false, .changes = false});
}

TEST(Cluster, KeepsItsPromisesWithPreVote) {
  run({.voters = 3, .pre_vote = true, .changes = false});
}

TEST(Cluster, KeepsItsPromisesWithFiveThatChange) {
  run({.voters = 5, .pre_vote = true, .changes = true});
}

TEST(Cluster, KeepsItsPromisesWithThreeThatChange) {
  run({.voters = 3, .pre_vote = false, .changes = true});
}

}  // namespace

}  // namespace coracle::raft
