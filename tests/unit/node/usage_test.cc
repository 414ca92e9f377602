// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/usage.h"

#include "node/cgroups.h"
#include "tests/unit/node/agent_fixture.h"

namespace coracle::node {
namespace {

TEST(CpuMeter, ComparesWithAReadingThatIsOldEnough) {
  CpuMeter meter;
  const auto read = [&](int64_t at, uint64_t cpu_ms) {
    meter.begin(Mono{seconds(at).ns});
    const uint64_t rate = meter.rate("web", cpu_ms * 1'000'000, seconds(at - 100));
    meter.end();
    return rate / 1'000'000;  // in millicores
  };
  EXPECT_EQ(read(110, 1000), 100u) << "since it began";
  EXPECT_EQ(read(115, 3500), 500u) << "5 s since the only other reading";
  EXPECT_EQ(read(120, 3500), 250u) << "since the first one";
  EXPECT_EQ(read(122, 4600), 300u) << "since the one before: 2 s tell little";
  EXPECT_EQ(read(132, 3200), 100u) << "a counter that began again";
}

api::NodeUsage sample() {
  api::NodeUsage usage;
  usage.name = "gw-1";
  usage.at = *parse_rfc3339("2026-01-02T03:04:05Z");
  usage.window = seconds(15);
  usage.usage = {90'000'000'000, 250'000'000, 64 << 20, 80 << 20};
  usage.memory_available = 1 << 30;
  const Wall started = *parse_rfc3339("2026-01-01T00:00:00Z");
  usage.pods.push_back({"default",
                        "web",
                        "u1",
                        started,
                        {{"a", started, {1'500'000'000, 1000, 4096, 8192}},
                         {"b", started, {500'000'000, 500, 1024, 1024}}}});
  return usage;
}

TEST(UsageText, ComesBackFromASummary) {
  const std::string text = summary_text(sample());
  const Result<api::NodeUsage> back = parse_summary(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(summary_text(*back), text);
  EXPECT_EQ(back->memory_available, uint64_t{1} << 30);
  EXPECT_EQ(back->pods.at(0).total().memory_bytes, 5120u);
  EXPECT_FALSE(parse_summary("{}"));
  EXPECT_FALSE(parse_summary("nonsense"));
}

TEST(UsageText, TellsAScraperWhatAKubeletTells) {
  const std::string text = resource_metrics_text(sample());
  for (const char* line :
       {"container_cpu_usage_seconds_total{container=\"a\",namespace=\"default\",pod=\"web\"} "
        "1.500\n",
        "container_start_time_seconds{container=\"b\",namespace=\"default\",pod=\"web\"} "
        "1767225600.000\n",
        "# TYPE node_cpu_usage_seconds_total counter\nnode_cpu_usage_seconds_total 90.000\n",
        "node_memory_working_set_bytes 67108864\n",
        "pod_memory_working_set_bytes{namespace=\"default\",pod=\"web\"} 5120\n",
        "resource_scrape_error 0\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
}

class UsageTest : public AgentTest {
 protected:
  void file(const std::string& path, std::string_view text) {
    port::Disk& disk = machine_.disk();
    ASSERT_TRUE(disk.make_directories(path.substr(0, path.rfind('/'))));
    ASSERT_TRUE(disk.write_file(path, text, 0600));
  }
};

TEST_F(UsageTest, ReadsBothKindsOfControlGroups) {
  file("/v1/memory/c/podu/web-0/memory.usage_in_bytes", "10000\n");
  file("/v1/memory/c/podu/web-0/memory.stat", "inactive_file 1\ntotal_inactive_file 4000\n");
  file("/v1/cpuacct/c/podu/web-0/cpuacct.usage", "123456789\n");
  file("/v2/cgroup.controllers", "cpu memory\n");
  file("/v2/c/podu/web-0/memory.current", "20000\n");
  file("/v2/c/podu/web-0/memory.stat", "anon 5\ninactive_file 5000\n");
  file("/v2/c/podu/web-0/cpu.stat", "usage_usec 42\nuser_usec 2\n");
  Cgroups one(machine_.disk(), "/v1", "c");
  Cgroups two(machine_.disk(), "/v2", "c");
  const api::Usage v1 = one.usage(one.container_path("u", "web-0"));
  EXPECT_EQ(v1.memory_bytes, 6000u);
  EXPECT_EQ(v1.memory_charge, 10000u);
  EXPECT_EQ(v1.cpu_ns, 123456789u);
  const api::Usage v2 = two.usage(two.container_path("u", "web-0"));
  EXPECT_EQ(v2.memory_bytes, 15000u);
  EXPECT_EQ(v2.cpu_ns, 42000u);
  EXPECT_EQ(two.usage("/c/none").memory_bytes, 0u);
}

TEST_F(UsageTest, CountsTheContainersThatRun) {
  file("/proc/stat", "cpu  100 0 50 9999 7 0 1 0 0 0\ncpu0 1 1 1\n");
  file("/proc/meminfo", "MemTotal: 2000 kB\nMemFree: 1 kB\nMemAvailable:   500 kB\n");
  run_web();
  const std::string uid(cluster_.state().get(api::kPod, "default", "web")->uid());
  file("/sys/fs/cgroup/cpuacct/coracle/pod" + uid + "/web-0/cpuacct.usage", "1000000000\n");
  const api::NodeUsage usage = agent_->usage();
  EXPECT_EQ(usage.usage.cpu_ns, 1'510'000'000u);
  EXPECT_EQ(usage.usage.memory_bytes, 1500u * 1024);
  ASSERT_EQ(usage.pods.size(), 1u);
  EXPECT_EQ(usage.pods[0].name, "web");
  ASSERT_EQ(usage.pods[0].containers.size(), 1u);
  EXPECT_EQ(usage.pods[0].containers[0].usage.cpu_ns, 1'000'000'000u);
  cluster_.remove(api::kPod, "default", "web", 1);
  run(seconds(3));
  EXPECT_TRUE(agent_->usage().pods.empty());
}

}  // namespace
}  // namespace coracle::node
