// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/choose.h"

#include <gtest/gtest.h>

namespace coracle::scheduler {
namespace {

NodeOffer node(const char* text) {
  json::Tree tree;
  return read_offer(tree.parse(text).value());
}

PodNeeds pod(const char* text) {
  json::Tree tree;
  return read_needs(tree.parse(text).value());
}

Choice choose_from(const PodNeeds& needs, std::initializer_list<const NodeOffer*> nodes) {
  const std::vector<const NodeOffer*> list(nodes);
  return choose(needs, list);
}

const char* kSmall = R"({"metadata":{"name":"small","labels":{"disk":"ssd"}},
  "status":{"allocatable":{"cpu":"500m","memory":"256Mi","pods":"2"}}})";
const char* kLarge =
    R"({"metadata":{"name":"large"},"status":{"allocatable":{"cpu":"4","memory":"4Gi","pods":"10"}}})";

TEST(Choose, PrefersTheLeastAllocatedNode) {
  const NodeOffer small = node(kSmall);
  const NodeOffer large = node(kLarge);
  const auto needs =
      pod(R"({"spec":{"containers":[{"resources":{"requests":{"cpu":"250m","memory":"64Mi"}}}]}})");
  EXPECT_EQ(choose_from(needs, {&small, &large}).node, "large");
}

TEST(Choose, HonoursNodeSelectorAndRequiredAffinity) {
  const NodeOffer small = node(kSmall);
  const NodeOffer large = node(kLarge);
  EXPECT_EQ(choose_from(pod(R"({"spec":{"nodeSelector":{"disk":"ssd"}}})"), {&small, &large}).node,
            "small");
  const auto needs =
      pod(R"({"spec":{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":
    {"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["small"]}]}]}}}}})");
  EXPECT_EQ(choose_from(needs, {&small, &large}).node, "small");
}

TEST(Choose, TellsWhyNothingFits) {
  NodeOffer small = node(kSmall);
  NodeOffer large = node(kLarge);
  large.unschedulable = true;
  const auto needs =
      pod(R"({"spec":{"containers":[{"resources":{"requests":{"cpu":"1","memory":"1Gi"}}}]}})");
  EXPECT_EQ(choose_from(needs, {&small, &large}).message,
            "0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) were "
            "unschedulable.");
  small.pods = 2;
  EXPECT_EQ(choose_from(pod("{}"), {&small}).message, "0/1 nodes are available: 1 Too many pods.");
}

TEST(Choose, RespectsTaintsUnlessTolerated) {
  const NodeOffer tainted = node(
      R"({"metadata":{"name":"t"},"spec":{"taints":[{"key":"gpu","value":"yes","effect":"NoSchedule"}]},
    "status":{"allocatable":{"cpu":"1","memory":"1Gi","pods":"10"}}})");
  EXPECT_EQ(choose_from(pod("{}"), {&tainted}).message,
            "0/1 nodes are available: 1 node(s) had untolerated taint(s).");
  EXPECT_EQ(choose_from(pod(R"({"spec":{"tolerations":[{"key":"gpu","operator":"Exists"}]}})"),
                        {&tainted})
                .node,
            "t");
  EXPECT_EQ(
      choose_from(pod(R"({"spec":{"tolerations":[{"key":"gpu","value":"no"}]}})"), {&tainted}).node,
      "");
}

TEST(Choose, KeepsHostPortsApart) {
  NodeOffer large = node(kLarge);
  const auto needs =
      pod(R"({"spec":{"containers":[{"ports":[{"containerPort":80,"hostPort":8080}]}]}})");
  large.ports = needs.ports;
  EXPECT_EQ(
      choose_from(needs, {&large}).message,
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

TEST(Choose, RefusesHardConstraintsThatItCannotHonour) {
  const NodeOffer large = node(kLarge);
  const auto needs =
      pod(R"({"spec":{"topologySpreadConstraints":[{"whenUnsatisfiable":"DoNotSchedule"}]}})");
  EXPECT_NE(choose_from(needs, {&large}).message.find("does not support"), std::string::npos);
}

}  // namespace
}  // namespace coracle::scheduler
