// SPDX-License-Identifier: GPL-2.0-or-later
// Server-side apply: ownership, conflicts, force, what is dropped, and that applying twice is
// applying once.
#include <gtest/gtest.h>

#include "tests/unit/apiserver/bench.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kDeployments = "/apis/apps/v1/namespaces/default/deployments";

std::unique_ptr<Answer> apply(Bench& bench,
                              std::string_view path,
                              std::string_view manager,
                              std::string_view body,
                              std::string_view more = {}) {
  return bench.call({.method = "PATCH",
                     .path = join({path, "?fieldManager=", manager, more}),
                     .body = body,
                     .type = "application/apply-patch+yaml"});
}

std::string map_of(std::string_view data) {
  return join(
      {R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"data":)", data, "}"});
}

std::string path(std::string_view collection, std::string_view name) {
  return join({collection, "/", name});
}

const json::Node entry_of(const Answer& answer, std::string_view manager) {
  for (const json::Node entry : answer.tree.root()["metadata"]["managedFields"]) {
    if (entry["manager"].string() == manager) return entry;
  }
  return {};
}

TEST(Apply, CreatesAndOwnsWhatItSets) {
  Bench bench;
  auto made = apply(bench, path(kMaps, "a"), "ann", map_of(R"({"x":"1"})"));
  EXPECT_EQ(made->status, 201) << made->body;
  made->json();
  EXPECT_EQ(json::write(entry_of(*made, "ann")["fieldsV1"]), R"({"f:data":{"f:x":{}}})");
  EXPECT_EQ(entry_of(*made, "ann")["operation"].string(), "Apply");
  auto again = apply(bench, path(kMaps, "a"), "ann", map_of(R"({"x":"1"})"));
  EXPECT_EQ(again->status, 200);
  EXPECT_EQ(again->json()["metadata"]["resourceVersion"].string(),
            made->json()["metadata"]["resourceVersion"].string());
}

TEST(Apply, RefusesWithoutAManagerAndForceWithoutApply) {
  Bench bench;
  auto nobody = apply(bench, path(kMaps, "a"), "", map_of("{}"));
  EXPECT_EQ(nobody->status, 422);
  EXPECT_EQ(nobody->message(),
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required "
            "for apply patch");
  bench.create(kMaps, config_map("a"));
  EXPECT_EQ(bench.merge(join({path(kMaps, "a"), "?force=true"}), "{}")->status, 422);
  EXPECT_EQ(apply(bench, path(kMaps, "a"), "ann", R"({"kind":"Secret","apiVersion":"v1"})")->status,
            400);
  EXPECT_EQ(apply(bench, path(kMaps, "b"), "ann", map_of("{}"))->status, 400);
}

TEST(Apply, ConflictsUntilForced) {
  Bench bench;
  apply(bench, path(kMaps, "a"), "ann", map_of(R"({"x":"1","y":"1"})"));
  auto same = apply(bench, path(kMaps, "a"), "bob", map_of(R"({"x":"1"})"));
  EXPECT_EQ(same->status, 200) << same->body;
  auto clash = apply(bench, path(kMaps, "a"), "bob", map_of(R"({"x":"2"})"));
  EXPECT_EQ(clash->status, 409);
  EXPECT_EQ(clash->reason(), "Conflict");
  EXPECT_EQ(clash->message(), "Apply failed with 1 conflict: conflict with \"ann\": .data.x");
  EXPECT_EQ(clash->json()["details"]["causes"].first()["reason"].string(), "FieldManagerConflict");
  EXPECT_EQ(clash->json()["details"]["causes"].first()["field"].string(), ".data.x");
  auto forced = apply(bench, path(kMaps, "a"), "bob", map_of(R"({"x":"2"})"), "&force=true");
  EXPECT_EQ(forced->status, 200);
  EXPECT_EQ(forced->json()["data"]["x"].string(), "2");
  EXPECT_EQ(json::write(entry_of(*forced, "ann")["fieldsV1"]), R"({"f:data":{"f:y":{}}})");
}

TEST(Apply, RemovesWhatItDropsUnlessAnotherKeepsIt) {
  Bench bench;
  apply(bench, path(kMaps, "a"), "ann", map_of(R"({"x":"1","y":"1","z":"1"})"));
  apply(bench, path(kMaps, "a"), "bob", map_of(R"({"y":"1"})"));
  auto less = apply(bench, path(kMaps, "a"), "ann", map_of(R"({"x":"1"})"));
  EXPECT_EQ(json::write(less->json()["data"]), R"({"x":"1","y":"1"})");
  auto none = apply(bench, path(kMaps, "a"), "ann",
                    R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"}})");
  EXPECT_EQ(json::write(none->json()["data"]), R"({"y":"1"})");
}

TEST(Apply, TracksWhoUpdatesWhatWasApplied) {
  Bench bench;
  apply(bench, path(kMaps, "a"), "ann", map_of(R"({"x":"1"})"));
  auto updated =
      bench.merge(join({path(kMaps, "a"), "?fieldManager=joe"}), R"({"data":{"x":"2","w":"1"}})");
  updated->json();
  EXPECT_EQ(json::write(entry_of(*updated, "joe")["fieldsV1"]),
            R"({"f:data":{"f:w":{},"f:x":{}}})");
  auto clash = apply(bench, path(kMaps, "a"), "ann", map_of(R"({"x":"1"})"));
  EXPECT_EQ(clash->status, 409);
  EXPECT_NE(clash->message().find("conflict with \"joe\" using v1 at "), std::string_view::npos);
}

TEST(Apply, TakesOverWhatWasThereBefore) {
  Bench bench;
  bench.create(kMaps, config_map("a"));
  auto clash = apply(bench, path(kMaps, "a"), "ann", map_of(R"({"v":"2"})"));
  EXPECT_EQ(clash->status, 409);
  EXPECT_NE(clash->message().find("\"before-first-apply\" using v1"), std::string_view::npos);
  bench.create(kMaps, R"({"metadata":{"name":"k","annotations":{)"
                      R"("kubectl.kubernetes.io/last-applied-configuration":)"
                      R"("{\"data\":{\"v\":\"1\"}}"}},"data":{"v":"1","w":"1"}})");
  const auto kubectl = [&](std::string_view data) {
    return apply(bench, path(kMaps, "k"), "kubectl",
                 join({R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"k"},"data":)",
                       data, "}"}));
  };
  EXPECT_EQ(kubectl(R"({"w":"2"})")->status, 409);
  EXPECT_EQ(kubectl(R"({"v":"2"})")->status, 200);
}

constexpr std::string_view kWeb =
    R"({"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web"},"spec":{)"
    R"("selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},)"
    R"("spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80}],)"
    R"("env":[{"name":"X","value":"1"}]}]}}}})";

TEST(Apply, MergesListsByTheirKeys) {
  Bench bench;
  auto made = apply(bench, path(kDeployments, "web"), "ann", kWeb);
  EXPECT_EQ(made->status, 201) << made->body;
  made->json();
  const json::Node fields = entry_of(*made, "ann")["fieldsV1"]["f:spec"]["f:template"]["f:spec"];
  EXPECT_EQ(json::write(fields["f:containers"]),
            R"({"k:{\"name\":\"c\"}":{".":{},"f:env":{"k:{\"name\":\"X\"}":{".":{},"f:name":{},)"
            R"("f:value":{}}},"f:image":{},"f:name":{},"f:ports":{)"
            R"("k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}})");
  auto scaled = bench.merge(join({path(kDeployments, "web"), "/scale?fieldManager=hpa"}),
                            R"({"spec":{"replicas":3}})");
  EXPECT_EQ(scaled->status, 200) << scaled->body;
  auto side =
      apply(bench, path(kDeployments, "web"), "mesh",
            R"({"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web"},)"
            R"("spec":{"template":{"spec":{"containers":[{"name":"proxy","image":"p"}]}}}})");
  EXPECT_EQ(side->status, 200) << side->body;
  EXPECT_EQ(side->json()["spec"]["template"]["spec"]["containers"].size(), 2u);
  auto again = apply(bench, path(kDeployments, "web"), "ann", kWeb);
  EXPECT_EQ(again->status, 200);
  EXPECT_EQ(again->json()["spec"]["replicas"].integer(), 3);
  EXPECT_EQ(again->json()["metadata"]["resourceVersion"].string(),
            side->json()["metadata"]["resourceVersion"].string());
  auto without = apply(bench, path(kDeployments, "web"), "mesh",
                       R"({"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web"}})");
  EXPECT_EQ(without->json()["spec"]["template"]["spec"]["containers"].size(), 1u) << without->body;
  auto port = apply(bench, path(kDeployments, "web"), "mesh",
                    R"({"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web"},)"
                    R"("spec":{"template":{"spec":{"containers":[{"image":"p"}]}}}})");
  EXPECT_EQ(port->status, 422) << port->body;
}

TEST(Apply, RefusesTwoItemsOfOneKey) {
  Bench bench;
  constexpr std::string_view kTwice = R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},
      "spec":{"containers":[{"name":"c","image":"i","env":[{"name":"A"},{"name":"A"}]}]}})";
  auto made = apply(bench, path(kPods, "a"), "ann", kTwice);
  EXPECT_EQ(made->status, 422) << made->body;
  EXPECT_NE(made->message().find("duplicate entries for key [name=\"A\"]"), std::string_view::npos);
}

TEST(Apply, KeepsStatusApart) {
  Bench bench;
  apply(bench, path(kDeployments, "web"), "ann", kWeb);
  auto status = apply(bench, join({path(kDeployments, "web"), "/status"}), "loop",
                      R"({"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web"},)"
                      R"("spec":{"replicas":9},"status":{"observedGeneration":1}})");
  EXPECT_EQ(status->status, 200) << status->body;
  EXPECT_EQ(status->json()["spec"]["replicas"].integer(), 1);
  EXPECT_EQ(entry_of(*status, "loop")["subresource"].string(), "status");
  EXPECT_EQ(json::write(entry_of(*status, "loop")["fieldsV1"]),
            R"({"f:status":{"f:observedGeneration":{}}})");
}

// Applying what the server answered changes nothing.
TEST(Apply, OfItsOwnOutputChangesNothing) {
  Bench bench;
  apply(bench, path(kDeployments, "web"), "ann", kWeb);
  json::Tree tree;
  auto now = bench.get(path(kDeployments, "web"));
  ASSERT_TRUE(tree.parse(now->body));
  for (std::string_view name : {"managedFields", "resourceVersion", "uid", "creationTimestamp"})
    tree.root()["metadata"].remove(name);
  const std::string whole = json::write(tree.root());
  auto first = apply(bench, path(kDeployments, "web"), "ann", whole);
  EXPECT_EQ(first->status, 200) << first->body;
  auto second = apply(bench, path(kDeployments, "web"), "ann", whole);
  EXPECT_EQ(second->body, first->body);
  EXPECT_TRUE(json::equal(first->json()["spec"], now->json()["spec"]));
}

TEST(Apply, NeedsTheRightToCreate) {
  Bench bench;
  bench.create("/apis/rbac.authorization.k8s.io/v1/clusterroles",
               R"({"metadata":{"name":"p"},"rules":[{"apiGroups":[""],"resources":["configmaps"],)"
               R"("verbs":["patch"]}]})");
  bench.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
               R"({"metadata":{"name":"p"},"roleRef":{"kind":"ClusterRole","name":"p"},)"
               R"("subjects":[{"kind":"User","name":"ann"}]})");
  auto refused = bench.call({.method = "PATCH",
                             .path = join({path(kMaps, "a"), "?fieldManager=ann"}),
                             .body = map_of("{}"),
                             .type = "application/apply-patch+yaml",
                             .user = "ann",
                             .groups = {}});
  EXPECT_EQ(refused->status, 403) << refused->body;
}

}  // namespace
}  // namespace coracle::apiserver
