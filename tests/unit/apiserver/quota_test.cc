// SPDX-License-Identifier: GPL-2.0-or-later
// ResourceQuota and LimitRange at admission.
#include <gtest/gtest.h>

#include "tests/unit/apiserver/bench.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kQuotas = "/api/v1/namespaces/default/resourcequotas";
constexpr std::string_view kRanges = "/api/v1/namespaces/default/limitranges";
constexpr std::string_view kClaims = "/api/v1/namespaces/default/persistentvolumeclaims";
constexpr std::string_view kServices = "/api/v1/namespaces/default/services";

std::string named(std::string_view name, std::string_view spec) {
  return join({R"({"metadata":{"name":")", name, R"("},"spec":)", spec, "}"});
}

std::string pod_with(std::string_view name,
                     std::string_view resources,
                     std::string_view more = {}) {
  return named(name, join({R"({"containers":[{"name":"c","image":"i","resources":)", resources,
                           "}]", more, "}"}));
}

// "" for what was taken in.
std::string refusal(Bench& bench, std::string_view path, const std::string& body) {
  auto made = bench.create(path, body);
  if (made->status == 201) return {};
  return join({std::to_string(made->status), " ", made->message()});
}

TEST(Quota, RefusesWhatThereIsNoRoomForInUpstreamsWords) {
  Bench bench;
  ASSERT_EQ(
      bench.create(kQuotas, named("q", R"({"hard":{"pods":"2","requests.cpu":"1"}})"))->status,
      201);
  EXPECT_EQ(refusal(bench, kPods, pod_with("a", R"({"requests":{"cpu":"600m"}})")), "");
  EXPECT_EQ(refusal(bench, kPods, pod_with("b", R"({"requests":{"cpu":"500m"}})")),
            "403 pods \"b\" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: "
            "requests.cpu=600m, limited: requests.cpu=1");
  EXPECT_EQ(refusal(bench, kPods, pod_with("b", "{}")),
            "403 pods \"b\" is forbidden: failed quota: q: must specify requests.cpu for: c");
  EXPECT_EQ(refusal(bench, kPods, pod_with("b", R"({"limits":{"cpu":"400m"}})")), "");
  EXPECT_EQ(refusal(bench, kPods, pod_with("c", R"({"requests":{"cpu":"1m"}})")),
            "403 pods \"c\" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=1m, "
            "used: pods=2,requests.cpu=1, limited: pods=2,requests.cpu=1");
}

TEST(Quota, GivesBackWhatIsDeletedOrHasEnded) {
  Bench bench;
  ASSERT_EQ(bench.create(kQuotas, named("q", R"({"hard":{"pods":"1","configmaps":"1"}})"))->status,
            201);
  EXPECT_EQ(refusal(bench, kPods, pod("a")), "");
  EXPECT_NE(refusal(bench, kPods, pod("b")), "");
  EXPECT_EQ(bench.merge(join({kPods, "/a/status"}), R"({"status":{"phase":"Succeeded"}})")->status,
            200);
  EXPECT_EQ(refusal(bench, kPods, pod("b")), "");
  EXPECT_NE(refusal(bench, kPods, pod("c")), "");
  EXPECT_EQ(bench.remove(join({kPods, "/b"}))->status, 200);
  EXPECT_EQ(refusal(bench, kPods, pod("c")), "");
  EXPECT_EQ(refusal(bench, kMaps, config_map("a")), "");
  EXPECT_EQ(refusal(bench, kMaps, config_map("b")),
            "403 configmaps \"b\" is forbidden: exceeded quota: q, requested: configmaps=1, used: "
            "configmaps=1, limited: configmaps=1");
  EXPECT_EQ(bench.remove(join({kQuotas, "/q"}))->status, 200);
  EXPECT_EQ(refusal(bench, kMaps, config_map("b")), "");
}

TEST(Quota, TwoInOneTurnDoNotShareTheLastPlace) {
  Bench bench;
  ASSERT_EQ(bench.create(kQuotas, named("q", R"({"hard":{"count/configmaps":"1"}})"))->status, 201);
  const std::string a = config_map("a");
  const std::string b = config_map("b");
  auto first = bench.begin({.method = "POST", .path = kMaps, .body = a});
  auto second = bench.begin({.method = "POST", .path = kMaps, .body = b});
  bench.settle();
  EXPECT_EQ(first->status, 201) << first->body;
  EXPECT_EQ(second->status, 403) << second->body;
  // What was only tried holds nothing.
  EXPECT_EQ(bench.remove(join({kMaps, "/a"}))->status, 200);
  EXPECT_EQ(bench.create(join({kMaps, "?dryRun=All"}), a)->status, 201);
  EXPECT_EQ(refusal(bench, kMaps, b), "");
  EXPECT_EQ(bench.create(join({kMaps, "?dryRun=All"}), a)->status, 403);
}

TEST(Quota, FollowsALimitThatIsChanged) {
  Bench bench;
  ASSERT_EQ(bench.create(kQuotas, named("q", R"({"hard":{"configmaps":"1"}})"))->status, 201);
  EXPECT_EQ(refusal(bench, kMaps, config_map("a")), "");
  EXPECT_NE(refusal(bench, kMaps, config_map("b")), "");
  EXPECT_EQ(bench.merge(join({kQuotas, "/q"}), R"({"spec":{"hard":{"configmaps":"2"}}})")->status,
            200);
  EXPECT_EQ(refusal(bench, kMaps, config_map("b")), "");
  EXPECT_NE(refusal(bench, kMaps, config_map("c")), "");
  // A write that adds nothing is not judged.
  EXPECT_EQ(bench.merge(join({kQuotas, "/q"}), R"({"spec":{"hard":{"configmaps":"0"}}})")->status,
            200);
  EXPECT_EQ(bench.merge(join({kMaps, "/a"}), R"({"data":{"v":"7"}})")->status, 200);
}

TEST(Quota, CountsOnlyWhatItsScopesCover) {
  struct Case {
    std::string_view scopes;  // of the quota
    std::string_view in;      // a Pod that counts
    std::string_view out;     // one that does not
  };
  constexpr std::string_view kSome = R"({"limits":{"cpu":"1"}})";
  const std::string deadline = pod_with("x", kSome, R"(,"activeDeadlineSeconds":9)");
  const std::string effort = pod_with("x", "{}");
  const std::string plain = pod_with("x", kSome);
  const std::string critical =
      pod_with("x", kSome, R"(,"priorityClassName":"system-node-critical")");
  const std::string beyond =
      pod_with("x", kSome,
               R"(,"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":)"
               R"([{"topologyKey":"a","labelSelector":{},"namespaces":["other"]}]}})");
  const Case cases[] = {
      {R"("scopes":["Terminating"])", deadline, plain},
      {R"("scopes":["NotTerminating"])", plain, deadline},
      {R"("scopes":["BestEffort"])", effort, plain},
      {R"("scopes":["NotBestEffort"])", plain, effort},
      {R"("scopes":["CrossNamespacePodAffinity"])", beyond, plain},
      {R"("scopes":["PriorityClass"])", critical, plain},
      {R"("scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"In",)"
       R"("values":["system-node-critical"]}]})",
       critical, plain},
      {R"("scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"NotIn",)"
       R"("values":["system-node-critical"]}]})",
       plain, critical},
      {R"("scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass",)"
       R"("operator":"DoesNotExist"}]})",
       plain, critical},
  };
  for (const Case& each : cases) {
    Bench bench;
    const std::string spec = join({R"({"hard":{"pods":"0"},)", each.scopes, "}"});
    auto quota = bench.create(kQuotas, named("q", spec));
    ASSERT_EQ(quota->status, 201) << quota->body;
    EXPECT_NE(refusal(bench, kPods, std::string(each.in)).find("exceeded quota: q"),
              std::string::npos)
        << each.scopes;
    EXPECT_EQ(refusal(bench, kPods, std::string(each.out)), "") << each.scopes;
  }
}

TEST(Quota, CountsPortsOfServicesAndStorageOfClaims) {
  Bench bench;
  ASSERT_EQ(bench
                .create(kQuotas, named("q", R"({"hard":{"services.nodeports":"1",
      "requests.storage":"2Gi","gold.storageclass.storage.k8s.io/persistentvolumeclaims":"1"}})"))
                ->status,
            201);
  EXPECT_EQ(refusal(bench, kServices, named("a", R"({"type":"NodePort","ports":[{"port":80}]})")),
            "");
  EXPECT_EQ(refusal(bench, kServices, named("b", R"({"type":"NodePort","ports":[{"port":80}]})")),
            "403 services \"b\" is forbidden: exceeded quota: q, requested: services.nodeports=1, "
            "used: services.nodeports=1, limited: services.nodeports=1");
  EXPECT_EQ(refusal(bench, kServices, named("b", R"({"ports":[{"port":80}]})")), "");
  const auto claim = [](std::string_view name, std::string_view size, std::string_view of) {
    return named(name, join({R"({"accessModes":["ReadWriteOnce"],"storageClassName":")", of,
                             R"(","resources":{"requests":{"storage":")", size, R"("}}})"}));
  };
  EXPECT_EQ(refusal(bench, kClaims, claim("a", "1Gi", "gold")), "");
  EXPECT_NE(refusal(bench, kClaims, claim("b", "1Gi", "gold")), "");
  EXPECT_EQ(refusal(bench, kClaims, claim("b", "1025Mi", "tin")),
            "403 persistentvolumeclaims \"b\" is forbidden: exceeded quota: q, requested: "
            "requests.storage=1025Mi, used: requests.storage=1Gi, limited: requests.storage=2Gi");
  EXPECT_EQ(refusal(bench, kClaims, claim("b", "1Gi", "tin")), "");
}

TEST(LimitRange, FillsInWhatContainersLeaveOut) {
  Bench bench;
  ASSERT_EQ(bench
                .create(kRanges, named("l", R"({"limits":[{"type":"Container",
      "default":{"cpu":"500m","memory":"64Mi"},"defaultRequest":{"cpu":"100m"}}]})"))
                ->status,
            201);
  auto made = bench.create(kPods, pod_with("a", R"({"limits":{"cpu":"1"}})"));
  ASSERT_EQ(made->status, 201) << made->body;
  const json::Node resources = made->json()["spec"]["containers"].at(0)["resources"];
  EXPECT_EQ(resources["limits"]["cpu"].string(), "1");
  EXPECT_EQ(resources["limits"]["memory"].string(), "64Mi");
  EXPECT_EQ(resources["requests"]["cpu"].string(), "1");
  EXPECT_EQ(resources["requests"]["memory"].string(), "64Mi");
  auto bare = bench.create(kPods, pod_with("b", "{}"));
  EXPECT_EQ(bare->json()["spec"]["containers"].at(0)["resources"]["requests"]["cpu"].string(),
            "100m");
}

TEST(LimitRange, RefusesTooLittleTooMuchAndTooUneven) {
  Bench bench;
  ASSERT_EQ(bench
                .create(kRanges, named("l", R"({"limits":[
      {"type":"Container","min":{"cpu":"100m"},"max":{"cpu":"1"},
       "maxLimitRequestRatio":{"cpu":"2"}},
      {"type":"Pod","max":{"memory":"1Gi"}},
      {"type":"PersistentVolumeClaim","min":{"storage":"1Gi"},"max":{"storage":"2Gi"}}]})"))
                ->status,
            201);
  const auto said = [&](std::string_view resources) {
    return refusal(bench, kPods, pod_with("p", resources));
  };
  constexpr std::string_view kBegin = "403 pods \"p\" is forbidden: ";
  EXPECT_EQ(said(R"({"limits":{"cpu":"50m","memory":"1Mi"}})"),
            join({kBegin, "minimum cpu usage per Container is 100m, but request is 50m"}));
  EXPECT_EQ(said(R"({"requests":{"cpu":"1"},"limits":{"cpu":"2","memory":"1Mi"}})"),
            join({kBegin, "maximum cpu usage per Container is 1, but limit is 2"}));
  EXPECT_EQ(said(R"({"requests":{"cpu":"100m"},"limits":{"cpu":"500m","memory":"1Mi"}})"),
            join({kBegin,
                  "cpu max limit to request ratio per Container is 2, but provided ratio is "
                  "5.000000"}));
  EXPECT_EQ(said(R"({"limits":{"cpu":"100m","memory":"2Gi"}})"),
            join({kBegin, "maximum memory usage per Pod is 1Gi, but limit is 2Gi"}));
  EXPECT_EQ(said(R"({"limits":{"cpu":"100m","memory":"1Gi"}})"), "");
  const auto claim = [&](std::string_view size) {
    return refusal(bench, kClaims,
                   named("c", join({R"({"accessModes":["ReadWriteOnce"],"resources":{"requests":)",
                                    R"({"storage":")", size, R"("}}})"})));
  };
  constexpr std::string_view kClaim = "403 persistentvolumeclaims \"c\" is forbidden: ";
  EXPECT_EQ(claim("1Mi"), join({kClaim, "minimum storage usage per PersistentVolumeClaim is 1Gi, ",
                                "but request is 1Mi"}));
  EXPECT_EQ(claim("3Gi"), join({kClaim, "maximum storage usage per PersistentVolumeClaim is 2Gi, ",
                                "but request is 3Gi"}));
  EXPECT_EQ(claim("2Gi"), "");
}

}  // namespace
}  // namespace coracle::apiserver
