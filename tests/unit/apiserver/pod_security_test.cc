// SPDX-License-Identifier: GPL-2.0-or-later
// Pod Security Standards: what the labels of a namespace let in, in upstream's words.
#include <gtest/gtest.h>

#include "tests/unit/apiserver/bench.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kNamespace = "/api/v1/namespaces/default";
constexpr std::string_view kGood =
    R"("securityContext":{"runAsNonRoot":true,"allowPrivilegeEscalation":false,)"
    R"("capabilities":{"drop":["ALL"]},"seccompProfile":{"type":"RuntimeDefault"}})";

void label(Bench& bench, std::string_view labels) {
  auto done = bench.merge(kNamespace, join({R"({"metadata":{"labels":)", labels, "}}"}));
  ASSERT_EQ(done->status, 200) << done->body;
}

// A Pod of one container "a" and what else is said.
std::string pod_of(std::string_view container, std::string_view spec = {}) {
  const std::string_view comma = container.empty() ? "" : ",";
  return join({R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"i")", comma,
               container, "}]", spec, "}}"});
}

std::string refusal(Bench& bench, const std::string& pod) {
  auto made = bench.create(join({kPods, "?dryRun=All"}), pod);
  return made->status == 201 ? std::string() : std::string(made->message());
}

std::string violates(std::string_view level, std::string_view what) {
  return join({"pods \"p\" is forbidden: violates PodSecurity \"", level, ":latest\": ", what});
}

struct Case {
  std::string_view container;
  std::string_view spec;
  std::string_view what;
};

TEST(PodSecurity, BaselineRefusesWhatReachesTheNode) {
  Bench bench;
  label(bench, R"({"pod-security.kubernetes.io/enforce":"baseline"})");
  constexpr Case kCases[] = {
      {"", R"(,"hostNetwork":true,"hostPID":true)",
       "host namespaces (hostNetwork=true, hostPID=true)"},
      {"", R"(,"hostIPC":true)", "host namespaces (hostIPC=true)"},
      {"", R"(,"volumes":[{"name":"v","hostPath":{"path":"/"}}])",
       "hostPath volumes (volume \"v\")"},
      {R"("ports":[{"containerPort":80,"hostPort":80},{"containerPort":81,"hostPort":81}])",
       R"(,"hostNetwork":true)",
       "host namespaces (hostNetwork=true), hostPort (container \"a\" uses hostPorts 80, 81)"},
      {R"("securityContext":{"privileged":true})", "",
       "privileged (container \"a\" must not set securityContext.privileged=true)"},
      {R"("securityContext":{"capabilities":{"add":["NET_ADMIN","CHOWN"]}})", "",
       "non-default capabilities (container \"a\" must not include \"NET_ADMIN\" in "
       "securityContext.capabilities.add)"},
      {R"("securityContext":{"seccompProfile":{"type":"Unconfined"}})",
       R"(,"securityContext":{"seccompProfile":{"type":"Unconfined"}})",
       "seccompProfile (pod and container \"a\" must not set "
       "securityContext.seccompProfile.type to \"Unconfined\")"},
      {"", R"(,"securityContext":{"appArmorProfile":{"type":"Unconfined"}})",
       "forbidden AppArmor profile (pod must not set AppArmor profile type to \"Unconfined\")"},
      {"", R"(,"initContainers":[{"name":"b","image":"i","securityContext":{"privileged":true}}])",
       "privileged (container \"b\" must not set securityContext.privileged=true)"},
  };
  for (const Case& each : kCases)
    EXPECT_EQ(refusal(bench, pod_of(each.container, each.spec)), violates("baseline", each.what));
  EXPECT_EQ(refusal(bench, pod_of("")), "");
  EXPECT_EQ(refusal(bench, pod_of(R"("securityContext":{"capabilities":{"add":["KILL"]}})")), "");
}

TEST(PodSecurity, RestrictedWantsToHearThatNothingIsNeeded) {
  Bench bench;
  label(bench, R"({"pod-security.kubernetes.io/enforce":"restricted"})");
  EXPECT_EQ(
      refusal(bench, pod_of("")),
      violates("restricted",
               "allowPrivilegeEscalation != false (container \"a\" must set "
               "securityContext.allowPrivilegeEscalation=false), unrestricted capabilities "
               "(container \"a\" must set securityContext.capabilities.drop=[\"ALL\"]), "
               "runAsNonRoot != true (pod or container \"a\" must set "
               "securityContext.runAsNonRoot=true), seccompProfile (pod or container \"a\" must "
               "set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")"));
  EXPECT_EQ(refusal(bench, pod_of(kGood)), "");
  constexpr Case kCases[] = {
      {kGood, R"(,"securityContext":{"runAsUser":0})",
       "runAsUser=0 (pod must not set runAsUser=0)"},
      {kGood, R"(,"securityContext":{"runAsNonRoot":false})",
       "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)"},
      {kGood, R"(,"volumes":[{"name":"v","hostPath":{"path":"/"}}])",
       "restricted volume types (volume \"v\" uses restricted volume type \"hostPath\")"},
      {kGood, R"(,"hostNetwork":true)", "host namespaces (hostNetwork=true)"},
  };
  for (const Case& each : kCases)
    EXPECT_EQ(refusal(bench, pod_of(each.container, each.spec)), violates("restricted", each.what));
  EXPECT_EQ(refusal(bench, pod_of(kGood, R"(,"volumes":[{"name":"v","emptyDir":{}}])")), "");
}

TEST(PodSecurity, WarnsOfPodsAndOfWhatMakesThem) {
  Bench bench;
  label(bench, R"({"pod-security.kubernetes.io/warn":"baseline"})");
  auto made = bench.create(kPods, pod_of("", R"(,"hostIPC":true)"));
  ASSERT_EQ(made->status, 201) << made->body;
  EXPECT_EQ(made->header("warning"),
            "299 - \"would violate PodSecurity \\\"baseline:latest\\\": host namespaces "
            "(hostIPC=true)\"");
  auto set = bench.create("/apis/apps/v1/namespaces/default/deployments",
                          R"({"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},
      "template":{"metadata":{"labels":{"a":"b"}},"spec":{"hostPID":true,
      "containers":[{"name":"a","image":"i"}]}}}})");
  ASSERT_EQ(set->status, 201) << set->body;
  EXPECT_NE(set->header("warning").find("hostPID=true"), std::string_view::npos);
  label(bench, R"({"pod-security.kubernetes.io/warn":null})");
  auto quiet = bench.create(kPods, pod("q", R"(,"hostIPC":true)"));
  EXPECT_EQ(quiet->status, 201);
  EXPECT_EQ(quiet->header("warning"), "");
}

TEST(PodSecurity, TellsWhichPodsANewLevelWouldNotLetIn) {
  Bench bench;
  ASSERT_EQ(bench.create(kPods, pod("x", R"(,"hostIPC":true)"))->status, 201);
  ASSERT_EQ(bench.create(kPods, pod("y", R"(,"hostIPC":true)"))->status, 201);
  auto done = bench.merge(
      kNamespace, R"({"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"baseline"}}})");
  ASSERT_EQ(done->status, 200) << done->body;
  std::vector<std::string_view> warnings;
  for (const http::Header& each : done->headers) {
    if (each.name == "warning") warnings.push_back(each.value);
  }
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[0].find("existing pods in namespace"), std::string_view::npos);
  EXPECT_EQ(warnings[1], "299 - \"x (and 1 other pod): host namespaces\"");
  EXPECT_EQ(bench.merge(join({kPods, "/x"}), R"({"metadata":{"labels":{"a":"b"}}})")->status, 200);
}

TEST(PodSecurity, LabelsThatMeanNothingAreRefused) {
  Bench bench;
  auto level = bench.merge(
      kNamespace, R"({"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"strict"}}})");
  EXPECT_EQ(level->status, 422) << level->body;
  EXPECT_NE(level->message().find("must be one of privileged, baseline, restricted"),
            std::string_view::npos);
  auto version = bench.merge(
      kNamespace, R"({"metadata":{"labels":{"pod-security.kubernetes.io/warn-version":"1.30"}}})");
  EXPECT_EQ(version->status, 422) << version->body;
  EXPECT_NE(version->message().find("must be \"latest\" or \"v1.x\""), std::string_view::npos);
}

}  // namespace
}  // namespace coracle::apiserver
