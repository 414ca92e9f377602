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
  return plan_service(service, slices, "here");
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

constexpr const char* kTwoNodes =
    R"({"addressType":"IPv4","ports":[{"name":"","port":8080}],"endpoints":[
  {"addresses":["10.42.0.9"],"nodeName":"here"},{"addresses":["10.42.1.9"],"nodeName":"there"}]})";

TEST(PlanService, ServesNodePortsAndOutsideAddresses) {
  const auto planned = plan(R"({"spec":{"type":"LoadBalancer","clusterIP":"10.43.0.7",
    "externalIPs":["192.0.2.1"],"ports":[{"port":80,"nodePort":30080}]},
    "status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.2"},{"ip":"192.0.2.3","ipMode":"Proxy"},
    {"hostname":"a.test"}]}}})",
                            {kTwoNodes});
  ASSERT_EQ(planned.size(), 4u);
  EXPECT_FALSE(planned[0].masquerade);
  EXPECT_EQ(planned[1].at.address.text(), "192.0.2.1");
  EXPECT_EQ(planned[2].at.address.text(), "192.0.2.2");
  EXPECT_EQ(planned[3].at.address.text(), "0.0.0.0");
  EXPECT_EQ(planned[3].at.port, 30080);
  for (size_t i = 1; i < 4; ++i) {
    EXPECT_TRUE(planned[i].masquerade);
    EXPECT_EQ(planned[i].backends.size(), 2u);
  }
}

TEST(PlanService, LocalPoliciesKeepTrafficOnTheNode) {
  const auto planned = plan(R"({"spec":{"type":"NodePort","clusterIP":"10.43.0.7",
    "externalTrafficPolicy":"Local","ports":[{"port":80,"nodePort":30080}]}})",
                            {kTwoNodes});
  ASSERT_EQ(planned.size(), 2u);
  EXPECT_EQ(planned[0].backends.size(), 2u);
  ASSERT_EQ(planned[1].backends.size(), 1u);
  EXPECT_EQ(planned[1].backends[0].address.text(), "10.42.0.9");
  EXPECT_FALSE(planned[1].masquerade) << "the client is seen";
  const auto inside = plan(R"({"spec":{"clusterIP":"10.43.0.7","internalTrafficPolicy":"Local",
    "ports":[{"port":80}]}})",
                           {kTwoNodes});
  EXPECT_EQ(inside[0].backends.size(), 1u);
}

}  // namespace
}  // namespace coracle::proxy
