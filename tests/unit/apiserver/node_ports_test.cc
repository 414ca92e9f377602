// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/node_ports.h"

#include <set>

#include <gtest/gtest.h>

#include "port/sim/dice.h"

namespace coracle::apiserver {
namespace {

class NodePortsTest : public ::testing::Test {
 protected:
  // The node ports that a Service ends up with, or why it does not.
  std::string fill(std::string_view text, const std::string& owner) {
    json::Tree tree;
    const json::Node service = tree.parse(text).value();
    const Result<bool> took = ports_.fill(service, owner);
    if (!took) return took.error().message;
    std::string all;
    for (const json::Node port : service["spec"]["ports"])
      all += std::to_string(port["nodePort"].integer()) + " ";
    return all;
  }
  port_sim::Dice dice_{3};
  NodePorts ports_{dice_};
};

constexpr const char* kFixed =
    R"({"metadata":{"name":"a"},"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":30080}]}})";

TEST_F(NodePortsTest, BelongToOneServiceUntilItIsSettled) {
  EXPECT_EQ(fill(kFixed, "d/a"), "30080 ");
  EXPECT_EQ(fill(kFixed, "d/a"), "30080 ") << "its own";
  EXPECT_NE(fill(kFixed, "d/b").find("provided port is already allocated"), std::string::npos);
  ports_.settle("d/a", {});
  EXPECT_EQ(fill(kFixed, "d/b"), "30080 ");
  json::Tree tree;
  ports_.settle("d/b", tree.parse(kFixed).value());
  EXPECT_NE(fill(kFixed, "d/a").find("already allocated"), std::string::npos);
}

TEST_F(NodePortsTest, AreGivenToTypesThatNeedThem) {
  EXPECT_EQ(fill(R"({"spec":{"type":"ClusterIP","ports":[{"port":80}]}})", "d/a"), "0 ");
  EXPECT_EQ(fill(R"({"spec":{"type":"LoadBalancer","allocateLoadBalancerNodePorts":false,
    "ports":[{"port":80}]}})",
                 "d/a"),
            "0 ");
  const std::string two =
      fill(R"({"spec":{"type":"LoadBalancer","ports":[{"port":53,"protocol":"UDP"},
    {"port":53,"protocol":"TCP"}]}})",
           "d/c");
  EXPECT_EQ(two.substr(0, 6), two.substr(6)) << "one for both protocols";
  EXPECT_GE(two, "30000");
}

TEST_F(NodePortsTest, AreGivenOutToTheLastAndNoFurther) {
  std::set<std::string> given;
  for (int64_t i = kNodePortFirst; i <= kNodePortLast; ++i)
    given.insert(
        fill(R"({"spec":{"type":"NodePort","ports":[{"port":80}]}})", "d/s" + std::to_string(i)));
  EXPECT_EQ(given.size(), static_cast<size_t>(kNodePortLast - kNodePortFirst + 1));
  EXPECT_NE(
      fill(R"({"spec":{"type":"NodePort","ports":[{"port":80}]}})", "d/x").find("range is full"),
      std::string::npos);
  EXPECT_NE(fill(R"({"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":80}]}})", "d/y")
                .find("The range of valid ports is 30000-32767"),
            std::string::npos);
}

}  // namespace
}  // namespace coracle::apiserver
