// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/scheduler.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "port/sim/world.h"
#include "tests/unit/controllers/cluster.h"

namespace coracle::scheduler {
namespace {

using testing::Cluster;
using testing::ClusterClient;

class SchedulerRuns : public ::testing::Test {
 protected:
  SchedulerRuns()
      : machine_(world_.machine()),
        cluster_(machine_.clock().wall()),
        client_(cluster_, machine_.clock()),
        scheduler_(client_, machine_.clock(), machine_.random()) {}

  void put(const api::Kind& kind, const std::string& text) {
    json::Tree tree;
    cluster_.put(kind, tree.parse(text).value());
    client_.tell();
  }
  void put_node(const std::string& name, const std::string& cpu, const std::string& more = "") {
    put(api::kNode, R"({"metadata":{"name":")" + name + R"("},"status":{"allocatable":{"cpu":")" +
                        cpu + R"(","memory":"4Gi","pods":"10"}})" + more + "}");
  }
  void put_pod(const std::string& name, const std::string& cpu, const std::string& more = "") {
    put(api::kPod, R"({"metadata":{"name":")" + name +
                       R"(","namespace":"d"},"spec":{"containers":[{"name":"c","resources":)" +
                       R"({"requests":{"cpu":")" + cpu + R"("}}}])" + more + "}}");
  }
  void remove(const api::Kind& kind, const char* ns, const char* name) {
    cluster_.remove(*cluster_.get(kind, ns, name));
    client_.tell();
  }
  std::string node_of(const char* pod) {
    json::Tree tree;
    return std::string(cluster_.get(api::kPod, "d", pod)->parse(tree)["spec"]["nodeName"].string());
  }
  std::string condition_of(const char* pod) {
    json::Tree tree;
    const json::Node condition =
        cluster_.get(api::kPod, "d", pod)->parse(tree)["status"]["conditions"].first();
    return join({condition["status"].string(), " ", condition["reason"].string(), " ",
                 condition["message"].string()});
  }
  std::vector<std::string> bound() const {
    std::vector<std::string> names;
    for (const api::Call& call : client_.submitted) {
      if (call.subresource == api::Subresource::kBinding) names.push_back(call.key.name);
    }
    return names;
  }
  void settle() { world_.run_for(milliseconds(100)); }

  port_sim::World world_{7};
  port_sim::Machine& machine_;
  Cluster cluster_;
  ClusterClient client_;
  Scheduler scheduler_;
};

using Names = std::vector<std::string>;

TEST_F(SchedulerRuns, BindsByPriorityThenAge) {
  put_pod("young", "1");
  put_pod("urgent", "1", R"(,"priority":100)");
  put(api::kPod,
      R"({"metadata":{"name":"zz-old","namespace":"d","creationTimestamp":"2001-01-01T00:00:00Z"},
          "spec":{"containers":[{"name":"c"}]}})");
  put_node("n1", "8");
  scheduler_.start();
  settle();
  EXPECT_EQ(bound(), (Names{"urgent", "zz-old", "young"}));
  EXPECT_EQ(node_of("urgent"), "n1");
  EXPECT_EQ(client_.events.front(),
            "Normal Scheduled urgent: Successfully assigned d/urgent to n1");
}

TEST_F(SchedulerRuns, CountsAPodBeforeItsBindingIsConfirmed) {
  put_node("n1", "1");
  scheduler_.start();
  client_.hold = true;
  put_pod("a", "600m");
  put_pod("b", "600m");
  settle();
  EXPECT_EQ(bound(), Names{"a"});
  client_.release();
  settle();
  EXPECT_EQ(bound(), Names{"a"});
  EXPECT_EQ(
      condition_of("b"),
      "False Unschedulable 0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes "
      "are available: 1 No preemption victims found for incoming pod.");
  EXPECT_EQ(client_.events.back(), "Normal Scheduled a: Successfully assigned d/a to n1");
}

TEST_F(SchedulerRuns, LeavesAStuckPodAloneUntilSomethingHelps) {
  put_node("n1", "1");
  scheduler_.start();
  put_pod("big", "2");
  settle();
  const size_t calls = client_.submitted.size();
  const uint64_t turns = world_.turns();
  world_.run_for(minutes(10));
  EXPECT_EQ(client_.submitted.size(), calls);
  EXPECT_LE(world_.turns() - turns, 1u);  // nothing wakes it
  // A heartbeat is no help.
  put_node("n1", "1", R"(,"spec":{"providerID":"x"})");
  settle();
  EXPECT_EQ(client_.submitted.size(), calls);
  put_node("n2", "4");
  settle();
  EXPECT_EQ(node_of("big"), "n2");
}

TEST_F(SchedulerRuns, WaitsForTheBackOffBeforeTheNextTry) {
  put_node("n1", "1");
  scheduler_.start();
  put_pod("big", "2");
  settle();
  put_node("n2", "4");  // helps at once, but the last try was just now
  settle();
  EXPECT_EQ(node_of("big"), "");
  world_.run_for(seconds(1));
  EXPECT_EQ(node_of("big"), "n2");
}

TEST_F(SchedulerRuns, TakesTheRoomOfAPodThatGoes) {
  put_node("n1", "1");
  scheduler_.start();
  put_pod("first", "1");
  put_pod("second", "1");
  settle();
  EXPECT_EQ(node_of("second"), "");
  remove(api::kPod, "d", "first");
  world_.run_for(seconds(2));
  EXPECT_EQ(node_of("second"), "n1");
}

TEST_F(SchedulerRuns, LooksAgainWhenAPodAsksForLess) {
  put_node("n1", "1");
  scheduler_.start();
  put_pod("big", "2");
  settle();
  put_pod("big", "1");
  settle();
  EXPECT_EQ(node_of("big"), "n1");
}

TEST_F(SchedulerRuns, TriesARefusedBindingAgainAfterABackOff) {
  put_node("n1", "1");
  scheduler_.start();
  cluster_.refused_kind = &api::kPod;
  cluster_.refused_with = " may not be bound";
  put_pod("a", "1");
  settle();
  EXPECT_EQ(bound().size(), 1u);
  EXPECT_EQ(condition_of("a"),
            "False SchedulerError binding rejected: pods \"a\" may not be bound");
  EXPECT_EQ(client_.events.back(),
            "Warning FailedScheduling a: binding rejected: pods \"a\" may not be bound");
  world_.run_for(milliseconds(800));
  EXPECT_EQ(bound().size(), 1u);
  cluster_.refused_kind = nullptr;
  world_.run_for(seconds(1));
  EXPECT_EQ(node_of("a"), "n1");
}

TEST_F(SchedulerRuns, ForgetsANodeThatIsGone) {
  put_node("n1", "4");
  scheduler_.start();
  remove(api::kNode, "", "n1");
  put_pod("a", "1");
  settle();
  EXPECT_EQ(condition_of("a"), "False Unschedulable no nodes available to schedule pods");
  EXPECT_EQ(client_.events.back(),
            "Warning FailedScheduling a: no nodes available to schedule pods");
  // Pods bound to it count again when it comes back.
  put(api::kPod, R"({"metadata":{"name":"there","namespace":"d"},"spec":{"nodeName":"n1",
      "containers":[{"name":"c","resources":{"requests":{"cpu":"3500m"}}}]}})");
  put_node("n1", "4");
  world_.run_for(seconds(2));
  EXPECT_EQ(node_of("a"), "");
}

TEST_F(SchedulerRuns, LeavesPodsOfOthersAndGatedOnesAlone) {
  put_node("n1", "4");
  scheduler_.start();
  put_pod("other", "1", R"(,"schedulerName":"mine")");
  put_pod("gated", "1", R"(,"schedulingGates":[{"name":"g"}])");
  settle();
  EXPECT_EQ(bound(), Names{});
  put_pod("gated", "1");
  settle();
  EXPECT_EQ(bound(), Names{"gated"});
}

TEST_F(SchedulerRuns, StopsAndStartsWithTheLeader) {
  put_node("n1", "1");
  scheduler_.start();
  client_.hold = true;
  put_pod("a", "1");
  settle();
  scheduler_.stop();  // the binding's answer must not reach it any more
  client_.release();
  settle();
  put_pod("b", "1");
  settle();
  EXPECT_EQ(bound(), Names{"a"});
  scheduler_.start();
  settle();
  EXPECT_EQ(bound(), (Names{"a", "a"}));
  EXPECT_EQ(node_of("a"), "n1");
}

}  // namespace
}  // namespace coracle::scheduler
