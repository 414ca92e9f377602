// SPDX-License-Identifier: GPL-2.0-or-later
// metrics.k8s.io, with agents that answer when the test says so. And RuntimeClass, NetworkPolicy.
#include "api/usage.h"

#include <gtest/gtest.h>

#include "tests/unit/apiserver/bench.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kMetrics = "/apis/metrics.k8s.io/v1beta1";

class Agents final : public api::Usages {
 public:
  void ask_usage(const std::string& node, api::UsageSink& sink, uint64_t token) override {
    asked.push_back({node, &sink, token});
  }
  void forget(api::UsageSink& sink) override {
    std::erase_if(asked, [&](const Question& each) { return each.sink == &sink; });
  }
  void answer(Result<api::NodeUsage> usage) {
    const Question question = asked.front();
    asked.erase(asked.begin());
    question.sink->on_usage(question.token, std::move(usage));
  }

  struct Question {
    std::string node;
    api::UsageSink* sink;
    uint64_t token;
  };
  std::vector<Question> asked;
};

api::NodeUsage usage_of(Bench& bench, std::string_view node) {
  api::NodeUsage usage;
  usage.name = node;
  usage.at = bench.machine.clock().wall();
  usage.window = milliseconds(15'250);
  usage.usage = {.nano_cores = 250'000'000, .memory_bytes = 64 << 20};
  return usage;
}

struct World {
  World() {
    bench.server->use_usages(&agents);
    for (std::string_view name : {"n1", "n2"})
      bench.create("/api/v1/nodes", join({R"({"metadata":{"name":")", name, R"("}})"}));
  }
  ~World() { bench.server->use_usages(nullptr); }
  std::string run_pod(std::string_view name, std::string_view node) {
    auto made =
        bench.create(kPods, join({R"({"metadata":{"name":")", name, R"(","labels":{"app":")", name,
                                  R"("}},"spec":{"nodeName":")", node,
                                  R"(","containers":[{"name":"c","image":"i"}]}})"}));
    EXPECT_EQ(made->status, 201) << made->body;
    return std::string(made->json()["metadata"]["uid"].string());
  }
  Bench bench;
  Agents agents;
};

TEST(Usage, NodesAreAskedAndThoseThatDoNotAnswerLeftOut) {
  World world;
  auto all = world.bench.begin({.path = join({kMetrics, "/nodes"})});
  ASSERT_EQ(world.agents.asked.size(), 2u);
  EXPECT_FALSE(all->finished);
  world.agents.answer(usage_of(world.bench, "n1"));
  EXPECT_FALSE(all->finished);
  world.agents.answer(fail(Code::kUnavailable, "away"));
  ASSERT_TRUE(all->finished);
  EXPECT_EQ(all->json()["kind"].string(), "NodeMetricsList");
  ASSERT_EQ(all->json()["items"].size(), 1u) << all->body;
  const json::Node item = all->json()["items"].at(0);
  EXPECT_EQ(item["metadata"]["name"].string(), "n1");
  EXPECT_EQ(json::write(item["usage"]), R"({"cpu":"250000000n","memory":"65536Ki"})");
  EXPECT_EQ(item["window"].string(), "15.250s");
  auto absent = world.bench.begin({.path = join({kMetrics, "/nodes/n9"})});
  EXPECT_EQ(absent->status, 404);
  EXPECT_EQ(absent->message(), "nodemetrics.metrics.k8s.io \"n9\" not found");
}

TEST(Usage, PodsAreThoseThatRunAndWereMeant) {
  World world;
  const std::string uid = world.run_pod("a", "n1");
  world.run_pod("b", "n2");
  const auto with_pod = [&](std::string_view its_uid) {
    api::NodeUsage usage = usage_of(world.bench, "n1");
    usage.pods.push_back(
        {"default", "a", std::string(its_uid), {}, {{"c", {}, {.nano_cores = 7}}}});
    return usage;
  };
  auto some = world.bench.begin({.path = join({kMetrics, "/pods?labelSelector=app%3Da"})});
  ASSERT_EQ(world.agents.asked.size(), 1u);
  EXPECT_EQ(world.agents.asked[0].node, "n1");
  world.agents.answer(with_pod(uid));
  ASSERT_TRUE(some->finished);
  const json::Node item = some->json()["items"].at(0);
  EXPECT_EQ(json::write(item["containers"]),
            R"([{"name":"c","usage":{"cpu":"7n","memory":"0Ki"}}])");
  EXPECT_EQ(item["metadata"]["labels"]["app"].string(), "a");
  // What ran under the name before is another Pod.
  auto other =
      world.bench.begin({.path = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/a"});
  world.agents.answer(with_pod("0000"));
  EXPECT_EQ(other->status, 404);
  EXPECT_EQ(other->message(), "podmetrics.metrics.k8s.io \"default/a\" not found");
}

TEST(Usage, IsForThoseWhoMayReadIt) {
  World world;
  const std::string path = join({kMetrics, "/nodes"});
  EXPECT_EQ(world.bench.begin({.path = path, .user = "eve", .groups = {}})->status, 403);
  EXPECT_EQ(world.bench.begin({.method = "POST", .path = path, .body = "{}"})->status, 405);
  EXPECT_EQ(world.bench.begin({.path = join({kMetrics, "/namespaces/default/nodes"})})->status,
            404);
  world.bench.server->use_usages(nullptr);
  EXPECT_EQ(world.bench.begin({.path = path})->status, 503);
}

TEST(Usage, AClientThatLeavesIsForgotten) {
  World world;
  auto all = world.bench.begin({.path = join({kMetrics, "/nodes"})});
  ASSERT_EQ(world.agents.asked.size(), 2u);
  world.bench.server->on_gone(*all);
  EXPECT_TRUE(world.agents.asked.empty());
}

TEST(RuntimeClass, NamesTheOneRuntimeOrIsRefused) {
  Bench bench;
  constexpr std::string_view kClasses = "/apis/node.k8s.io/v1/runtimeclasses";
  ASSERT_EQ(bench
                .create(kClasses, R"({"metadata":{"name":"own"},"handler":"crun",
      "scheduling":{"nodeSelector":{"fast":"yes"},"tolerations":[{"key":"x","operator":"Exists"}]}})")
                ->status,
            201);
  ASSERT_EQ(bench.create(kClasses, R"({"metadata":{"name":"vm"},"handler":"kata"})")->status, 201);
  auto made = bench.create(kPods, pod("a", R"(,"runtimeClassName":"own")"));
  ASSERT_EQ(made->status, 201) << made->body;
  EXPECT_EQ(made->json()["spec"]["nodeSelector"]["fast"].string(), "yes");
  EXPECT_EQ(made->json()["spec"]["tolerations"].at(2)["key"].string(), "x") << made->body;
  EXPECT_EQ(bench.create(kPods, pod("b", R"(,"runtimeClassName":"none")"))->message(),
            "pods \"b\" is forbidden: pod rejected: RuntimeClass \"none\" not found");
  EXPECT_EQ(bench.create(kPods, pod("b", R"(,"runtimeClassName":"vm")"))->message(),
            "pods \"b\" is forbidden: pod rejected: RuntimeClass \"vm\" wants the handler "
            "\"kata\", which no node has: there is only crun");
  EXPECT_EQ(
      bench.create(kPods, pod("b", R"(,"runtimeClassName":"own","nodeSelector":{"fast":"no"})"))
          ->message(),
      "pods \"b\" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[fast] = yes; "
      "pod.spec.nodeSelector[fast] = no");
}

TEST(NetworkPolicy, IsStoredButSaysThatItIsNotEnforced) {
  Bench bench;
  auto made = bench.create("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
                           R"({"metadata":{"name":"p"},"spec":{"podSelector":{}}})");
  ASSERT_EQ(made->status, 201) << made->body;
  EXPECT_NE(made->header("warning").find("not enforced"), std::string_view::npos);
}

}  // namespace
}  // namespace coracle::apiserver
