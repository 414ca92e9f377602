// SPDX-License-Identifier: GPL-2.0-or-later
// CustomResourceDefinitions: from the definition to objects, columns, versions, and their end.
#include <gtest/gtest.h>

#include "tests/unit/apiserver/bench.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
constexpr std::string_view kBoats = "/apis/sea.example.com/v1/namespaces/default/boats";

std::string definition(std::string_view more = {}) {
  return join(
      {R"({"metadata":{"name":"boats.sea.example.com"},"spec":{"group":"sea.example.com",)"
       R"("scope":"Namespaced","names":{"plural":"boats","kind":"Boat","shortNames":["bt"]},)"
       R"("versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{)"
       R"("type":"object","properties":{"spec":{"type":"object","required":["seats"],)"
       R"("properties":{"seats":{"type":"integer","minimum":1},"color":{"type":"string",)"
       R"("default":"red","enum":["red","blue"]},"port":{"x-kubernetes-int-or-string":true},)"
       R"("free":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},)"
       R"("status":{"type":"object","properties":{"crew":{"type":"integer"},)"
       R"("conditions":{"type":"array","items":{"type":"object","properties":{)"
       R"("type":{"type":"string"},"status":{"type":"string"}}}}}}}}},)"
       R"("subresources":{"status":{},"scale":{"specReplicasPath":".spec.seats",)"
       R"("statusReplicasPath":".status.crew"}},"additionalPrinterColumns":[)"
       R"({"name":"Seats","type":"integer","jsonPath":".spec.seats"},)"
       R"({"name":"Ready","type":"string",)"
       R"("jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}]})",
       more, "]}}"});
}

std::string boat(std::string_view name, std::string_view spec) {
  return join({R"({"kind":"Boat","apiVersion":"sea.example.com/v1","metadata":{"name":")", name,
               R"("},"spec":)", spec, "}"});
}

TEST(Custom, ServesWhatADefinitionDeclares) {
  Bench bench;
  EXPECT_EQ(bench.get(kBoats)->status, 404);
  auto made = bench.create(kDefinitions, definition());
  ASSERT_EQ(made->status, 201) << made->body;
  EXPECT_EQ(made->json()["status"]["conditions"].at(1)["type"].string(), "Established");
  EXPECT_EQ(made->json()["status"]["conditions"].at(1)["status"].string(), "True");
  EXPECT_EQ(made->json()["status"]["storedVersions"].first().string(), "v1");
  auto list = bench.get("/apis/sea.example.com/v1");
  EXPECT_EQ(list->status, 200);
  EXPECT_NE(list->body.find(R"("boats/scale")"), std::string::npos) << list->body;
  auto groups = bench.get("/apis");
  EXPECT_NE(groups->body.find("sea.example.com"), std::string::npos);

  auto one = bench.create(kBoats, boat("a", R"({"seats":2,"port":"http","free":{"x":{"y":1}}})"));
  ASSERT_EQ(one->status, 201) << one->body;
  EXPECT_EQ(json::write(one->json()["spec"]),
            R"({"seats":2,"port":"http","free":{"x":{"y":1}},"color":"red"})");
  EXPECT_EQ(one->json()["metadata"]["generation"].integer(), 1);
  EXPECT_EQ(one->json()["apiVersion"].string(), "sea.example.com/v1");
  auto listed = bench.get(kBoats);
  EXPECT_EQ(listed->json()["kind"].string(), "BoatList");
  EXPECT_EQ(listed->json()["items"].size(), 1u);
  auto openapi = bench.get("/openapi/v3/apis/sea.example.com/v1");
  EXPECT_NE(openapi->body.find(R"("com.example.sea.v1.Boat":{)"), std::string::npos);
}

TEST(Custom, RefusesWhatTheSchemaForbids) {
  Bench bench;
  bench.create(kDefinitions, definition());
  auto bad = bench.create(kBoats, boat("a", R"({"seats":0,"color":"green","port":true})"));
  EXPECT_EQ(bad->status, 422);
  const std::string_view message = bad->message();
  EXPECT_NE(message.find("spec.seats: Invalid value: 0: spec.seats in body should be greater than "
                         "or equal to 1"),
            std::string_view::npos)
      << message;
  EXPECT_NE(
      message.find(R"(spec.color: Unsupported value: "green": supported values: "red", "blue")"),
      std::string_view::npos)
      << message;
  EXPECT_EQ(bench.create(kBoats, boat("a", "{}"))->message(),
            "Boat.sea.example.com \"a\" is invalid: spec.seats: Required value");
  auto type = bench.create(kBoats, boat("a", R"({"seats":"two"})"));
  EXPECT_EQ(type->message(),
            "Boat.sea.example.com \"a\" is invalid: spec.seats: Invalid value: \"string\": "
            "spec.seats in body must be of type integer: \"string\"");
  auto strict = bench.create(join({kBoats, "?fieldValidation=Strict"}),
                             boat("a", R"({"seats":1,"sails":3})"));
  EXPECT_EQ(strict->status, 400);
  EXPECT_NE(strict->message().find("unknown field \"spec.sails\""), std::string_view::npos);
  auto pruned = bench.create(kBoats, boat("a", R"({"seats":1,"sails":3})"));
  EXPECT_EQ(pruned->status, 201);
  EXPECT_FALSE(pruned->json()["spec"]["sails"]);
  auto strategic = bench.call({.method = "PATCH",
                               .path = join({kBoats, "/a"}),
                               .body = "{}",
                               .type = "application/strategic-merge-patch+json"});
  EXPECT_EQ(strategic->status, 415);
}

TEST(Custom, HasStatusScaleColumnsWatchesAndApply) {
  Bench bench;
  bench.create(kDefinitions, definition());
  auto watch = bench.begin({.path = join({kBoats, "?watch=true"})});
  bench.create(kBoats, boat("a", R"({"seats":2})"));
  bench.settle();
  EXPECT_NE(watch->body.find(R"("type":"ADDED")"), std::string::npos) << watch->body;
  auto status = bench.merge(join({kBoats, "/a/status"}),
                            R"({"spec":{"seats":9},"status":{"crew":1,"conditions":[)"
                            R"({"type":"Ready","status":"True"}]}})");
  EXPECT_EQ(status->status, 200) << status->body;
  EXPECT_EQ(status->json()["spec"]["seats"].integer(), 2);
  EXPECT_EQ(status->json()["metadata"]["generation"].integer(), 1);
  auto scale = bench.merge(join({kBoats, "/a/scale"}), R"({"spec":{"replicas":5}})");
  EXPECT_EQ(scale->status, 200) << scale->body;
  EXPECT_EQ(scale->json()["status"]["replicas"].integer(), 1);
  auto table = bench.call(
      {.path = join({kBoats, "/a"}), .accept = "application/json;as=Table;v=v1;g=meta.k8s.io"});
  EXPECT_EQ(json::write(table->json()["rows"].first()["cells"]), R"(["a",5,"True"])");
  auto applied = bench.call({.method = "PATCH",
                             .path = join({kBoats, "/b?fieldManager=ann"}),
                             .body = boat("b", R"({"seats":1,"free":{"k":"v"}})"),
                             .type = "application/apply-patch+yaml"});
  EXPECT_EQ(applied->status, 201) << applied->body;
  EXPECT_EQ(json::write(applied->json()["metadata"]["managedFields"].first()["fieldsV1"]),
            R"({"f:spec":{"f:free":{".":{},"f:k":{}},"f:seats":{}}})");
}

TEST(Custom, ShowsEveryServedVersion) {
  Bench bench;
  auto made = bench.create(
      kDefinitions,
      definition(R"(,{"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{)"
                 R"("type":"object","x-kubernetes-preserve-unknown-fields":true}}})"));
  ASSERT_EQ(made->status, 201) << made->body;
  bench.create(kBoats, boat("a", R"({"seats":2})"));
  auto second = bench.get("/apis/sea.example.com/v2/namespaces/default/boats/a");
  EXPECT_EQ(second->status, 200) << second->body;
  EXPECT_EQ(second->json()["apiVersion"].string(), "sea.example.com/v2");
  auto list = bench.get("/apis/sea.example.com/v2/boats");
  EXPECT_EQ(list->json()["items"].first()["apiVersion"].string(), "sea.example.com/v2");
}

TEST(Custom, RefusesBadDefinitions) {
  Bench bench;
  auto bad = bench.create(
      kDefinitions,
      R"({"metadata":{"name":"x.example.com"},"spec":{"group":"example.com","scope":"Namespaced",)"
      R"("names":{"plural":"boats","kind":"Boat"},"versions":[{"name":"v1","served":true,)"
      R"("storage":false,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{}}}}}]}})");
  EXPECT_EQ(bad->status, 422);
  for (std::string_view part :
       {"metadata.name: Invalid value", "must have exactly one version marked as storage version",
        "openAPIV3Schema.properties[spec].type: Required value"}) {
    EXPECT_NE(bad->message().find(part), std::string_view::npos) << bad->message();
  }
}

TEST(Custom, NamesBelongToWhoCameFirst) {
  Bench bench;
  bench.create(kDefinitions, definition());
  std::string other = definition();
  const auto replace = [&other](std::string_view from, std::string_view to) {
    other.replace(other.find(from), from.size(), to);
  };
  replace("boats.sea", "ships.sea");
  replace(R"("plural":"boats")", R"("plural":"ships")");
  auto made = bench.create(kDefinitions, other);
  EXPECT_EQ(made->status, 201) << made->body;
  EXPECT_EQ(made->json()["status"]["conditions"].first()["status"].string(), "False");
  EXPECT_EQ(bench.get("/apis/sea.example.com/v1/ships")->status, 404);
}

TEST(Custom, EndsWithItsDefinition) {
  Bench bench;
  bench.create(kDefinitions, definition());
  bench.create(kBoats, boat("a", R"({"seats":2})"));
  auto gone = bench.remove(join({kDefinitions, "/boats.sea.example.com"}));
  EXPECT_EQ(gone->status, 200);
  // Its finalizer waits for the objects; nothing new is taken in.
  EXPECT_EQ(bench.create(kBoats, boat("b", R"({"seats":2})"))->status, 405);
  EXPECT_EQ(bench.remove(join({kBoats, "/a"}))->status, 200);
  auto freed = bench.merge(join({kDefinitions, "/boats.sea.example.com"}),
                           R"({"metadata":{"finalizers":null}})");
  EXPECT_EQ(freed->status, 200) << freed->body;
  EXPECT_EQ(bench.get(kBoats)->status, 404);
  EXPECT_EQ(bench.get("/apis/sea.example.com/v1")->status, 404);
}

}  // namespace
}  // namespace coracle::apiserver
