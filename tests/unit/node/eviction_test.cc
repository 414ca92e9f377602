// SPDX-License-Identifier: GPL-2.0-or-later
// A node that is short of something, pods that use more storage than they may, and what is told.
#include "node/pressure.h"
#include "tests/unit/node/agent_fixture.h"

namespace coracle::node {
namespace {

TEST(Thresholds, AreTheSmallerOfAmountAndShare) {
  const Thresholds usual = default_thresholds();
  const auto is_short = [&](const Thresholds& thresholds, uint64_t total, uint64_t available) {
    return !shortages(thresholds, {{{total, available}, {}, {}, {}}}).empty();
  };
  constexpr uint64_t kMi = 1 << 20;
  EXPECT_FALSE(is_short(usual, 4096 * kMi, 100 * kMi));
  EXPECT_TRUE(is_short(usual, 4096 * kMi, 99 * kMi));
  EXPECT_FALSE(is_short(usual, 256 * kMi, 13 * kMi)) << "5 % of a small device";
  EXPECT_TRUE(is_short(usual, 256 * kMi, 12 * kMi));
  EXPECT_FALSE(is_short(usual, 0, 0)) << "not known";
  const auto own = parse_thresholds("memory.available<1Gi, pid.available<50%");
  ASSERT_TRUE(own);
  EXPECT_TRUE(is_short(*own, 4096 * kMi, 1023 * kMi));
  EXPECT_EQ(shortages(*own, {{{}, {}, {}, {1000, 499}}}).size(), 1u);
  EXPECT_FALSE(is_short(*parse_thresholds("memory.available<0"), 4096 * kMi, 0));
  EXPECT_EQ(parse_thresholds("memory<1Gi").error().message,
            "\"memory<1Gi\" is not SIGNAL<LIMIT with one of memory.available, nodefs.available, "
            "nodefs.inodesFree, pid.available");
  EXPECT_FALSE(parse_thresholds("memory.available<101%"));
  EXPECT_FALSE(parse_thresholds("memory.available<much"));
}

TEST(Pressure, ShowsForFiveMinutesAfterItWasSeen) {
  Pressure pressure;
  const std::vector<Shortage> memory = {{Signal::kMemory, 100, 1}};
  pressure.see(memory, Mono{seconds(10).ns});
  EXPECT_TRUE(pressure.memory());
  EXPECT_FALSE(pressure.storage());
  pressure.see({}, Mono{seconds(309).ns});
  EXPECT_TRUE(pressure.memory());
  pressure.see({}, Mono{seconds(310).ns});
  EXPECT_FALSE(pressure.memory());
}

TEST(Eviction, TakesWhoIsOverItsRequestThenWhoMattersLeastThenWhoUsesMost) {
  const auto first = [](std::vector<Candidate> candidates) {
    const Candidate* found = first_to_go(candidates);
    return found == nullptr ? std::string() : found->uid;
  };
  EXPECT_EQ(first({{"a", 0, 50, 100}, {"b", 10, 60, 50}}), "b");
  EXPECT_EQ(first({{"a", 5, 90, 0}, {"b", 1, 10, 0}}), "b");
  EXPECT_EQ(first({{"a", 1, 90, 80}, {"b", 1, 60, 0}}), "b");
  EXPECT_EQ(first({{"a", 2'000'000'000, 90, 0}}), "") << "the system needs it";
}

class EvictionTest : public AgentTest {
 protected:
  void file(const std::string& path, std::string_view text) {
    port::Disk& disk = machine_.disk();
    ASSERT_TRUE(disk.make_directories(path.substr(0, path.rfind('/')), 0755));
    ASSERT_TRUE(disk.write_file(path, text, 0600));
  }
  void memory(std::string_view available_kib) {
    file("/proc/meminfo",
         "MemTotal: 4194304 kB\nMemAvailable: " + std::string(available_kib) + " kB\n");
  }
  json::Node condition(std::string_view type) {
    for (const json::Node each :
         cluster_.state().get(api::kNode, "", "gw-1")->parse(tree_)["status"]["conditions"]) {
      if (each["type"].string() == type) return each;
    }
    return {};
  }
  bool turned(std::string_view reason) const {
    return has_event(std::string(reason) + ": Node gw-1 status is now: " + std::string(reason));
  }
};

TEST_F(EvictionTest, APodGoesWhenMemoryRunsShortAndNoOtherComesUntilItIsBack) {
  memory("2000000");
  run_web();
  EXPECT_TRUE(has_event("Starting: Starting kubelet."));
  for (const char* reason :
       {"NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID", "NodeReady"})
    EXPECT_TRUE(turned(reason)) << reason;
  EXPECT_FALSE(turned("NodeSchedulable"));
  const std::string uid(cluster_.state().get(api::kPod, "default", "web")->uid());
  file("/sys/fs/cgroup/memory/coracle/pod" + uid + "/web-0/memory.usage_in_bytes", "10485760\n");
  memory("51200");
  run(seconds(12));
  EXPECT_EQ(condition("MemoryPressure")["status"].string(), "True");
  EXPECT_EQ(condition("MemoryPressure")["reason"].string(), "KubeletHasInsufficientMemory");
  EXPECT_TRUE(turned("NodeHasInsufficientMemory"));
  EXPECT_TRUE(has_event("EvictionThresholdMet: Attempting to reclaim memory"));
  const std::string why =
      "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container "
      "web was using 10Mi, request is 0, has larger consumption of memory. ";
  EXPECT_TRUE(has_event("Evicted: " + why));
  EXPECT_TRUE(has_order("signal web-0 15"));
  run(seconds(2));
  EXPECT_TRUE(has_order("kill web-0")) << "after one second";
  EXPECT_EQ(status()["phase"].string(), "Failed");
  EXPECT_EQ(status()["reason"].string(), "Evicted");
  EXPECT_EQ(status()["message"].string(), why);
  bool disrupted = false;
  for (const json::Node each : status()["conditions"])
    disrupted = disrupted || (each["type"].string() == "DisruptionTarget" &&
                              each["reason"].string() == "TerminationByKubelet");
  EXPECT_TRUE(disrupted);
  memory("2000000");
  cluster_.remove(api::kPod, "default", "web", 0);
  settle();
  cluster_.put(api::kPod, kWeb);
  settle();
  EXPECT_EQ(status()["message"].string(),
            "Pod was rejected: The node had condition: [MemoryPressure]. ");
  run(minutes(6));
  EXPECT_TRUE(turned("NodeHasSufficientMemory"));
  EXPECT_EQ(condition("MemoryPressure")["status"].string(), "False");
  cluster_.remove(api::kPod, "default", "web", 0);
  settle();
  cluster_.put(api::kPod, kWeb);
  settle();
  EXPECT_EQ(status()["phase"].string(), "Running");
}

TEST_F(EvictionTest, AVolumeThatGrowsBeyondItsLimitEndsItsPod) {
  start();
  load_busybox();
  cluster_.put(api::kPod, R"(
metadata: {name: web, namespace: default}
spec:
  nodeName: gw-1
  containers: [{name: web, image: busybox, resources: {limits: {ephemeral-storage: 1Mi}}}]
  volumes: [{name: scratch, emptyDir: {sizeLimit: 1Ki}}]
)");
  settle();
  ASSERT_EQ(status()["phase"].string(), "Running");
  const std::string own =
      "/data/pods/" + std::string(cluster_.state().get(api::kPod, "default", "web")->uid());
  file(own + "/volumes/scratch/a/b", std::string(900, 'x'));
  run(seconds(25));
  EXPECT_EQ(status()["phase"].string(), "Running");
  file(own + "/volumes/scratch/c", std::string(200, 'x'));
  run(seconds(25));
  EXPECT_EQ(status()["reason"].string(), "Evicted");
  EXPECT_EQ(status()["message"].string(),
            "Usage of EmptyDir volume \"scratch\" exceeds the limit \"1Ki\". ");
}

TEST_F(EvictionTest, AContainerThatWritesTooMuchEndsItsPod) {
  start();
  load_busybox();
  cluster_.put(api::kPod, R"(
metadata: {name: web, namespace: default}
spec:
  nodeName: gw-1
  containers:
  - {name: web, image: busybox, resources: {limits: {ephemeral-storage: 2k}}}
  - {name: other, image: busybox, resources: {limits: {ephemeral-storage: 1M}}}
)");
  settle();
  ASSERT_EQ(status()["phase"].string(), "Running");
  const std::string own =
      "/data/pods/" + std::string(cluster_.state().get(api::kPod, "default", "web")->uid());
  file(own + "/containers/web-0/upper/tmp/x", std::string(1500, 'x'));
  file(own + "/logs/web/0.log", std::string(600, 'x'));
  run(seconds(25));
  EXPECT_EQ(status()["message"].string(),
            "Container web exceeded its local ephemeral storage limit \"2k\". ");
}

TEST_F(EvictionTest, AMachineThatWasRebootedSaysSo) {
  file("/proc/sys/kernel/random/boot_id", "one\n");
  start();
  run(seconds(1));
  agent_.reset();
  file("/proc/sys/kernel/random/boot_id", "two\n");
  start();
  run(seconds(1));
  EXPECT_TRUE(has_event("Rebooted: Node gw-1 has been rebooted, boot id: two"));
  EXPECT_EQ(std::count(cluster_.events.begin(), cluster_.events.end(),
                       "NodeReady: Node gw-1 status is now: NodeReady"),
            1)
      << "it was ready all the time";
}

}  // namespace
}  // namespace coracle::node
