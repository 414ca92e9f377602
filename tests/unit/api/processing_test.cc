// SPDX-License-Identifier: GPL-2.0-or-later
// check_fields, apply_defaults and validate_* on a small kind made for it.
#include "api/processing.h"

#include <gtest/gtest.h>

#include "api/meta.h"
#include "base/bytes.h"
#include "base/limits.h"

namespace coracle::api {
namespace {

void even(json::Node value, std::string_view path, Errors& errors) {
  if (value.integer() % 2 != 0) errors.invalid(path, value, "must be even");
}

constexpr Field kPartFields[] = {
    text("name", 1).required(),
    text("color", 2).otherwise("\"RED\"").one_of("RED|BLUE"),
    int32("size", 3).otherwise("10").or_zero().must(even),
    map_of("limits", 4, Type::kQuantity),
};
constexpr Message kPart{"io.test.v1.Part", kPartFields};
constexpr Field kSpecFields[] = {
    int32("replicas", 1).otherwise("1"),
    int64("big", 2),
    boolean("fast", 3).otherwise("true"),
    list("parts", 4, kPart).keyed_by("name").distinct(),
    bytes("blob", 5),
    time("at", 6),
    micro_time("exactly", 7),
    int_or_string("port", 8),
    quantity("weight", 9),
    list_of("words", 10, Type::kString),
    object("first", 11, kPart).otherwise("{\"name\":\"made\"}"),
    raw("free", 12),
    map_of("extra", 13, Type::kStrings),
    list("pairs", 14, kPart).map_keys("name,color").distinct(),
};
constexpr Message kSpec{"io.test.v1.ThingSpec", kSpecFields};
constexpr Field kStatusFields[] = {text("phase", 1).required().one_of("Up|Down"), time("since", 2)};
constexpr Message kThingStatus{"io.test.v1.ThingStatus", kStatusFields};
constexpr Field kThingFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kSpec).required(),
    object("status", 3, kThingStatus),
};
constexpr Message kThingMessage{"io.test.v1.Thing", kThingFields};
constexpr Kind kThing{.group = "test.io",
                      .version = "v1",
                      .name = "Thing",
                      .plural = "things",
                      .singular = "thing",
                      .message = &kThingMessage};

// Unknown fields joined, or the error.
std::string checked(std::string_view text, std::string* left = nullptr) {
  json::Tree tree;
  const auto root = tree.parse(text);
  if (!root) return "malformed";
  const auto unknown = check_fields(kThingMessage, *root);
  if (!unknown) {
    EXPECT_EQ(unknown.error().code, Code::kBadRequest);
    return unknown.error().message;
  }
  if (left != nullptr) *left = json::write(*root);
  std::string all;
  for (const std::string& each : *unknown)
    all += (all.empty() ? "" : "; ") + each;
  return all;
}

TEST(CheckFields, NamesUnknownFieldsAndRemovesThem) {
  std::string left;
  EXPECT_EQ(
      checked(
          R"({"kind":"Thing","foo":1,"spec":{"bar":{},"parts":[{"name":"a"},{"x":1}],"free":{"any":1}}})",
          &left),
      R"(unknown field "foo"; unknown field "spec.bar"; unknown field "spec.parts[1].x")");
  EXPECT_EQ(left, R"({"kind":"Thing","spec":{"parts":[{"name":"a"},{}],"free":{"any":1}}})");
}

TEST(CheckFields, DropsNullsAsGoDoes) {
  std::string left;
  EXPECT_EQ(
      checked(
          R"({"metadata":{"creationTimestamp":null,"labels":{"a":null}},"spec":{"parts":[null],"words":[null,"x"],)"
          R"("first":null}})",
          &left),
      "");
  EXPECT_EQ(left, R"({"metadata":{"labels":{"a":""}},"spec":{"parts":[{}],"words":["","x"]}})");
}

TEST(CheckFields, DropsEmptyMapsAndListsAsGoDoes) {
  std::string left;
  EXPECT_EQ(
      checked(R"({"metadata":{"labels":{}},"spec":{"parts":[],"words":[],"first":{}}})", &left),
      "");
  EXPECT_EQ(left, R"({"metadata":{},"spec":{"first":{}}})");
}

TEST(CheckFields, ReportsWrongTypesInGosWords) {
  const std::string prefix = "json: cannot unmarshal ";
  EXPECT_EQ(checked(R"({"spec":{"replicas":"3"}})"),
            prefix + "string into Go struct field ThingSpec.spec.replicas of type int32");
  EXPECT_EQ(checked(R"({"spec":{"replicas":1.5}})"),
            prefix + "number 1.5 into Go struct field ThingSpec.spec.replicas of type int32");
  EXPECT_EQ(
      checked(R"({"spec":{"replicas":2147483648}})"),
      prefix + "number 2147483648 into Go struct field ThingSpec.spec.replicas of type int32");
  EXPECT_EQ(checked(R"({"spec":{"parts":{}}})"),
            prefix + "object into Go struct field ThingSpec.spec.parts of type []v1.Part");
  EXPECT_EQ(checked(R"({"spec":{"parts":[{"name":"a"},[]]}})"),
            prefix + "array into Go struct field ThingSpec.spec.parts of type v1.Part");
  EXPECT_EQ(checked(R"({"spec":{"parts":[{"name":true}]}})"),
            prefix + "bool into Go struct field Part.spec.parts.name of type string");
  EXPECT_EQ(checked(R"({"spec":{"first":"x"}})"),
            prefix + "string into Go struct field ThingSpec.spec.first of type v1.Part");
  EXPECT_EQ(checked(R"({"metadata":{"labels":{"a":1}}})"),
            prefix + "number 1 into Go struct field ObjectMeta.metadata.labels of type string");
  EXPECT_EQ(
      checked(R"({"metadata":{"labels":[]}})"),
      prefix + "array into Go struct field ObjectMeta.metadata.labels of type map[string]string");
  EXPECT_EQ(checked(R"({"kind":7})"),
            prefix + "number 7 into Go struct field Thing.kind of type string");
  EXPECT_EQ(checked("[]"), prefix + "array into Go value of type v1.Thing");
  EXPECT_EQ(checked("null"), prefix + "null into Go value of type v1.Thing");
  EXPECT_EQ(checked(R"({"spec":{"extra":{"a":["x",1]}}})"),
            prefix + "array into Go struct field ThingSpec.spec.extra of type []string");
}

TEST(CheckFields, TakesQuantitiesAndPortsInBothForms) {
  EXPECT_EQ(checked(R"({"spec":{"weight":1,"port":80,"first":{"name":"x","limits":{"cpu":0.5}}}})"),
            "");
  EXPECT_EQ(checked(R"({"spec":{"weight":"1","port":"http"}})"), "");
  EXPECT_NE(checked(R"({"spec":{"weight":true}})"), "");
  EXPECT_NE(checked(R"({"spec":{"port":1.5}})"), "");
}

TEST(CheckFields, TakesBase64WithLineBreaks) {
  std::string left;
  EXPECT_EQ(checked("{\"spec\":{\"blob\":\"YWJj\\nZGVm\\n\"}}", &left), "");
  EXPECT_EQ(left, R"({"spec":{"blob":"YWJjZGVm"}})");
  EXPECT_EQ(checked(R"({"spec":{"blob":"a"}})"), "spec.blob: illegal base64 data");
  EXPECT_EQ(checked(R"({"spec":{"blob":"====" }})"), "spec.blob: illegal base64 data");
}

TEST(CheckFields, BoundsWhatItRepeats) {
  std::string many = "{\"spec\":{";
  for (int i = 0; i < 500; i++)
    many += join({i == 0 ? "" : ",", "\"x", std::to_string(i), "\":1"});
  json::Tree tree;
  const auto unknown = check_fields(kThingMessage, *tree.parse(many + "}}"));
  EXPECT_EQ(unknown->size(), 100U);
  EXPECT_EQ(json::write(tree.root()), R"({"spec":{}})");
}

std::string defaulted(std::string_view text) {
  json::Tree tree;
  const auto root = tree.parse(text);
  apply_defaults(kThing, *root);
  return json::write((*root)["spec"]);
}

TEST(ApplyDefaults, FillsWhatIsAbsent) {
  EXPECT_EQ(
      defaulted(
          R"({"spec":{"parts":[{"name":"a","size":0,"color":""},{"name":"b","size":4,"color":"BLUE"}]}})"),
      R"({"parts":[{"name":"a","size":10,"color":"RED"},{"name":"b","size":4,"color":"BLUE"}],)"
      R"("replicas":1,"fast":true,"first":{"name":"made","color":"RED","size":10}})");
  EXPECT_EQ(defaulted("{}"), "");
}

TEST(ApplyDefaults, KeepsZerosOfGoPointers) {
  EXPECT_EQ(
      defaulted(
          R"({"spec":{"replicas":0,"fast":false,"first":{"name":"x","color":"RED","size":2}}})"),
      R"({"replicas":0,"fast":false,"first":{"name":"x","color":"RED","size":2}})");
}

TEST(ApplyDefaults, WritesQuantitiesAndTimesInOneForm) {
  const std::string rest = R"(,"replicas":1,"fast":true})";
  EXPECT_EQ(
      defaulted(
          R"({"spec":{"first":{"name":"x","color":"RED","size":2,"limits":{"cpu":0.5,"a":"1000m","b":"1.0005"}},)"
          R"("weight":"1024Mi","at":"2024-01-01T01:00:00.7+01:00","exactly":"2024-01-01T00:00:00Z"}})"),
      R"({"first":{"name":"x","color":"RED","size":2,"limits":{"cpu":"500m","a":"1","b":"1001m"}},)"
      R"("weight":"1Gi","at":"2024-01-01T00:00:00Z","exactly":"2024-01-01T00:00:00.000000Z")" +
          rest);
  EXPECT_EQ(defaulted(R"({"spec":{"weight":"heavy","first":{"name":"x","color":"RED","size":2}}})"),
            R"({"weight":"heavy","first":{"name":"x","color":"RED","size":2})" + rest);
}

std::string outcome(const Result<>& result) {
  return result ? "ok" : result.error().message;
}

std::string created(std::string_view metadata,
                    std::string_view spec = "{}",
                    std::string_view status = "{}") {
  json::Tree tree;
  const auto root = tree.parse(
      join({"{\"metadata\":", metadata, ",\"spec\":", spec, ",\"status\":", status, "}"}));
  return root ? outcome(validate_create(kThing, *root)) : root.error().message;
}

constexpr std::string_view kGood = R"({"name":"a","namespace":"n"})";

TEST(Validate, AcceptsWhatIsRight) {
  EXPECT_EQ(
      created(
          kGood,
          R"({"parts":[{"name":"a","color":"RED","size":2},{"name":"b"}],"port":"x","at":"2024-01-01T00:00:00Z"})"),
      "ok");
}

TEST(Validate, ReportsEverythingAtOnceWithPaths) {
  EXPECT_EQ(
      created(
          kGood,
          R"({"parts":[{"color":"GREEN","size":3},{"name":"b"},{"name":"b"}],"weight":"x","at":"noon"})"),
      "Thing.test.io \"a\" is invalid: ["
      "spec.parts[0].color: Unsupported value: \"GREEN\": supported values: \"RED\", \"BLUE\", "
      "spec.parts[0].size: Invalid value: 3: must be even, "
      "spec.parts[0].name: Required value, "
      "spec.parts[2].name: Duplicate value: \"b\", "
      "spec.weight: Invalid value: \"x\": quantities must match the regular expression "
      "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$', "
      "spec.at: Invalid value: \"noon\": must be a time as RFC 3339 writes it, such as "
      "2006-01-02T15:04:05Z]");
}

TEST(Validate, ComparesListItemsByAllTheirKeys) {
  EXPECT_EQ(created(kGood, R"({"pairs":[{"name":"a","color":"RED"},{"name":"a","color":"BLUE"}]})"),
            "ok");
  EXPECT_EQ(
      created(kGood, R"({"pairs":[{"name":"a","color":"RED"},{"name":"a","color":"RED"}]})"),
      R"(Thing.test.io "a" is invalid: spec.pairs[1]: Duplicate value: {"name":"a","color":"RED"})");
}

TEST(Validate, LooksOnlyAtFormatsInStatus) {
  EXPECT_EQ(created(kGood, "{}", R"({"phase":"Sideways"})"), "ok");
  EXPECT_EQ(created(kGood, "{}", R"({"since":"x"})"),
            "Thing.test.io \"a\" is invalid: status.since: Invalid value: \"x\": must be a time as "
            "RFC 3339 writes it, "
            "such as 2006-01-02T15:04:05Z");
}

TEST(ValidateMetadata, WantsNames) {
  EXPECT_EQ(created("{}"),
            "Thing.test.io \"\" is invalid: [metadata.name: Required value: name or generateName "
            "is required, "
            "metadata.namespace: Required value]");
  EXPECT_NE(created(R"({"name":"A_b","namespace":"n"})")
                .find("metadata.name: Invalid value: \"A_b\": a lowercase RFC 1123"),
            std::string::npos);
  EXPECT_NE(created(R"({"name":"a","generateName":"A-","namespace":"n"})")
                .find("metadata.generateName: Invalid value: \"A-\""),
            std::string::npos);
  EXPECT_EQ(created(R"({"name":"a","generateName":"a-","namespace":"n"})"), "ok");
  EXPECT_NE(created(R"({"name":"a","namespace":"a.b"})").find("metadata.namespace: Invalid value"),
            std::string::npos);
}

TEST(ValidateMetadata, ChecksLabelsAnnotationsOwnersAndFinalizers) {
  const auto with = [](std::string_view more) {
    return created(join({R"({"name":"a","namespace":"n",)", more, "}"}));
  };
  EXPECT_EQ(with(R"("labels":{"a/b":"c"},"annotations":{"X.y/Z":"any thing"})"), "ok");
  EXPECT_NE(with(R"("labels":{"a b":"c"})")
                .find("metadata.labels: Invalid value: \"a b\": name part must consist"),
            std::string::npos);
  EXPECT_NE(with(R"("labels":{"a":"b c"})")
                .find("metadata.labels: Invalid value: \"b c\": a valid label must be"),
            std::string::npos);
  EXPECT_NE(with(R"("annotations":{"/":""})").find("metadata.annotations: Invalid value: \"/\": "),
            std::string::npos);
  const std::string large(limits::kAnnotationsBytesMax, 'x');
  EXPECT_EQ(with(join({R"("annotations":{"a":")", large, "\"}"})),
            "Thing.test.io \"a\" is invalid: metadata.annotations: Too long: may not be more than "
            "262144 bytes");
  EXPECT_NE(with(R"("finalizers":["orphan","foregroundDeletion"])").find("cannot be both set"),
            std::string::npos);
  EXPECT_NE(with(R"("finalizers":["a b"])").find("metadata.finalizers: Invalid value: \"a b\""),
            std::string::npos);
  EXPECT_EQ(with(R"("ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p"}])"),
            "Thing.test.io \"a\" is invalid: metadata.ownerReferences[0].uid: Required value");
  EXPECT_NE(
      with(
          R"("ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"1","controller":true},)"
          R"({"apiVersion":"v1","kind":"Pod","name":"q","uid":"2","controller":true}])")
          .find("Only one reference can have Controller set to true. Found \"true\" in references "
                "for p and q"),
      std::string::npos);
}

std::string updated(std::string_view old_metadata,
                    std::string_view metadata,
                    std::string* after = nullptr) {
  json::Tree old_tree;
  json::Tree tree;
  const auto old = old_tree.parse(join({"{\"metadata\":", old_metadata, ",\"spec\":{}}"}));
  const auto root = tree.parse(join({"{\"metadata\":", metadata, ",\"spec\":{}}"}));
  const Result<> result = validate_update(kThing, *root, *old);
  if (after != nullptr) *after = json::write((*root)["metadata"]);
  return outcome(result);
}

TEST(ValidateUpdate, TakesOverWhatAClientMayLeaveOut) {
  std::string after;
  EXPECT_EQ(
      updated(
          R"({"name":"a","namespace":"n","uid":"u","creationTimestamp":"2024-01-01T00:00:00Z"})",
          kGood, &after),
      "ok");
  EXPECT_EQ(after,
            R"({"name":"a","namespace":"n","uid":"u","creationTimestamp":"2024-01-01T00:00:00Z"})");
}

TEST(ValidateUpdate, KeepsTheIdentityOfObjects) {
  EXPECT_EQ(
      updated(R"({"name":"a","namespace":"n","uid":"u"})",
              R"({"name":"b","namespace":"n","uid":"v"})"),
      "Thing.test.io \"b\" is invalid: [metadata.name: Invalid value: \"b\": field is immutable, "
      "metadata.uid: Invalid value: \"v\": field is immutable]");
  EXPECT_EQ(
      updated(kGood, R"({"name":"a","namespace":"n","deletionTimestamp":"2024-01-01T00:00:00Z"})"),
      "Thing.test.io \"a\" is invalid: metadata.deletionTimestamp: Invalid value: "
      "\"2024-01-01T00:00:00Z\": "
      "field is immutable");
  EXPECT_EQ(updated(R"({"name":"a","namespace":"n","generation":3})",
                    R"({"name":"a","namespace":"n","generation":2})"),
            "Thing.test.io \"a\" is invalid: metadata.generation: Invalid value: 2: must not be "
            "decremented");
}

TEST(ValidateUpdate, TakesNoNewFinalizersOnceDeletionHasBegun) {
  constexpr std::string_view kDying =
      R"({"name":"a","namespace":"n","deletionTimestamp":"2024-01-01T00:00:00Z","finalizers":["x/a"]})";
  EXPECT_EQ(updated(kDying, R"({"name":"a","namespace":"n","finalizers":[]})"), "ok");
  EXPECT_EQ(updated(kDying, R"({"name":"a","namespace":"n","finalizers":["x/a","x/b"]})"),
            "Thing.test.io \"a\" is invalid: metadata.finalizers: Forbidden: no new finalizers can "
            "be added if the object "
            "is being deleted, found new finalizers []string{\"x/b\"}");
}

TEST(Errors, AreBounded) {
  Errors errors;
  for (int i = 0; i < 1000; i++)
    errors.invalid("x", std::string(10'000, 'a'), "too long");
  EXPECT_LE(errors.size(), 64U);
  EXPECT_LT(errors.to_error("Pod", "a").message.size(), 100'000U);
}

TEST(Errors, DoNotRepeatLongKeys) {
  Errors errors;
  errors.required(entry("spec", std::string(1'000'000, 'k')));
  EXPECT_LT(errors.to_error("Pod", "a").message.size(), 3000U);
  EXPECT_LT(checked(join({"{\"", std::string(100'000, 'k'), "\":1}"})).size(), 1000U);
}

TEST(Errors, QuoteLikeGo) {
  Errors errors;
  errors.invalid("p", std::string_view("a\"b\\\n\x01\xc3\xa9"), "no");
  EXPECT_EQ(errors.to_error("Pod", "").message,
            "Pod \"\" is invalid: p: Invalid value: \"a\\\"b\\\\\\n\\x01\xc3\xa9\": no");
  const Error error = errors.to_error("Pod", "x");
  ASSERT_EQ(error.causes.size(), 1U);
  EXPECT_EQ(error.causes[0].reason, "FieldValueInvalid");
  EXPECT_EQ(error.causes[0].field, "p");
}

TEST(MergeSchema, FollowsTheKindTable) {
  json::Tree target;
  json::Tree patch;
  ASSERT_TRUE(
      target.parse(R"({"spec":{"parts":[{"name":"a","size":2},{"name":"b"}],"words":["x"]}})"));
  ASSERT_TRUE(patch.parse(R"({"spec":{"parts":[{"name":"a","color":"BLUE"}],"words":["y"]}})"));
  ASSERT_TRUE(json::strategic_merge_patch(target.root(), patch.root(), merge_schema(kThing)));
  EXPECT_EQ(
      json::write(target.root()),
      R"({"spec":{"parts":[{"name":"a","size":2,"color":"BLUE"},{"name":"b"}],"words":["y"]}})");
}

}  // namespace
}  // namespace coracle::api
