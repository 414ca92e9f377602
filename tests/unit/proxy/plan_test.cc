// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/plan.h"

#include <gtest/gtest.h>

namespace coracle::proxy {
namespace {

constexpr const char* kService = R"({"spec":{"type":"ClusterIP","clusterIP":"10.43.0.7","ports":[
  {"name":"web","port":80,"protocol":"TCP","targetPort":8080},{"name":"dns","port":53,"protocol":"UDP"}]}})";

std::vector<port::VirtualService> plan(const char* service_text,
                                       std::vector<const char*> slice_texts) {
  json::Tree service_tree;
  const json::Node service = service_tree.parse(service_text).value();
  std::vector<std::unique_ptr<json::Tree>> trees;
  std::vector<json::Node> slices;
  for (const char* text : slice_texts) {
    trees.push_back(std::make_unique<json::Tree>());
    slices.push_back(trees.back()->parse(text).value());
  }
  return plan_service(service, slices);
}

TEST(PlanService, MatchesPortsByNameAndProtocolAndSortsBackends) {
  const auto planned = plan(
      kService, {R"({"addressType":"IPv4","ports":[{"name":"web","port":8080,"protocol":"TCP"}],
    "endpoints":[{"addresses":["10.42.0.9"]},{"addresses":["10.42.0.3"],"conditions":{"ready":true}},
                 {"addresses":["10.42.0.4"],"conditions":{"ready":false}}]})"});
  ASSERT_EQ(planned.size(), 2u);
  EXPECT_EQ(planned[0].at.port, 80);
  ASSERT_EQ(planned[0].backends.size(), 2u);
  EXPECT_EQ(planned[0].backends[0].address.text(), "10.42.0.3");
  EXPECT_EQ(planned[0].backends[0].port, 8080);
  EXPECT_EQ(planned[1].at.transport, port::Transport::kUdp);
  EXPECT_TRUE(planned[1].backends.empty());
}

TEST(PlanService, FallsBackToTerminatingEndpointsThatStillServe) {
  const auto planned =
      plan(kService, {R"({"addressType":"IPv4","ports":[{"name":"web","port":8080}],
    "endpoints":[{"addresses":["10.42.0.9"],"conditions":{"ready":false,"serving":true,"terminating":true}},
                 {"addresses":["10.42.0.8"],"conditions":{"ready":false,"serving":false,"terminating":true}}]})"});
  ASSERT_EQ(planned[0].backends.size(), 1u);
  EXPECT_EQ(planned[0].backends[0].address.text(), "10.42.0.9");
}

TEST(PlanService, IgnoresHeadlessAndExternalNameAndOtherFamilies) {
  EXPECT_TRUE(plan(R"({"spec":{"clusterIP":"None","ports":[{"port":80}]}})", {}).empty());
  EXPECT_TRUE(plan(R"({"spec":{"type":"ExternalName","externalName":"a.b"}})", {}).empty());
  const auto planned =
      plan(kService, {R"({"addressType":"IPv6","ports":[{"name":"web","port":8080}],
    "endpoints":[{"addresses":["fd00::1"]}]})"});
  EXPECT_TRUE(planned[0].backends.empty());
}

TEST(PlanService, CarriesTheAffinityTimeout) {
  const auto planned = plan(R"({"spec":{"clusterIP":"10.43.0.7","sessionAffinity":"ClientIP",
    "sessionAffinityConfig":{"clientIP":{"timeoutSeconds":60}},"ports":[{"port":80}]}})",
                            {});
  EXPECT_EQ(planned[0].affinity_seconds, 60u);
}

}  // namespace
}  // namespace coracle::proxy
