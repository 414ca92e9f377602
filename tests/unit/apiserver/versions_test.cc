// SPDX-License-Identifier: GPL-2.0-or-later
// Resources that are served in two versions: what is written in one is read in the other.
#include <gtest/gtest.h>

#include "tests/unit/apiserver/bench.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kV1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
constexpr std::string_view kV2 = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
constexpr std::string_view kEvents = "/apis/events.k8s.io/v1/namespaces/default/events";
constexpr std::string_view kCoreEvents = "/api/v1/namespaces/default/events";

std::string below(std::string_view collection, std::string_view rest) {
  return join({collection, "/", rest});
}

constexpr std::string_view kScaler = R"({"kind":"HorizontalPodAutoscaler",
    "apiVersion":"autoscaling/v1","metadata":{"name":"web"},"spec":{"maxReplicas":3,
    "scaleTargetRef":{"kind":"Deployment","name":"web"},"targetCPUUtilizationPercentage":70}})";

TEST(Versions, AnAutoscalerOfTheOldVersionIsOneOfTheNew) {
  Bench bench;
  auto made = bench.create(kV1, kScaler);
  ASSERT_EQ(made->status, 201) << made->body;
  EXPECT_EQ(made->json()["apiVersion"].string(), "autoscaling/v1");
  EXPECT_EQ(made->json()["spec"]["targetCPUUtilizationPercentage"].integer(), 70);
  EXPECT_FALSE(made->json()["spec"]["metrics"]);
  auto read = bench.get(below(kV2, "web"));
  EXPECT_EQ(json::write(read->json()["spec"]["metrics"]),
            R"([{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization",)"
            R"("averageUtilization":70}}}])");
  auto listed = bench.get(kV1);
  EXPECT_EQ(listed->json()["apiVersion"].string(), "autoscaling/v1");
  EXPECT_EQ(listed->json()["items"].at(0)["spec"]["targetCPUUtilizationPercentage"].integer(), 70);
  auto wrong = bench.create(kV2, kScaler);
  EXPECT_EQ(wrong->status, 400) << wrong->body;
}

TEST(Versions, TheOldVersionKeepsWhatItCannotSay) {
  Bench bench;
  ASSERT_EQ(bench.create(kV1, kScaler)->status, 201);
  auto more = bench.merge(below(kV2, "web"),
                          R"({"spec":{"behavior":{"scaleDown":{"stabilizationWindowSeconds":9}},
      "metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization",
        "averageUtilization":70}}},{"type":"Resource","resource":{"name":"memory","target":
        {"type":"AverageValue","averageValue":"64Mi"}}}]}})");
  ASSERT_EQ(more->status, 200) << more->body;
  auto patched =
      bench.merge(below(kV1, "web"), R"({"spec":{"targetCPUUtilizationPercentage":55}})");
  ASSERT_EQ(patched->status, 200) << patched->body;
  EXPECT_EQ(patched->json()["spec"]["targetCPUUtilizationPercentage"].integer(), 55);
  const auto read = bench.get(below(kV2, "web"));
  const json::Node spec = read->json()["spec"];
  EXPECT_EQ(spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"].integer(), 9);
  EXPECT_EQ(spec["metrics"].size(), 2u);
  EXPECT_EQ(spec["metrics"].at(0)["resource"]["target"]["averageUtilization"].integer(), 55);
  EXPECT_EQ(spec["metrics"].at(1)["resource"]["name"].string(), "memory");
  auto same = bench.merge(below(kV1, "web"), R"({"spec":{"targetCPUUtilizationPercentage":55}})");
  EXPECT_EQ(same->json()["metadata"]["resourceVersion"].string(),
            read->json()["metadata"]["resourceVersion"].string());
}

constexpr std::string_view kNote = R"({"kind":"Event","apiVersion":"events.k8s.io/v1",
    "metadata":{"name":"e","namespace":"default"},"eventTime":"2026-01-02T03:04:05.000006Z",
    "reportingController":"example.com/c","reportingInstance":"c-1","action":"Look",
    "reason":"Seen","type":"Normal","note":"hello",
    "regarding":{"kind":"Pod","namespace":"default","name":"web"}})";

TEST(Versions, EventsOfBothGroupsAreTheSame) {
  Bench bench;
  auto made = bench.create(kEvents, kNote);
  ASSERT_EQ(made->status, 201) << made->body;
  EXPECT_EQ(made->json()["note"].string(), "hello");
  auto core = bench.get(below(kCoreEvents, "e"));
  EXPECT_EQ(core->json()["apiVersion"].string(), "v1");
  EXPECT_EQ(core->json()["message"].string(), "hello");
  EXPECT_EQ(core->json()["involvedObject"]["name"].string(), "web");
  EXPECT_EQ(core->json()["reportingComponent"].string(), "example.com/c");
  EXPECT_EQ(bench.get(below(kEvents, "e"))->body, made->body);
  auto some = bench.get(join({kEvents, "?fieldSelector=regarding.name=web"}));
  EXPECT_EQ(some->json()["items"].size(), 1u);
  EXPECT_EQ(some->json()["kind"].string(), "EventList");
  auto none = bench.get(join({kEvents, "?fieldSelector=regarding.name=other"}));
  EXPECT_EQ(none->json()["items"].size(), 0u);
  EXPECT_EQ(bench.get(join({kEvents, "?fieldSelector=involvedObject.name=web"}))->status, 400);
}

TEST(Versions, WatchesSpeakTheVersionThatWasAsked) {
  Bench bench;
  auto modern = bench.begin({.path = join({kEvents, "?watch=true"})});
  auto core = bench.begin({.path = join({kCoreEvents, "?watch=true"})});
  ASSERT_EQ(bench.create(kEvents, kNote)->status, 201);
  bench.settle();
  EXPECT_NE(modern->body.find("\"regarding\""), std::string::npos) << modern->body;
  EXPECT_EQ(modern->body.find("involvedObject"), std::string::npos);
  EXPECT_NE(core->body.find("\"involvedObject\""), std::string::npos) << core->body;
  EXPECT_EQ(core->body.find("regarding"), std::string::npos);
}

TEST(Versions, NewEventsMustSayWhoReportsThem) {
  Bench bench;
  auto made = bench.create(kEvents, R"({"metadata":{"name":"e"},"deprecatedCount":2,
      "regarding":{"kind":"Pod","namespace":"default","name":"web"},"type":"Odd"})");
  EXPECT_EQ(made->status, 422) << made->body;
  EXPECT_NE(made->message().find("eventTime: Required value"), std::string_view::npos);
  EXPECT_NE(made->message().find("count: Invalid value: 2: needs to be unset"),
            std::string_view::npos)
      << made->message();
}

TEST(Versions, TheOldVersionIsAppliedAsTheNew) {
  Bench bench;
  auto applied = bench.call({.method = "PATCH",
                             .path = below(kV1, "web?fieldManager=me"),
                             .body = kScaler,
                             .type = "application/apply-patch+yaml"});
  ASSERT_EQ(applied->status, 201) << applied->body;
  EXPECT_EQ(applied->json()["spec"]["targetCPUUtilizationPercentage"].integer(), 70);
  EXPECT_EQ(applied->json()["metadata"]["managedFields"].at(0)["apiVersion"].string(),
            "autoscaling/v2");
}

}  // namespace
}  // namespace coracle::apiserver
