// SPDX-License-Identifier: GPL-2.0-or-later
// Create, read, update, patch and delete, and what the server adds to objects on the way.
#include <gtest/gtest.h>

#include "tests/unit/apiserver/bench.h"

namespace coracle::apiserver {
namespace {

std::string path(std::string_view collection, std::string_view name) {
  return join({collection, "/", name});
}

TEST(Objects, CreatedOnesGetAnIdentityAndAreRead) {
  Bench bench;
  auto made = bench.create(kMaps, config_map("a"));
  ASSERT_EQ(made->status, 201) << made->body;
  EXPECT_EQ(made->json()["metadata"]["uid"].string().size(), 36u);
  EXPECT_EQ(made->json()["metadata"]["namespace"].string(), "default");
  EXPECT_FALSE(made->json()["metadata"]["creationTimestamp"].string().empty());
  auto read = bench.get(path(kMaps, "a"));
  EXPECT_EQ(read->status, 200);
  EXPECT_EQ(read->body, made->body);
  auto again = bench.create(kMaps, config_map("a"));
  EXPECT_EQ(again->status, 409);
  EXPECT_EQ(again->reason(), "AlreadyExists");
  EXPECT_EQ(again->message(), "configmaps \"a\" already exists");
}

TEST(Objects, MissingOnesAreNotFoundWithDetails) {
  Bench bench;
  auto read = bench.get("/apis/apps/v1/namespaces/default/deployments/x");
  EXPECT_EQ(read->status, 404);
  EXPECT_EQ(read->message(), "deployments.apps \"x\" not found");
  EXPECT_EQ(read->json()["details"]["group"].string(), "apps");
  EXPECT_EQ(read->json()["details"]["kind"].string(), "deployments");
  EXPECT_EQ(bench.get("/api/v1/namespaces/default/nope")->body, "404 page not found\n");
  EXPECT_EQ(bench.get("/apis/nope.io/v1/things")->status, 404);
}

TEST(Objects, GeneratedNamesEndInFiveLetters) {
  Bench bench;
  auto made = bench.create(kMaps, R"({"metadata":{"generateName":"web-"}})");
  ASSERT_EQ(made->status, 201) << made->body;
  EXPECT_EQ(made->json()["metadata"]["name"].string().size(), 9u);
}

TEST(Objects, AStaleUpdateIsAConflict) {
  Bench bench;
  auto made = bench.create(kMaps, config_map("a"));
  const std::string old(made->json()["metadata"]["resourceVersion"].string());
  EXPECT_EQ(bench.merge(path(kMaps, "a"), R"({"data":{"v":"2"}})")->status, 200);
  const std::string body = join({R"({"metadata":{"name":"a","resourceVersion":")", old, R"("}})"});
  auto stale = bench.call({.method = "PUT", .path = path(kMaps, "a"), .body = body});
  EXPECT_EQ(stale->status, 409);
  EXPECT_EQ(stale->reason(), "Conflict");
  EXPECT_EQ(
      stale->message(),
      "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please "
      "apply your changes to the latest version and try again");
  auto any = bench.call({.method = "PUT", .path = path(kMaps, "a"), .body = config_map("a", "3")});
  EXPECT_EQ(any->status, 200) << any->body;
}

TEST(Objects, PatchesThatRaceAllSucceed) {
  Bench bench;
  bench.create(kMaps, config_map("a"));
  std::vector<std::unique_ptr<Answer>> answers;
  for (const char* body :
       {R"({"data":{"x":"1"}})", R"({"data":{"y":"1"}})", R"({"data":{"z":"1"}})"}) {
    answers.push_back(bench.begin({.method = "PATCH",
                                   .path = path(kMaps, "a"),
                                   .body = body,
                                   .type = "application/merge-patch+json"}));
  }
  bench.settle();
  for (const auto& answer : answers)
    EXPECT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(bench.get(path(kMaps, "a"))->json()["data"].size(), 4u);
}

TEST(Objects, AnUpdateThatChangesNothingIsNotWritten) {
  Bench bench;
  auto made = bench.create(kMaps, config_map("a"));
  auto same = bench.merge(path(kMaps, "a"), R"({"data":{"v":"1"}})");
  EXPECT_EQ(same->json()["metadata"]["resourceVersion"].string(),
            made->json()["metadata"]["resourceVersion"].string());
}

TEST(Objects, UnknownFieldsAreRefusedWarnedAboutOrIgnored) {
  Bench bench;
  constexpr std::string_view kBody = R"({"metadata":{"name":"a"},"dota":{"v":"1"}})";
  auto strict = bench.create(join({kMaps, "?fieldValidation=Strict"}), kBody);
  EXPECT_EQ(strict->status, 400);
  EXPECT_EQ(strict->message(),
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: "
            "unknown field \"dota\"");
  auto warned = bench.create(kMaps, kBody);
  EXPECT_EQ(warned->status, 201);
  EXPECT_EQ(warned->header("warning"), "299 - \"unknown field \\\"dota\\\"\"");
  auto ignored = bench.create(join({kMaps, "?fieldValidation=Ignore"}),
                              R"({"metadata":{"name":"b"},"dota":{}})");
  EXPECT_EQ(ignored->status, 201);
  EXPECT_EQ(ignored->header("warning"), "");
}

TEST(Objects, ADryRunAnswersAndStoresNothing) {
  Bench bench;
  EXPECT_EQ(bench.create(join({kMaps, "?dryRun=All"}), config_map("a"))->status, 201);
  EXPECT_EQ(bench.get(path(kMaps, "a"))->status, 404);
  bench.create(kMaps, config_map("a"));
  EXPECT_EQ(bench.remove(join({path(kMaps, "a"), "?dryRun=All"}))->status, 200);
  EXPECT_EQ(bench.get(path(kMaps, "a"))->status, 200);
}

TEST(Objects, GenerationFollowsTheSpecAndStatusIsApart) {
  Bench bench;
  constexpr std::string_view kSets = "/apis/apps/v1/namespaces/default/replicasets";
  auto made = bench.create(
      kSets,
      R"({"metadata":{"name":"r"},"spec":{"replicas":1,"selector":{"matchLabels":{"a":"b"}},
          "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c",
          "image":"i"}]}}},"status":{"replicas":7}})");
  ASSERT_EQ(made->status, 201) << made->body;
  EXPECT_EQ(made->json()["metadata"]["generation"].integer(), 1);
  EXPECT_NE(made->json()["status"]["replicas"].integer(), 7);
  auto spec = bench.merge(path(kSets, "r"), R"({"spec":{"replicas":2},"status":{"replicas":9}})");
  EXPECT_EQ(spec->json()["metadata"]["generation"].integer(), 2);
  EXPECT_NE(spec->json()["status"]["replicas"].integer(), 9);
  auto status =
      bench.merge(path(kSets, "r/status"), R"({"spec":{"replicas":5},"status":{"replicas":2}})");
  ASSERT_EQ(status->status, 200) << status->body;
  EXPECT_EQ(status->json()["metadata"]["generation"].integer(), 2);
  EXPECT_EQ(status->json()["spec"]["replicas"].integer(), 2);
  EXPECT_EQ(status->json()["status"]["replicas"].integer(), 2);
}

TEST(Objects, ScaleIsAViewOfTheReplicas) {
  Bench bench;
  constexpr std::string_view kSets = "/apis/apps/v1/namespaces/default/replicasets";
  bench.create(kSets, R"({"metadata":{"name":"r"},"spec":{"selector":{"matchLabels":{"a":"b"}},
          "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c",
          "image":"i"}]}}}})");
  auto scale = bench.get(path(kSets, "r/scale"));
  EXPECT_EQ(scale->json()["kind"].string(), "Scale");
  EXPECT_EQ(scale->json()["spec"]["replicas"].integer(), 1);
  EXPECT_EQ(scale->json()["status"]["selector"].string(), "a=b");
  auto set = bench.merge(path(kSets, "r/scale"), R"({"spec":{"replicas":4}})");
  EXPECT_EQ(set->status, 200) << set->body;
  EXPECT_EQ(bench.get(path(kSets, "r"))->json()["spec"]["replicas"].integer(), 4);
  EXPECT_EQ(bench.merge(path(kSets, "r/scale"), R"({"spec":{"replicas":-1}})")->status, 422);
}

TEST(Objects, FourPatchTypesAndNoOther) {
  Bench bench;
  bench.create(kMaps, config_map("a"));
  auto json = bench.call({.method = "PATCH",
                          .path = path(kMaps, "a"),
                          .body = R"([{"op":"replace","path":"/data/v","value":"2"}])",
                          .type = "application/json-patch+json"});
  EXPECT_EQ(json->json()["data"]["v"].string(), "2");
  auto strategic = bench.call({.method = "PATCH",
                               .path = path(kMaps, "a"),
                               .body = R"({"data":{"v":null,"w":"3"}})",
                               .type = "application/strategic-merge-patch+json"});
  EXPECT_EQ(strategic->json()["data"]["w"].string(), "3");
  EXPECT_FALSE(strategic->json()["data"]["v"]);
  auto apply = bench.call({.method = "PATCH",
                           .path = path(kMaps, "a"),
                           .body = "{}",
                           .type = "application/apply-patch+cbor"});
  EXPECT_EQ(apply->status, 415);
  EXPECT_EQ(apply->reason(), "UnsupportedMediaType");
  auto failed = bench.call({.method = "PATCH",
                            .path = path(kMaps, "a"),
                            .body = R"([{"op":"test","path":"/data/w","value":"no"}])",
                            .type = "application/json-patch+json"});
  EXPECT_EQ(failed->status, 422) << failed->body;
}

TEST(Objects, PodsGetTheirAccountTokenTolerationsAndPriority) {
  Bench bench;
  auto made = bench.create(kPods, pod("p"));
  ASSERT_EQ(made->status, 201) << made->body;
  const json::Node spec = made->json()["spec"];
  EXPECT_EQ(spec["serviceAccountName"].string(), "default");
  EXPECT_EQ(spec["volumes"].at(0)["name"].string().substr(0, 16), "kube-api-access-");
  EXPECT_EQ(spec["containers"].at(0)["volumeMounts"].at(0)["mountPath"].string(),
            "/var/run/secrets/kubernetes.io/serviceaccount");
  EXPECT_EQ(spec["tolerations"].size(), 2u);
  EXPECT_EQ(spec["priority"].integer(-1), 0);
  EXPECT_EQ(made->json()["status"]["phase"].string(), "Pending");
  auto lost = bench.create(kPods, pod("q", R"(,"serviceAccountName":"nobody")"));
  EXPECT_EQ(lost->status, 403);
  EXPECT_EQ(lost->message(),
            "pods \"q\" is forbidden: error looking up service account default/nobody: "
            "serviceaccount \"nobody\" not found");
}

TEST(Objects, AnUnscheduledPodVanishesAtOnceAndABoundOneIsGivenTime) {
  Bench bench;
  bench.create(kPods, pod("p"));
  auto gone = bench.remove(path(kPods, "p"));
  EXPECT_EQ(gone->status, 200);
  EXPECT_EQ(gone->json()["kind"].string(), "Pod");
  EXPECT_EQ(bench.get(path(kPods, "p"))->status, 404);

  bench.create(kPods, pod("q"));
  auto bound = bench.create(path(kPods, "q/binding"), R"({"target":{"name":"n1"}})");
  EXPECT_EQ(bound->status, 201) << bound->body;
  auto twice = bench.create(path(kPods, "q/binding"), R"({"target":{"name":"n2"}})");
  EXPECT_EQ(twice->status, 409);
  EXPECT_EQ(
      twice->message(),
      "Operation cannot be fulfilled on pods/binding \"q\": pod q is already assigned to node "
      "\"n1\"");
  auto going = bench.remove(path(kPods, "q"));
  EXPECT_EQ(going->json()["metadata"]["deletionGracePeriodSeconds"].integer(), 30);
  auto shorter = bench.remove(path(kPods, "q"), R"({"gracePeriodSeconds":5})");
  EXPECT_EQ(shorter->json()["metadata"]["deletionGracePeriodSeconds"].integer(), 5);
  auto longer = bench.remove(path(kPods, "q"), R"({"gracePeriodSeconds":60})");
  EXPECT_EQ(longer->json()["metadata"]["deletionGracePeriodSeconds"].integer(), 5);
  EXPECT_EQ(bench.remove(path(kPods, "q"), R"({"gracePeriodSeconds":0})")->status, 200);
  EXPECT_EQ(bench.get(path(kPods, "q"))->status, 404);
}

TEST(Objects, AnEvictionIsADeleteByAnotherName) {
  Bench bench;
  bench.create(kPods, pod("p", R"(,"nodeName":"n1")"));
  constexpr std::string_view kBody =
      R"({"kind":"Eviction","apiVersion":"policy/v1","metadata":{"name":"p"},
          "deleteOptions":{"gracePeriodSeconds":7}})";
  auto evicted = bench.create(path(kPods, "p/eviction"), kBody);
  EXPECT_EQ(evicted->status, 201) << evicted->body;
  EXPECT_EQ(evicted->json()["status"].string(), "Success");
  EXPECT_EQ(bench.get(path(kPods, "p"))->json()["metadata"]["deletionGracePeriodSeconds"].integer(),
            7);
  EXPECT_EQ(bench.create(path(kPods, "q/eviction"), "{}")->status, 404);
}

TEST(Objects, AWriteWhoseClientLeftIsStillDone) {
  Bench bench;
  constexpr std::string_view kServices = "/api/v1/namespaces/default/services";
  auto left = bench.begin({.method = "POST",
                           .path = kServices,
                           .body = R"({"metadata":{"name":"s"},"spec":{"ports":[{"port":1}]}})"});
  bench.server->on_gone(*left);
  bench.settle();
  EXPECT_EQ(left->status, 0);
  EXPECT_EQ(bench.get(path(kServices, "s"))->status, 200);
  EXPECT_EQ(bench.server->figures().writes, 0u);
}

TEST(Objects, FinalizersHoldADeletionBack) {
  Bench bench;
  bench.create(kMaps, R"({"metadata":{"name":"a","finalizers":["x.io/y"]}})");
  auto marked = bench.remove(path(kMaps, "a"));
  EXPECT_EQ(marked->status, 200);
  EXPECT_FALSE(marked->json()["metadata"]["deletionTimestamp"].string().empty());
  EXPECT_EQ(bench.merge(path(kMaps, "a"), R"({"metadata":{"finalizers":null}})")->status, 200);
  EXPECT_EQ(bench.get(path(kMaps, "a"))->status, 404);
}

TEST(Objects, PropagationBecomesAFinalizer) {
  Bench bench;
  bench.create(kMaps, config_map("a"));
  bench.create(kMaps, config_map("b"));
  auto orphaned = bench.remove(path(kMaps, "a"), R"({"propagationPolicy":"Orphan"})");
  EXPECT_EQ(orphaned->json()["metadata"]["finalizers"].at(0).string(), "orphan");
  auto waits = bench.remove(path(kMaps, "b"), R"({"propagationPolicy":"Foreground"})");
  EXPECT_EQ(waits->json()["metadata"]["finalizers"].at(0).string(), "foregroundDeletion");
  bench.create(kMaps, config_map("c"));
  auto done = bench.remove(path(kMaps, "c"), R"({"propagationPolicy":"Background"})");
  EXPECT_EQ(done->json()["status"].string(), "Success");
  EXPECT_EQ(done->json()["details"]["name"].string(), "c");
  EXPECT_EQ(bench.remove(path(kMaps, "a"), R"({"propagationPolicy":"Sideways"})")->status, 422);
}

TEST(Objects, DeletePreconditionsMustHold) {
  Bench bench;
  bench.create(kMaps, config_map("a"));
  auto refused = bench.remove(path(kMaps, "a"), R"({"preconditions":{"uid":"other"}})");
  EXPECT_EQ(refused->status, 409);
  EXPECT_EQ(refused->reason(), "Conflict");
}

TEST(Objects, ANamespaceTakesNothingNewWhileItEnds) {
  Bench bench;
  bench.create("/api/v1/namespaces", R"({"metadata":{"name":"n"}})");
  auto ending = bench.remove("/api/v1/namespaces/n");
  EXPECT_EQ(ending->json()["status"]["phase"].string(), "Terminating");
  auto refused = bench.create("/api/v1/namespaces/n/configmaps", config_map("a"));
  EXPECT_EQ(refused->status, 403);
  EXPECT_EQ(refused->json()["details"]["causes"].at(0)["reason"].string(), "NamespaceTerminating");
  auto missing = bench.create("/api/v1/namespaces/m/configmaps", config_map("a"));
  EXPECT_EQ(missing->status, 404);
  EXPECT_EQ(missing->json()["details"]["kind"].string(), "namespaces");
  auto done = bench.call({.method = "PUT",
                          .path = "/api/v1/namespaces/n/finalize",
                          .body = R"({"metadata":{"name":"n"},"spec":{"finalizers":[]}})"});
  EXPECT_EQ(done->status, 200) << done->body;
  EXPECT_EQ(bench.get("/api/v1/namespaces/n")->status, 404);
  EXPECT_EQ(bench.remove("/api/v1/namespaces/default")->status, 403);
}

TEST(Objects, DeleteCollectionRemovesWhatMatches) {
  Bench bench;
  for (int at = 0; at < 40; ++at) {
    bench.create(kMaps, config_map("a" + std::to_string(at), "1", R"({"k":"v"})"));
  }
  bench.create(kMaps, config_map("keep"));
  EXPECT_EQ(bench.remove(join({kMaps, "?labelSelector=k%3Dv"}))->status, 200);
  EXPECT_EQ(bench.get(kMaps)->json()["items"].size(), 1u);
}

TEST(Objects, ServicesShareNoAddress) {
  Bench bench;
  constexpr std::string_view kServices = "/api/v1/namespaces/default/services";
  const auto service = [](std::string_view name, std::string_view more) {
    return join(
        {R"({"metadata":{"name":")", name, R"("},"spec":{"ports":[{"port":80}])", more, "}}"});
  };
  auto first = bench.create(kServices, service("a", ""));
  ASSERT_EQ(first->status, 201) << first->body;
  const std::string address(first->json()["spec"]["clusterIP"].string());
  EXPECT_EQ(address.substr(0, 6), "10.43.");
  EXPECT_EQ(first->json()["spec"]["clusterIPs"].at(0).string(), address);
  const std::string wanted = join({R"(,"clusterIP":")", address, "\""});
  auto taken = bench.create(kServices, service("b", wanted));
  EXPECT_EQ(taken->status, 422);
  EXPECT_NE(taken->message().find("provided IP is already allocated"), std::string_view::npos);
  EXPECT_EQ(bench.create(kServices, service("c", R"(,"clusterIP":"8.8.8.8")"))->status, 422);
  auto headless = bench.create(kServices, service("d", R"(,"clusterIP":"None")"));
  EXPECT_EQ(headless->status, 201) << headless->body;
  EXPECT_EQ(headless->json()["spec"]["clusterIPs"].at(0).string(), "None");
  EXPECT_EQ(bench.remove(path(kServices, "a"))->status, 200);
  bench.settle();
  EXPECT_EQ(bench.create(kServices, service("b", wanted))->status, 201);
}

}  // namespace
}  // namespace coracle::apiserver
