// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/profile.h"

#include <gtest/gtest.h>

#include "port/sim/world.h"
#include "scheduler/scheduler.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/controllers/manifest.h"

namespace coracle::scheduler {
namespace {

std::string why(std::string_view text) {
  const Result<Profile> profile = parse_profile(text);
  return profile ? "" : profile.error().message;
}

TEST(Profile, IsReadFromOneWord) {
  EXPECT_EQ(parse_profile("edge").value().fit, FitStrategy::kLeastAllocated);
  EXPECT_EQ(parse_profile("edge=MostAllocated").value().fit, FitStrategy::kMostAllocated);
  const Profile odd = parse_profile("odd=RequestedToCapacityRatio:0=0,70=10,100=2").value();
  EXPECT_EQ(odd.name, "odd");
  EXPECT_EQ(odd.shape, (std::vector<std::pair<int64_t, int64_t>>{{0, 0}, {70, 10}, {100, 2}}));
}

TEST(Profile, RefusesWhatMakesNoSense) {
  EXPECT_EQ(why("=MostAllocated"), "scheduler profile \"=MostAllocated\" has no name");
  EXPECT_EQ(why("a=Best"),
            "scheduler profile \"a\": unknown strategy \"Best\"; there are LeastAllocated, "
            "MostAllocated and RequestedToCapacityRatio");
  EXPECT_EQ(why("a=MostAllocated:1=1"), "MostAllocated takes no points");
  for (const char* text :
       {"a=RequestedToCapacityRatio", "a=RequestedToCapacityRatio:", "a=RequestedToCapacityRatio:5",
        "a=RequestedToCapacityRatio:101=1", "a=RequestedToCapacityRatio:5=11",
        "a=RequestedToCapacityRatio:50=1,50=2"})
    EXPECT_FALSE(parse_profile(text).has_value()) << text;
}

// Where the pods of three schedulers go: one node is half full, the other empty.
TEST(Profile, DecidesWherePodsOfItsNameGo) {
  port_sim::World world(7);
  port_sim::Machine& machine = world.machine();
  testing::Cluster cluster(machine.clock().wall());
  testing::ClusterClient client(cluster, machine.clock());
  Scheduler scheduler(client, machine.clock(), machine.random());
  scheduler.add_profile(parse_profile("packed=MostAllocated").value());
  scheduler.add_profile(parse_profile("odd=RequestedToCapacityRatio:0=10,30=0,60=9").value());
  scheduler.start();
  for (const char* line :
       {"node empty cpu=10 memory=10Gi pods=10", "node half cpu=10 memory=10Gi pods=10",
        "pod d/there node=half cpu=5 memory=5Gi", "pod d/usual cpu=100m memory=100Mi",
        "pod d/dense cpu=100m memory=100Mi spec={\"schedulerName\":\"packed\"}",
        "pod d/strange cpu=1 memory=1Gi spec={\"schedulerName\":\"odd\"}",
        "pod d/other cpu=1 memory=1Gi spec={\"schedulerName\":\"nobody\"}"})
    ASSERT_TRUE(testing::put_line(cluster, line)) << line;
  client.tell();
  world.run_for(seconds(1));
  const auto node_of = [&](const char* pod) {
    json::Tree tree;
    return std::string(cluster.get(api::kPod, "d", pod)->parse(tree)["spec"]["nodeName"].string());
  };
  EXPECT_EQ(node_of("usual"), "empty");
  EXPECT_EQ(node_of("dense"), "half");
  EXPECT_EQ(node_of("strange"), "half");
  EXPECT_EQ(node_of("other"), "");
}

}  // namespace
}  // namespace coracle::scheduler
