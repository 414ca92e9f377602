// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/choose.h"

#include <chrono>

#include <gtest/gtest.h>

namespace coracle::scheduler {
namespace {

// A board of nodes and pods, as JSON.
class Choose : public ::testing::Test {
 protected:
  void node(const std::string& text) {
    json::Tree tree;
    board_.set_node(read_offer(tree.parse(text).value()));
  }
  Choice choice(const std::string& text) {
    json::Tree tree;
    return choose(board_, board_.shape_of(tree.parse(text).value()));
  }
  std::string chosen(const std::string& text) {
    const Choice choice = this->choice(text);
    return choice.node == nullptr ? "" : choice.node->offer.name;
  }
  std::string refusal(const std::string& text) { return choice(text).message; }
  void place(const std::string& name, const std::string& on, const std::string& text) {
    json::Tree tree;
    board_.place({{"d", name}, on, &board_.shape_of(tree.parse(text).value()), "", false});
  }

  Board board_;
};

PodNeeds pod(const char* text) {
  json::Tree tree;
  return read_needs(tree.parse(text).value());
}

const char* kSmall = R"({"metadata":{"name":"small","labels":{"disk":"ssd"}},
  "status":{"allocatable":{"cpu":"500m","memory":"256Mi","pods":"2"}}})";
const char* kLarge =
    R"({"metadata":{"name":"large"},"status":{"allocatable":{"cpu":"4","memory":"4Gi","pods":"10"}}})";

TEST_F(Choose, PrefersTheLeastAllocatedNode) {
  node(kSmall);
  node(kLarge);
  EXPECT_EQ(
      chosen(
          R"({"spec":{"containers":[{"resources":{"requests":{"cpu":"250m","memory":"64Mi"}}}]}})"),
      "large");
}

TEST_F(Choose, HonoursNodeSelectorAndRequiredAffinity) {
  node(kSmall);
  node(kLarge);
  EXPECT_EQ(chosen(R"({"spec":{"nodeSelector":{"disk":"ssd"}}})"), "small");
  EXPECT_EQ(
      chosen(
          R"({"spec":{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":
    {"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["small"]}]}]}}}}})"),
      "small");
}

TEST_F(Choose, TellsWhyNothingFits) {
  node(kSmall);
  node(
      R"({"metadata":{"name":"large"},"spec":{"unschedulable":true},"status":{"allocatable":{"cpu":"4"}}})");
  EXPECT_EQ(
      refusal(R"({"spec":{"containers":[{"resources":{"requests":{"cpu":"1","memory":"1Gi"}}}]}})"),
      "0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) were "
      "unschedulable.");
}

TEST_F(Choose, CountsPodsAgainstTheNumberThatANodeTakes) {
  node(kSmall);
  place("a", "small", "{}");
  place("b", "small", "{}");
  EXPECT_EQ(refusal("{}"), "0/1 nodes are available: 1 Too many pods.");
  board_.release({"d", "a"});
  EXPECT_EQ(chosen("{}"), "small");
}

TEST_F(Choose, RespectsTaintsUnlessTolerated) {
  node(
      R"({"metadata":{"name":"t"},"spec":{"taints":[{"key":"gpu","value":"yes","effect":"NoSchedule"}]},
    "status":{"allocatable":{"cpu":"1","memory":"1Gi","pods":"10"}}})");
  EXPECT_EQ(refusal("{}"), "0/1 nodes are available: 1 node(s) had untolerated taint(s).");
  EXPECT_EQ(chosen(R"({"spec":{"tolerations":[{"key":"gpu","operator":"Exists"}]}})"), "t");
  EXPECT_EQ(chosen(R"({"spec":{"tolerations":[{"key":"gpu","value":"no"}]}})"), "");
}

TEST_F(Choose, KeepsHostPortsApart) {
  node(kLarge);
  constexpr const char* kPort =
      R"({"spec":{"containers":[{"ports":[{"containerPort":80,"hostPort":8080}]}]}})";
  place("a", "large", kPort);
  EXPECT_EQ(
      refusal(kPort),
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.");
}

TEST(Needs, CountsInitContainersBesideNotBeforeTheOthers) {
  const auto needs = pod(R"({"spec":{
    "initContainers":[{"resources":{"requests":{"cpu":"300m"}}},
                      {"restartPolicy":"Always","resources":{"requests":{"cpu":"50m"}}}],
    "containers":[{"resources":{"requests":{"cpu":"100m","example.com/gpio":"2"}}},
                  {"resources":{"requests":{"cpu":"100m"}}}]}})");
  EXPECT_EQ(needs.requests.cpu, 300);
  ASSERT_EQ(needs.requests.extended.size(), 1u);
  EXPECT_EQ(needs.requests.extended[0].second, 2);
}

// Not a limit, a figure: what one decision costs among 100 and among 1,000 nodes.
TEST(Figures, ChoicesAmongNodes) {
  for (const size_t count : {size_t{100}, size_t{1000}}) {
    Board board;
    for (size_t i = 0; i < count; ++i) {
      NodeOffer offer;
      offer.name = "n" + std::to_string(i);
      offer.allocatable.cpu = 64000;
      offer.allocatable.memory = int64_t{1} << 36;
      offer.pods_max = 110;
      offer.labels = {{"kubernetes.io/hostname", offer.name}, {"zone", std::to_string(i % 3)}};
      board.set_node(std::move(offer));
    }
    json::Tree tree;
    const json::Node text = tree.parse(R"({"metadata":{"namespace":"d","labels":{"app":"web"}},
        "spec":{"containers":[{"resources":{"requests":{"cpu":"100m","memory":"64Mi"}}}]}})")
                                .value();
    const auto start = std::chrono::steady_clock::now();
    constexpr size_t kPods = 500;
    size_t at = 0;
    for (size_t i = 0; i < kPods; ++i) {
      Shape& shape = board.shape_of(text);
      const Choice choice = choose(board, shape, at);
      ASSERT_NE(choice.node, nullptr);
      at = (at + choice.looked_at) % count;
      board.place({{"d", std::to_string(i)}, choice.node->offer.name, &shape, "", false});
    }
    const auto took = std::chrono::steady_clock::now() - start;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    RecordProperty("us_per_pod_" + std::to_string(count),
                   static_cast<int>(us / static_cast<int64_t>(kPods)));
  }
}

}  // namespace
}  // namespace coracle::scheduler
