// SPDX-License-Identifier: GPL-2.0-or-later
// Requests put together at random from pieces that mean something and pieces that do not: every one
// is answered, none with an internal error.
#include <gtest/gtest.h>

#include "tests/unit/apiserver/bench.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kMethods[] = {"GET", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
constexpr std::string_view kSteps[] = {"api",
                                       "v1",
                                       "apis",
                                       "apps",
                                       "namespaces",
                                       "default",
                                       "pods",
                                       "configmaps",
                                       "services",
                                       "nodes",
                                       "p",
                                       "a",
                                       "status",
                                       "scale",
                                       "log",
                                       "token",
                                       "binding",
                                       "eviction",
                                       "finalize",
                                       "deployments",
                                       "serviceaccounts",
                                       "watch",
                                       "bindings",
                                       "",
                                       "openapi",
                                       "v3",
                                       "livez",
                                       "\x01",
                                       "events",
                                       "authorization.k8s.io",
                                       "selfsubjectaccessreviews",
                                       "leases",
                                       "coordination.k8s.io"};
constexpr std::string_view kStarts[] = {"/api/v1/namespaces/default/pods",
                                        "/api/v1/namespaces/default/configmaps",
                                        "/api/v1/namespaces/default/services",
                                        "/apis/apps/v1/namespaces/default/deployments",
                                        "/api/v1/nodes",
                                        "/api/v1/namespaces",
                                        "/api/v1/namespaces/default/serviceaccounts",
                                        "/api",
                                        "/apis/authentication.k8s.io/v1/tokenreviews",
                                        "/apis/authorization.k8s.io/v1/subjectaccessreviews"};
constexpr std::string_view kQueries[] = {"watch=true",
                                         "limit=1",
                                         "limit=-9",
                                         "continue=e30",
                                         "resourceVersion=0",
                                         "resourceVersion=3",
                                         "resourceVersion=x",
                                         "resourceVersionMatch=Exact",
                                         "labelSelector=a%20in%20(b",
                                         "dryRun=All",
                                         "labelSelector=a%3Db",
                                         "fieldSelector=metadata.name%3Da",
                                         "fieldSelector=%3D",
                                         "sendInitialEvents=true",
                                         "timeoutSeconds=1",
                                         "allowWatchBookmarks=1",
                                         "%zz=%",
                                         "pretty",
                                         "gracePeriodSeconds=0",
                                         "propagationPolicy=Orphan",
                                         "fieldValidation=Strict",
                                         "tailLines=1"};
constexpr std::string_view kTypes[] = {"",
                                       "application/json",
                                       "application/yaml",
                                       "application/merge-patch+json",
                                       "application/json-patch+json",
                                       "application/strategic-merge-patch+json",
                                       "application/apply-patch+yaml",
                                       "application/vnd.kubernetes.protobuf",
                                       "text/html"};
constexpr std::string_view kAccepts[] = {
    "",
    "*/*",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;q=x",
    ",,;=,",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "image/png"};
constexpr std::string_view kBodies[] = {
    "",
    "{}",
    "[]",
    "null",
    R"({"metadata":null})",
    R"({"metadata":{"name":"a"},"spec":"text"})",
    R"({"metadata":{"name":"a","labels":[]}})",
    R"({"spec":{"replicas":-1}})",
    R"([{"op":"remove","path":"/metadata"}])",
    R"([{"op":"add","path":"","value":7}])",
    R"([{"op":"replace","path":"/spec","value":null}])",
    R"({"$patch":"delete"})",
    R"({"spec":{"containers":[{"$patch":"delete","name":"c"}]}})",
    "k8s",
    R"({"target":{"name":"n1"}})",
    R"({"metadata":{"finalizers":["x.io/y"]}})",
    R"({"metadata":{"finalizers":null,"annotations":{"a":"b"}}})",
    R"({"spec":{"token":"a.b.c","user":"x","resourceAttributes":{"verb":"*"}}})",
    R"({"metadata":{"name":"a"},"spec":{"clusterIP":"10.43.0.9","ports":[{"port":1}]}})",
    R"({"metadata":{"generateName":"g-"},"spec":{"containers":[{"name":"c","image":"i"}]}})",
    R"({"metadata":{"name":"a","uid":"x"},"data":{"k":5}})",
    "a: b: c",
    "- 1\n- 2\n",
    R"({"preconditions":{"uid":"x"},"gracePeriodSeconds":-5})"};

class Pieces {
 public:
  explicit Pieces(port_sim::Dice& dice) : dice_(dice) {}
  template <size_t N>
  std::string_view of(const std::string_view (&set)[N]) {
    return set[dice_.roll() % N];
  }
  bool one_in(uint64_t n) { return dice_.roll() % n == 0; }

  std::string path() {
    std::string text(one_in(4) ? "" : of(kStarts));
    while (one_in(2) || text.empty())
      text += join({"/", of(kSteps)});
    char mark = '?';
    while (one_in(2)) {
      text += join({std::string_view(&mark, 1), of(kQueries)});
      mark = '&';
    }
    return text;
  }
  std::string body() {
    std::string text(of(kBodies));
    if (!text.empty() && one_in(4)) {
      text[dice_.roll() % text.size()] = static_cast<char>(dice_.roll());
    }
    return text;
  }

 private:
  port_sim::Dice& dice_;
};

TEST(Hostile, EveryRequestIsAnsweredAndNoneBreaksTheServer) {
  Bench bench;
  bench.create(kPods, pod("p"));
  bench.create(kMaps, config_map("a"));
  Pieces pieces(bench.world.dice());
  for (int at = 0; at < 4000; ++at) {
    const std::string path = pieces.path();
    const std::string body = pieces.body();
    const std::string method(pieces.of(kMethods));
    const std::string type(pieces.of(kTypes));
    auto answer = bench.begin({.method = method,
                               .path = path,
                               .body = body,
                               .type = type,
                               .accept = pieces.of(kAccepts),
                               .user = pieces.one_in(20) ? "eve" : "admin",
                               .groups = {pieces.one_in(20) ? "" : "system:masters"}});
    bench.world.run_until([&] { return answer->finished || answer->status == 200; }, seconds(2));
    EXPECT_NE(answer->status, 0) << method << " " << path << " " << body;
    EXPECT_NE(answer->status, 500) << method << " " << path << " " << body << answer->body;
    if (!answer->finished) bench.server->on_gone(*answer);
  }
  EXPECT_EQ(bench.get("/livez")->status, 200);
  EXPECT_EQ(bench.server->figures().reads, 0u);
  EXPECT_EQ(bench.server->figures().writes, 0u);
}

}  // namespace
}  // namespace coracle::apiserver
