// SPDX-License-Identifier: GPL-2.0-or-later
// Who gets in, who may do what, tokens and reviews, discovery and health, limits; and calls from
// this process.
#include <gtest/gtest.h>

#include "tests/unit/apiserver/bench.h"

namespace coracle::apiserver {
namespace {

const std::vector<std::string> kNoGroups;

struct Waits final : api::Caller {
  void on_answer(uint64_t given, Result<api::ObjectRef> answer) override {
    ++count;
    token = given;
    if (answer) {
      object = *answer;
    } else {
      error = answer.error();
    }
  }
  int count = 0;
  uint64_t token = 0;
  api::ObjectRef object;
  Error error;
};

std::string bob_token(Bench& bench, std::string_view spec = "{}") {
  bench.create("/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"bob"}})");
  auto answer = bench.create("/api/v1/namespaces/default/serviceaccounts/bob/token",
                             join({R"({"spec":)", spec, "}"}));
  EXPECT_EQ(answer->status, 201) << answer->body;
  return std::string(answer->json()["status"]["token"].string());
}

std::unique_ptr<Answer> with_token(Bench& bench, std::string_view path, std::string_view token) {
  return bench.call(
      {.path = path, .user = "", .headers = {{"authorization", join({"Bearer ", token})}}});
}

TEST(Access, NobodySeesOnlyHealthAndVersion) {
  Bench bench;
  for (const char* path : {"/livez", "/readyz", "/healthz", "/version"}) {
    EXPECT_EQ(bench.call({.path = path, .user = "", .groups = {}})->status, 200) << path;
  }
  for (const char* path : {"/", "/api", "/apis", "/api/v1/pods", "/metrics", "/openapi/v3", "/nope",
                           "/api/v1/nope", "/livezz", "/api/v1/pods?limit=x"}) {
    auto answer = bench.call({.path = path, .user = "", .groups = {}});
    EXPECT_EQ(answer->status, 401) << path;
    EXPECT_EQ(answer->reason(), "Unauthorized");
  }
  EXPECT_EQ(with_token(bench, "/api", "not.a.token")->status, 401);
}

constexpr std::string_view kRbac = "/apis/rbac.authorization.k8s.io/v1";

void grant(Bench& bench, std::string_view role, std::string_view rules, std::string_view user) {
  bench.create(join({kRbac, "/namespaces/default/roles"}),
               join({R"({"metadata":{"name":")", role, R"("},"rules":)", rules, "}"}));
  auto made = bench.create(
      join({kRbac, "/namespaces/default/rolebindings"}),
      join({R"({"metadata":{"name":")", role, R"("},"roleRef":{"kind":"Role","name":")", role,
            R"("},"subjects":[{"kind":"User","name":")", user, R"("}]})"}));
  EXPECT_EQ(made->status, 201) << made->body;
}

TEST(Access, RolesAllowWhatTheySayAndNothingElse) {
  Bench bench;
  grant(bench, "reader",
        R"([{"apiGroups":[""],"resources":["pods","*/status"],"verbs":["get","list"]},)"
        R"({"apiGroups":[""],"resources":["configmaps"],"resourceNames":["a"],"verbs":["get"]}])",
        "ann");
  const auto status = [&bench](std::string_view path) {
    return bench.call({.path = path, .user = "ann", .groups = kNoGroups})->status;
  };
  EXPECT_EQ(status(kPods), 200);
  EXPECT_EQ(status(join({kPods, "?watch=true"})), 403);
  EXPECT_EQ(status("/api/v1/pods"), 403);
  EXPECT_EQ(status("/api/v1/namespaces/kube-system/pods"), 403);
  EXPECT_EQ(status(join({kPods, "/x/status"})), 404);
  EXPECT_EQ(status(join({kPods, "/x/log"})), 403);
  EXPECT_EQ(status(join({kMaps, "/a"})), 404);
  EXPECT_EQ(status(join({kMaps, "/b"})), 403);
  EXPECT_EQ(status(kMaps), 403);
  bench.remove(join({kRbac, "/namespaces/default/rolebindings/reader"}));
  EXPECT_EQ(status(kPods), 403);
}

TEST(Access, NobodyGivesWhatTheyDoNotHave) {
  Bench bench;
  grant(bench, "keeper",
        R"([{"apiGroups":["rbac.authorization.k8s.io"],"resources":["*"],"verbs":["*"]},)"
        R"({"apiGroups":[""],"resources":["pods"],"verbs":["get"]}])",
        "ann");
  // "*" on roles carries "escalate" and "bind": take them away again.
  auto strict = bench.merge(
      join({kRbac, "/namespaces/default/roles/keeper"}),
      R"({"rules":[{"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles","rolebindings"],)"
      R"("verbs":["create","update","get"]},{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]})");
  EXPECT_EQ(strict->status, 200) << strict->body;
  const auto make = [&bench](std::string_view resource, std::string_view body) {
    return bench.call({.method = "POST",
                       .path = join({kRbac, "/namespaces/default/", resource}),
                       .body = body,
                       .user = "ann",
                       .groups = kNoGroups});
  };
  EXPECT_EQ(make("roles", R"({"metadata":{"name":"a"},"rules":[{"apiGroups":[""],)"
                          R"("resources":["pods"],"verbs":["get"]}]})")
                ->status,
            201);
  auto more = make("roles", R"({"metadata":{"name":"b"},"rules":[{"apiGroups":[""],)"
                            R"("resources":["pods"],"verbs":["get","delete"]}]})");
  EXPECT_EQ(more->status, 403);
  EXPECT_EQ(more->message(),
            "roles.rbac.authorization.k8s.io \"b\" is forbidden: user \"ann\" "
            "(groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not "
            "currently held:\n{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"delete\"]}");
  auto admin = make("rolebindings", R"({"metadata":{"name":"c"},"roleRef":{"kind":"ClusterRole",)"
                                    R"("name":"cluster-admin"},"subjects":[]})");
  EXPECT_EQ(admin->status, 403) << admin->body;
  auto own = make("rolebindings", R"({"metadata":{"name":"d"},"roleRef":{"kind":"Role",)"
                                  R"("name":"a"},"subjects":[{"kind":"User","name":"joe"}]})");
  EXPECT_EQ(own->status, 201) << own->body;
  auto none = make("rolebindings", R"({"metadata":{"name":"e"},"roleRef":{"kind":"Role",)"
                                   R"("name":"nope"},"subjects":[]})");
  EXPECT_EQ(none->status, 404) << none->body;
}

TEST(Access, RulesReviewsListWhatRolesGive) {
  Bench bench;
  grant(bench, "reader", R"([{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}])", "ann");
  auto answer = bench.call({.method = "POST",
                            .path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                            .body = R"({"spec":{"namespace":"default"}})",
                            .user = "ann",
                            .groups = kNoGroups});
  EXPECT_EQ(answer->status, 201) << answer->body;
  EXPECT_NE(answer->body.find(R"({"verbs":["get"],"apiGroups":[""],"resources":["pods"]})"),
            std::string::npos)
      << answer->body;
  EXPECT_NE(answer->body.find("selfsubjectaccessreviews"), std::string::npos);
  EXPECT_NE(answer->body.find("/openapi/*"), std::string::npos);
}

TEST(Access, ImpersonationIsAskedForHeaderByHeader) {
  Bench bench;
  const std::string roles = join({kRbac, "/clusterroles"});
  bench.create(roles,
               R"({"metadata":{"name":"actor"},"rules":[{"apiGroups":[""],)"
               R"("resources":["users"],"resourceNames":["joe"],"verbs":["impersonate"]}]})");
  bench.create(join({kRbac, "/clusterrolebindings"}),
               R"({"metadata":{"name":"actor"},"roleRef":{"kind":"ClusterRole","name":"actor"},)"
               R"("subjects":[{"kind":"User","name":"ann"}]})");
  const auto as = [&bench](std::vector<http::Header> headers) {
    return bench.call(
        {.path = "/api", .user = "ann", .groups = kNoGroups, .headers = std::move(headers)});
  };
  EXPECT_EQ(as({{"impersonate-user", "joe"}})->status, 200);
  EXPECT_EQ(as({{"impersonate-user", "eve"}})->status, 403);
  EXPECT_EQ(as({{"impersonate-user", "joe"}, {"impersonate-group", "system:masters"}})->status,
            403);
  EXPECT_EQ(as({{"impersonate-user", "system:serviceaccount:default:joe"}})->message(),
            "serviceaccounts \"joe\" is forbidden: User \"ann\" cannot impersonate resource "
            "\"serviceaccounts\" in API group \"\" in the namespace \"default\"");
}

TEST(Access, WithoutRightsOnlyDiscoveryAndSelfReviews) {
  Bench bench;
  auto refused = bench.call({.path = kPods, .user = "eve", .groups = kNoGroups});
  EXPECT_EQ(refused->status, 403);
  EXPECT_EQ(
      refused->message(),
      "pods is forbidden: User \"eve\" cannot list resource \"pods\" in API group \"\" in the "
      "namespace \"default\"");
  auto node = bench.call({.path = "/api/v1/nodes/n1", .user = "eve", .groups = kNoGroups});
  EXPECT_EQ(
      node->message(),
      "nodes \"n1\" is forbidden: User \"eve\" cannot get resource \"nodes\" in API group \"\" "
      "at the cluster scope");
  auto page = bench.call({.path = "/metrics", .user = "eve", .groups = kNoGroups});
  EXPECT_EQ(page->message(), "forbidden: User \"eve\" cannot get path \"/metrics\"");
  EXPECT_EQ(bench.call({.path = "/api", .user = "eve", .groups = kNoGroups})->status, 200);
  auto who = bench.call({.method = "POST",
                         .path = "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                         .body = "{}",
                         .user = "eve",
                         .groups = kNoGroups});
  EXPECT_EQ(who->status, 201);
  EXPECT_EQ(who->json()["status"]["userInfo"]["username"].string(), "eve");
}

TEST(Access, TokensEndWithTheirTimeTheirAccountAndTheirPod) {
  Bench bench;
  const std::string token = bob_token(bench);
  EXPECT_EQ(with_token(bench, "/api", token)->status, 200);
  EXPECT_EQ(with_token(bench, kPods, token)->status, 403);
  std::string forged = token;
  forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_EQ(with_token(bench, "/api", forged)->status, 401);
  bench.world.run_for(seconds(3599));
  EXPECT_EQ(with_token(bench, "/api", token)->status, 200);
  bench.world.run_for(seconds(2));
  EXPECT_EQ(with_token(bench, "/api", token)->status, 401);

  bench.create(kPods, pod("p", R"(,"serviceAccountName":"bob")"));
  const std::string bound =
      bob_token(bench, R"({"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p"}})");
  EXPECT_EQ(with_token(bench, "/api", bound)->status, 200);
  bench.remove(join({kPods, "/p"}));
  EXPECT_EQ(with_token(bench, "/api", bound)->status, 401);

  const std::string last = bob_token(bench);
  bench.remove("/api/v1/namespaces/default/serviceaccounts/bob");
  EXPECT_EQ(with_token(bench, "/api", last)->status, 401);
}

TEST(Access, TokensForOthersAreNotForThisServer) {
  Bench bench;
  const std::string token = bob_token(bench, R"({"audiences":["vault"]})");
  EXPECT_EQ(with_token(bench, "/api", token)->status, 401);
  auto review =
      bench.create("/apis/authentication.k8s.io/v1/tokenreviews",
                   join({R"({"spec":{"token":")", token, R"(","audiences":["vault"]}})"}));
  EXPECT_TRUE(review->json()["status"]["authenticated"].boolean()) << review->body;
  EXPECT_EQ(review->json()["status"]["user"]["username"].string(),
            "system:serviceaccount:default:bob");
  auto shorter = bench.create("/api/v1/namespaces/default/serviceaccounts/bob/token",
                              R"({"spec":{"expirationSeconds":30}})");
  EXPECT_EQ(shorter->status, 422);
}

TEST(Access, ReviewsAnswerForOthers) {
  Bench bench;
  const auto ask = [&](std::string_view user, std::string_view attributes) {
    auto review = bench.create(
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        join({R"({"spec":{"user":")", user, R"(","resourceAttributes":)", attributes, "}}"}));
    EXPECT_EQ(review->status, 201) << review->body;
    return review->json()["status"]["allowed"].boolean();
  };
  EXPECT_TRUE(ask("system:kube-scheduler", R"({"verb":"create","resource":"pods",
                  "subresource":"binding","namespace":"a"})"));
  EXPECT_FALSE(ask("system:kube-scheduler", R"({"verb":"create","resource":"pods"})"));
  EXPECT_TRUE(ask("system:kube-controller-manager", R"({"verb":"*","resource":"*","group":"x"})"));
  auto empty = bench.create("/apis/authorization.k8s.io/v1/subjectaccessreviews",
                            R"({"spec":{"user":"x"}})");
  EXPECT_EQ(empty->status, 422);
  auto table = bench.call({.method = "POST",
                           .path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                           .body = "{}",
                           .accept = "application/json;as=Table;v=v1;g=meta.k8s.io"});
  EXPECT_EQ(table->status, 406);
}

TEST(Access, ANodeReachesWhatItsPodsNeedAndNoMore) {
  Bench bench;
  const std::vector<std::string> nodes{"system:nodes"};
  const auto as_node = [&](std::string_view method, std::string_view path,
                           std::string_view body = {}) {
    return bench
        .call({.method = method,
               .path = path,
               .body = body,
               .user = "system:node:n1",
               .groups = nodes})
        ->status;
  };
  constexpr std::string_view kSecrets = "/api/v1/namespaces/default/secrets";
  bench.create(kSecrets, R"({"metadata":{"name":"mine"}})");
  bench.create(kSecrets, R"({"metadata":{"name":"other"}})");
  bench.create(kPods, pod("p", R"(,"nodeName":"n1","volumes":[{"name":"s",
                               "secret":{"secretName":"mine"}}])"));
  EXPECT_EQ(as_node("GET", join({kSecrets, "/mine"})), 200);
  EXPECT_EQ(as_node("GET", join({kSecrets, "/other"})), 403);
  EXPECT_EQ(as_node("GET", kSecrets), 403);
  EXPECT_EQ(as_node("GET", join({kSecrets, "?fieldSelector=metadata.name%3Dmine"})), 200);
  EXPECT_EQ(as_node("POST", "/api/v1/nodes", R"({"metadata":{"name":"n1"}})"), 201);
  EXPECT_EQ(as_node("POST", "/api/v1/nodes", R"({"metadata":{"name":"n2"}})"), 403);
  EXPECT_EQ(as_node("GET", "/api/v1/nodes/n2"), 403);
  EXPECT_EQ(as_node("POST", kPods, pod("mine")), 403);
  bench.create(kPods, pod("else", R"(,"nodeName":"n2")"));
  EXPECT_EQ(as_node("DELETE", join({kPods, "/else"})), 403);
  EXPECT_EQ(as_node("DELETE", join({kPods, "/p"}), R"({"gracePeriodSeconds":0})"), 200);
  EXPECT_EQ(as_node("GET", join({kSecrets, "/mine"})), 403);
}

TEST(Access, ANodeReadsTheClaimsOfItsPodsAndReleasesItsOwnVolumesOnly) {
  Bench bench;
  const std::vector<std::string> nodes{"system:nodes"};
  const auto as_node = [&](std::string_view method, std::string_view path, std::string_view body,
                           std::string_view type = "application/merge-patch+json") {
    return bench
        .call({.method = method,
               .path = path,
               .body = body,
               .type = type,
               .user = "system:node:n1",
               .groups = nodes})
        ->status;
  };
  constexpr std::string_view kClaims = "/api/v1/namespaces/default/persistentvolumeclaims";
  constexpr std::string_view kVolumes = "/api/v1/persistentvolumes";
  const auto claim = [](std::string_view name) {
    return join({R"({"metadata":{"name":")", name, R"("},"spec":{"accessModes":["ReadWriteOnce"],)",
                 R"("resources":{"requests":{"storage":"1"}}}})"});
  };
  const auto volume = [](std::string_view name, std::string_view node) {
    return join(
        {R"({"metadata":{"name":")", name, R"(","finalizers":["a/b","coracle.io/local-path"]},)",
         R"("spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1"},)",
         R"("local":{"path":"/x"},"nodeAffinity":{"required":{"nodeSelectorTerms":[)",
         R"({"matchExpressions":[{"key":"kubernetes.io/hostname","operator":"In","values":[")",
         node, R"("]}]}]}}}})"});
  };
  bench.create("/api/v1/nodes",
               R"({"metadata":{"name":"n1","labels":{"kubernetes.io/hostname":"n1"}}})");
  bench.create(kClaims, claim("mine"));
  bench.create(kClaims, claim("other"));
  bench.create(kPods, pod("p", R"(,"nodeName":"n1","volumes":[{"name":"s",
                               "persistentVolumeClaim":{"claimName":"mine"}}])"));
  EXPECT_EQ(as_node("GET", join({kClaims, "/mine"}), {}), 200);
  EXPECT_EQ(as_node("GET", join({kClaims, "/other"}), {}), 403);
  bench.create(kVolumes, volume("here", "n1"));
  bench.create(kVolumes, volume("there", "n2"));
  EXPECT_EQ(as_node("GET", kVolumes, {}), 200);
  constexpr std::string_view kRelease =
      R"({"metadata":{"finalizers":["a/b","kubernetes.io/pv-protection"]}})";
  EXPECT_EQ(as_node("PATCH", join({kVolumes, "/here"}), kRelease), 403) << "nobody deleted it";
  bench.call({.method = "DELETE", .path = join({kVolumes, "/here"})});
  bench.call({.method = "DELETE", .path = join({kVolumes, "/there"})});
  EXPECT_EQ(as_node("PATCH", join({kVolumes, "/there"}), kRelease), 403);
  EXPECT_EQ(as_node("PATCH", join({kVolumes, "/here"}), R"({"metadata":{"finalizers":null}})"),
            403);
  EXPECT_EQ(as_node("PATCH", join({kVolumes, "/here"}),
                    R"({"metadata":{"labels":{"x":"y"},
                          "finalizers":["a/b","kubernetes.io/pv-protection"]}})"),
            403);
  EXPECT_EQ(as_node("PATCH", join({kVolumes, "/here"}), kRelease), 200);
}

TEST(Access, OnlyMastersSpeakForOthers) {
  Bench bench;
  const std::vector<http::Header> as_eve{{"impersonate-user", "eve"}};
  EXPECT_EQ(bench.call({.path = kPods, .headers = as_eve})->status, 403);
  EXPECT_EQ(bench.call({.path = "/api", .headers = as_eve})->status, 200);
  auto refused = bench.call({.path = "/api", .user = "bob", .groups = {}, .headers = as_eve});
  EXPECT_EQ(refused->status, 403);
  EXPECT_NE(refused->message().find("cannot impersonate"), std::string_view::npos);
}

TEST(Pages, DiscoveryHasTagsAndBothForms) {
  Bench bench;
  auto legacy = bench.get("/api/v1");
  EXPECT_EQ(legacy->json()["kind"].string(), "APIResourceList");
  auto aggregated =
      bench.call({.path = "/apis",
                  .accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
                            "application/json"});
  EXPECT_EQ(aggregated->json()["kind"].string(), "APIGroupDiscoveryList");
  EXPECT_NE(aggregated->header("content-type").find("as=APIGroupDiscoveryList"),
            std::string_view::npos);
  const std::string tag(aggregated->header("etag"));
  auto same =
      bench.call({.path = "/apis",
                  .accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
                  .headers = {{"if-none-match", tag}}});
  EXPECT_EQ(same->status, 304);
  EXPECT_TRUE(same->body.empty());
  EXPECT_EQ(bench.get("/openapi/v2")->status, 404);
  EXPECT_EQ(bench.get("/openapi/v3/api/v1")->status, 200);
  EXPECT_EQ(bench.get("/apis/nope.io")->status, 404);
  EXPECT_EQ(bench.get("/version")->json()["minor"].string(), "36");
}

TEST(Pages, MethodsThatDoNotFitAreRefused) {
  Bench bench;
  EXPECT_EQ(bench.call({.method = "POST", .path = "/version"})->status, 405);
  EXPECT_EQ(bench.call({.method = "PUT", .path = kPods, .body = "{}"})->status, 405);
  EXPECT_EQ(bench.call({.method = "POST", .path = "/api/v1/pods", .body = "{}"})->status, 405);
  EXPECT_EQ(bench.call({.method = "BREW", .path = kPods})->status, 405);
  EXPECT_EQ(bench.call({.path = join({kPods, "/x/binding"})})->status, 405);
  EXPECT_EQ(bench.call({.path = join({kPods, "/x/exec"})})->status, 404);
}

TEST(BadInput, HasTheAnswerThatUpstreamGives) {
  Bench bench;
  const auto post = [&](std::string_view body, std::string_view type = "application/json") {
    return bench.call({.method = "POST", .path = kMaps, .body = body, .type = type});
  };
  for (const char* body : {"", "{", "[]", "null", "1", "{\"a\":\"\\u0000\"}", "{}{}", "\xff"}) {
    auto answer = post(body);
    EXPECT_EQ(answer->status, 400) << body;
    EXPECT_EQ(answer->reason(), "BadRequest") << body;
  }
  EXPECT_EQ(post("a: &x 1\nb: *x\n", "application/yaml")->status, 400);
  EXPECT_EQ(post("metadata: {name: page}\n", "application/yaml")->status, 201);
  EXPECT_EQ(post("x", "text/plain")->status, 415);
  EXPECT_EQ(post("k8s", "application/vnd.kubernetes.protobuf")->status, 400);
  EXPECT_EQ(post(R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}})")->status, 400);
  EXPECT_EQ(post(R"({"metadata":{"name":"a","namespace":"other"}})")->status, 400);
  EXPECT_EQ(post(R"({"metadata":{"name":"a","resourceVersion":"5"}})")->status, 400);
  auto name = post(R"({"metadata":{"name":"A_"}})");
  EXPECT_EQ(name->status, 422);
  EXPECT_EQ(name->reason(), "Invalid");
  EXPECT_EQ(name->json()["details"]["causes"].at(0)["field"].string(), "metadata.name");
  EXPECT_EQ(post(R"({"metadata":{"name":7}})")->status, 400);
  EXPECT_EQ(bench.create(join({kMaps, "?dryRun=Some"}), config_map("a"))->status, 422);
  const std::string manager = join({kMaps, "?fieldManager=", std::string(200, 'm')});
  EXPECT_EQ(bench.create(manager, config_map("a"))->status, 422);
  auto url = bench.call({.method = "PUT", .path = join({kMaps, "/b"}), .body = config_map("a")});
  EXPECT_EQ(url->status, 400);
}

TEST(BadInput, AFullHouseIsToldToWait) {
  Bench bench;
  bench.create(kMaps, config_map("big", std::string(200'000, 'x')));
  std::vector<std::unique_ptr<Answer>> stuck;
  for (size_t at = 0; at < limits::kReadsInFlightMax; ++at) {
    stuck.push_back(std::make_unique<Answer>());
    stuck.back()->stuck = true;
    bench.begin({.path = kMaps}, *stuck.back());
    ASSERT_FALSE(stuck.back()->finished);
  }
  auto refused = bench.get(kMaps);
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->header("retry-after"), "1");
  for (auto& answer : stuck)
    bench.server->on_gone(*answer);
  EXPECT_EQ(bench.get(kMaps)->status, 200);
}

TEST(LocalClient, WritesAsItsUserAndHearsLater) {
  Bench bench;
  LocalClient controllers(*bench.server, {"system:kube-controller-manager", {}});
  LocalClient scheduler(*bench.server, {"system:kube-scheduler", {}});
  Waits made;
  api::Call call;
  call.key = {&api::kConfigMap, "default", "a"};
  call.body = config_map("a");
  controllers.submit(call, made, 7);
  EXPECT_EQ(made.count, 0);
  bench.settle();
  ASSERT_EQ(made.count, 1);
  EXPECT_EQ(made.token, 7u);
  ASSERT_TRUE(made.object) << made.error.message;
  EXPECT_EQ(made.object->name(), "a");

  Waits refused;
  scheduler.submit(call, refused, 8);
  EXPECT_EQ(refused.count, 0);
  bench.settle();
  EXPECT_EQ(refused.error.code, Code::kForbidden);

  Waits stale;
  call.verb = api::CallVerb::kMergePatch;
  call.body = R"({"data":{"v":"2"}})";
  call.expected_version = made.object->version() + 1;
  controllers.submit(call, stale, 9);
  bench.settle();
  EXPECT_EQ(stale.error.code, Code::kConflict);

  Waits gone;
  call.verb = api::CallVerb::kDelete;
  call.expected_version = 0;
  call.expected_uid = std::string(made.object->uid());
  controllers.submit(call, gone, 10);
  bench.settle();
  ASSERT_TRUE(gone.object) << gone.error.message;
  EXPECT_EQ(gone.object->name(), "a");
}

TEST(LocalClient, GetsATokenInsideItsAccount) {
  Bench bench;
  LocalClient client(*bench.server, {"system:kube-controller-manager", {}});
  Waits caller;
  api::Call call;
  call.key = {&api::kServiceAccount, "default", "default"};
  call.subresource = api::Subresource::kToken;
  call.body = R"({"spec":{"expirationSeconds":3607}})";
  client.submit(call, caller, 1);
  bench.settle();
  ASSERT_TRUE(caller.object) << caller.error.message;
  json::Tree tree;
  const json::Node answer = caller.object->parse(tree);
  EXPECT_EQ(with_token(bench, "/api", answer["status"]["token"].string())->status, 200);
}

TEST(Events, AreForgottenAnHourAfterTheyWereSeen) {
  Bench bench;
  constexpr std::string_view kEvents = "/api/v1/namespaces/default/events";
  bench.create(kEvents, R"({"metadata":{"name":"e"},"involvedObject":{"namespace":"default"}})");
  bench.world.run_for(minutes(50));
  EXPECT_EQ(bench.get(kEvents)->json()["items"].size(), 1u);
  bench.world.run_for(minutes(21));
  EXPECT_EQ(bench.get(kEvents)->json()["items"].size(), 0u);
}

TEST(LocalClient, ForgetsTheOneWhoLeaves) {
  Bench bench;
  LocalClient client(*bench.server, {"system:kube-controller-manager", {}});
  Waits caller;
  api::Call call;
  call.key = {&api::kConfigMap, "default", "a"};
  call.body = config_map("a");
  client.submit(call, caller, 1);
  client.forget(caller);
  bench.settle();
  EXPECT_EQ(caller.count, 0);
  EXPECT_EQ(bench.get(join({kMaps, "/a"}))->status, 200);
}

TEST(Start, MakesWhatEveryClusterHasOnce) {
  Bench bench;
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
    EXPECT_EQ(bench.get(join({"/api/v1/namespaces/", name}))->status, 200) << name;
  }
  auto service = bench.get("/api/v1/namespaces/default/services/kubernetes");
  EXPECT_EQ(service->json()["spec"]["clusterIP"].string(), "10.43.0.1");
  auto slice = bench.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes");
  EXPECT_EQ(slice->json()["endpoints"].at(0)["addresses"].at(0).string(), "192.0.2.1")
      << slice->body;
  auto endpoints = bench.get("/api/v1/namespaces/default/endpoints/kubernetes");
  EXPECT_EQ(endpoints->json()["subsets"].at(0)["ports"].at(0)["port"].integer(), 6443)
      << endpoints->body;
  bench.server.reset();
  bench.server = std::make_unique<ApiServer>(bench.machine.clock(), bench.machine.random(),
                                             *bench.store, nullptr, bench.options);
  const uint64_t before = bench.store->version();
  bench.server->start();
  bench.settle();
  EXPECT_TRUE(bench.server->ready());
  EXPECT_EQ(bench.store->version(), before);
}

}  // namespace
}  // namespace coracle::apiserver
