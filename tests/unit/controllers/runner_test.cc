// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/runner.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "port/sim/world.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/controllers/manifest.h"

namespace coracle::controllers {
namespace {

using testing::Cluster;
using testing::ClusterClient;

class RunnerRuns : public ::testing::Test {
 protected:
  RunnerRuns()
      : machine_(world_.machine()),
        cluster_(machine_.clock().wall()),
        client_(cluster_, machine_.clock()),
        runner_(client_, machine_.clock(), machine_.random(), "PEM") {}

  void put(const std::string& line) {
    cluster_.now = machine_.clock().wall();
    ASSERT_TRUE(testing::put_line(cluster_, line)) << line;
    client_.tell();
  }
  void settle(Duration time = milliseconds(100)) {
    world_.run_for(time);
    cluster_.now = machine_.clock().wall();
  }
  size_t count(const api::Kind& kind) const {
    size_t found = 0;
    api::for_each(cluster_, kind, {}, [&](const api::ObjectRef&) { ++found; });
    return found;
  }
  size_t creates(const api::Kind& kind) const {
    return static_cast<size_t>(std::count_if(
        client_.submitted.begin(), client_.submitted.end(), [&](const api::Call& call) {
          return call.verb == api::CallVerb::kCreate && call.key.kind == &kind;
        }));
  }
  std::string ready_of(const char* node) const {
    json::Tree tree;
    const api::ObjectRef object = cluster_.get(api::kNode, {}, node);
    for (const json::Node condition : object->parse(tree)["status"]["conditions"]) {
      if (condition["type"].string() == "Ready") return std::string(condition["status"].string());
    }
    return "";
  }

  port_sim::World world_{11};
  port_sim::Machine& machine_;
  Cluster cluster_;
  ClusterClient client_;
  Runner runner_;
};

TEST_F(RunnerRuns, PlansAKeyOnceHoweverOftenItWasWoken) {
  runner_.start();
  for (int i = 0; i < 10; ++i)
    put("replicaset d/web replicas=3");
  settle();
  EXPECT_EQ(count(api::kPod), 3u);
  EXPECT_EQ(creates(api::kPod), 3u);
  EXPECT_TRUE(runner_.idle());
}

TEST_F(RunnerRuns, HasOnePlanOfAKeyUnderWay) {
  runner_.start();
  client_.hold = true;
  put("replicaset d/web replicas=3");
  settle();
  const size_t first = client_.submitted.size();
  put("replicaset d/web replicas=5");
  put("replicaset d/web replicas=4");
  settle();
  EXPECT_EQ(client_.submitted.size(), first);  // woken, but not planned again
  client_.release();
  settle();
  EXPECT_EQ(count(api::kPod), 4u);
  EXPECT_EQ(creates(api::kPod), 4u);
}

TEST_F(RunnerRuns, StartsSlowlyAndSpeedsUp) {
  runner_.start();
  put("replicaset d/web replicas=20");
  settle();
  EXPECT_EQ(count(api::kPod), 20u);
  // The status, then 2, 4, 8 and the rest.
  ASSERT_GE(client_.rounds.size(), 5u);
  EXPECT_EQ(std::vector<size_t>(client_.rounds.begin(), client_.rounds.begin() + 5),
            (std::vector<size_t>{1, 2, 4, 8, 6}));
}

TEST_F(RunnerRuns, BacksOffWhenRefusedAndTellsWhy) {
  runner_.start();
  cluster_.refused_kind = &api::kPod;
  cluster_.refused_with = "exceeded quota: q";
  put("replicaset d/web replicas=50");
  settle(seconds(10));
  // 10 ms, 20 ms, ... 5.12 s: no flood, and no more than two creates in a round.
  EXPECT_GE(creates(api::kPod), 9u);
  EXPECT_LE(creates(api::kPod), 16u);
  ASSERT_FALSE(client_.events.empty());
  EXPECT_TRUE(
      client_.events[0].starts_with("Warning FailedCreate web: Error creating: pods \"web-"))
      << client_.events[0];
  EXPECT_TRUE(client_.events[0].ends_with("is forbidden: exceeded quota: q"));
  json::Tree tree;
  const json::Node set = cluster_.get(api::kReplicaSet, "d", "web")->parse(tree);
  EXPECT_EQ(set["status"]["conditions"].first()["reason"].string(), "FailedCreate");
  cluster_.refused_kind = nullptr;
  settle(seconds(11));
  EXPECT_EQ(count(api::kPod), 50u);
  json::Tree after;
  EXPECT_FALSE(cluster_.get(api::kReplicaSet, "d", "web")->parse(after)["status"]["conditions"]);
}

TEST_F(RunnerRuns, PlansAgainAfterAConflict) {
  runner_.start();
  client_.hold = true;
  put("replicaset d/web replicas=1");
  settle();
  put("replicaset d/web replicas=2");  // the status under way was computed from the older one
  client_.release();
  settle();
  EXPECT_EQ(count(api::kPod), 2u);
  EXPECT_EQ(creates(api::kPod), 2u);
}

TEST_F(RunnerRuns, LooksAtANodeAgainWhenItsLeaseGrowsOld) {
  put("node n1 ready=True");
  put("lease kube-node-lease/n1");
  runner_.start();
  settle(seconds(39));
  EXPECT_EQ(ready_of("n1"), "True");
  put("lease kube-node-lease/n1");  // renewed
  settle(seconds(39));
  EXPECT_EQ(ready_of("n1"), "True");
  settle(seconds(2));
  EXPECT_EQ(ready_of("n1"), "Unknown");
  EXPECT_EQ(client_.events, std::vector<std::string>{
                                "Normal NodeNotReady n1: Node n1 status is now: NodeNotReady"});
}

TEST_F(RunnerRuns, GivesNodesTheirFullGraceAfterAChangeOfLeader) {
  put("node n1 ready=True");
  put("lease kube-node-lease/n1");
  runner_.start();
  settle(seconds(39));
  runner_.stop();
  settle(seconds(60));
  runner_.start();
  settle(seconds(39));
  EXPECT_EQ(ready_of("n1"), "True");
  settle(seconds(2));
  EXPECT_EQ(ready_of("n1"), "Unknown");
}

TEST_F(RunnerRuns, StopsInTheMiddleAndStartsOver) {
  runner_.start();
  client_.hold = true;
  put("replicaset d/web replicas=8");
  settle();
  runner_.stop();
  EXPECT_EQ(client_.waiting(), 0u);  // its calls are dropped
  client_.release();
  settle();
  EXPECT_EQ(count(api::kPod), 0u);
  put("replicaset d/web replicas=6");
  settle();
  EXPECT_EQ(count(api::kPod), 0u);  // not subscribed any more
  runner_.start();
  settle();
  EXPECT_EQ(count(api::kPod), 6u);
}

TEST_F(RunnerRuns, DoesABoundedAmountOfWorkATurn) {
  for (int i = 0; i < 200; ++i)
    put("namespace ns" + std::to_string(i));
  runner_.start();
  settle();
  EXPECT_EQ(count(api::kServiceAccount), 200u);
  EXPECT_EQ(count(api::kConfigMap), 200u);
  // 64 keys a turn; the double answers what two turns sent.
  EXPECT_LE(*std::max_element(client_.rounds.begin(), client_.rounds.end()), 128u);
}

TEST_F(RunnerRuns, SleepsWhenNothingIsToBeDone) {
  runner_.start();
  put("namespace d");
  put("deployment d/web replicas=2 deadline=2147483647");
  put("service d/web");
  settle(seconds(1));
  EXPECT_TRUE(runner_.idle());
  const uint64_t turns = world_.turns();
  world_.run_for(minutes(60));
  EXPECT_EQ(world_.turns(), turns);
}

TEST_F(RunnerRuns, RollsOutThroughAllControllers) {
  runner_.start();
  put("namespace d");
  put("deployment d/web replicas=2");
  settle();
  EXPECT_EQ(count(api::kReplicaSet), 1u);
  EXPECT_EQ(count(api::kPod), 2u);
  EXPECT_EQ(count(api::kServiceAccount), 1u);
  client_.events.clear();
  ASSERT_TRUE(cluster_.apply([] {
    api::Call call;
    call.verb = api::CallVerb::kDelete;
    call.key = {&api::kNamespace, {}, "d"};
    return call;
  }()));
  client_.tell();
  settle(seconds(2));
  EXPECT_EQ(count(api::kNamespace), 0u);
  EXPECT_EQ(count(api::kPod), 0u);
  EXPECT_EQ(count(api::kDeployment), 0u);
}

}  // namespace
}  // namespace coracle::controllers
