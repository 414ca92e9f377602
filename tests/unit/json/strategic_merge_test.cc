// SPDX-License-Identifier: GPL-2.0-or-later
#include <cstring>

#include <gtest/gtest.h>

#include "json/merge.h"

namespace coracle::json {
namespace {

// A tiny schema: a Pod-like type whose spec has merged lists of both kinds.
const char kPod[] = "pod", kMeta[] = "meta", kSpec[] = "spec", kContainer[] = "container",
           kPlain[] = "plain";

FieldRule rule(const void* type, std::string_view name) {
  const auto is = [type](const char* wanted) { return type == wanted; };
  if (is(kPod) && name == "metadata") return {.type = kMeta};
  if (is(kPod) && name == "spec") return {.type = kSpec};
  if (is(kMeta) && name == "finalizers") return {.merge_primitives = true};
  if (is(kSpec) && name == "containers") return {.type = kContainer, .merge_key = "name"};
  if (is(kSpec) && name == "numbers") return {.merge_primitives = true};
  if (is(kSpec) && name == "strategy") return {.type = kPlain, .retain_keys = true};
  if (is(kContainer) && name == "ports") return {.type = kPlain, .merge_key = "containerPort"};
  if (is(kContainer) && name == "env") return {.type = kPlain, .merge_key = "name"};
  return {};
}

std::string merged(std::string_view document, std::string_view patch) {
  Tree target, change;
  Node root = *target.parse(document);
  auto done = strategic_merge_patch(root, *change.parse(patch), {kPod, rule});
  if (done) return write(root);
  EXPECT_EQ(done.error().code, Code::kBadRequest);
  return "400";
}

struct Case {
  const char* what;
  const char* document;
  const char* patch;
  const char* result;
};

void check(std::initializer_list<Case> cases) {
  for (const Case& c : cases)
    EXPECT_EQ(merged(c.document, c.patch), c.result) << c.what;
}

TEST(StrategicMerge, Objects) {
  check({
      {"adds, changes and removes", R"({"a":1,"b":2,"c":3})", R"({"a":null,"b":4,"d":5,"e":null})",
       R"({"b":4,"c":3,"d":5})"},
      {"recurses", R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
       R"({"metadata":{"labels":{"a":null,"c":"3"}}})",
       R"({"metadata":{"labels":{"b":"2","c":"3"}}})"},
      {"replaces another type", R"({"a":{"x":1},"b":true})", R"({"a":[1],"b":false})",
       R"({"a":[1],"b":false})"},
      {"drops nulls from what it adds", "{}", R"({"a":{"b":null,"c":[{"d":null,"e":1}]}})",
       R"({"a":{"c":[{"e":1}]}})"},
      {"drops directives from what it adds", "{}",
       R"({"a":{"$retainKeys":["b"],"b":1},"c":[{"$patch":"delete","name":"x"},{"name":"y"}],"d":{"$patch":"delete"}})",
       R"({"a":{"b":1},"c":[{"name":"y"}]})"},
      {"$patch replace", R"({"spec":{"a":1,"b":2}})", R"({"spec":{"$patch":"replace","c":3}})",
       R"({"spec":{"c":3}})"},
      {"$patch delete", R"({"spec":{"a":1},"x":1})", R"({"spec":{"$patch":"delete"}})",
       R"({"spec":{},"x":1})"},
      {"$patch merge is unknown", R"({"spec":{"a":1}})", R"({"spec":{"$patch":"merge"}})", "400"},
      {"$patch of another type", R"({"spec":{"a":1}})", R"({"spec":{"$patch":1}})", "400"},
      {"atomic lists are replaced", R"({"spec":{"args":[1,2]}})", R"({"spec":{"args":[3]}})",
       R"({"spec":{"args":[3]}})"},
  });
}

TEST(StrategicMerge, RetainKeys) {
  check({
      {"clears what is not retained",
       R"({"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}})",
       R"({"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}})",
       R"({"spec":{"strategy":{"type":"Recreate"}}})"},
      {"null needs no entry", R"({"spec":{"strategy":{"a":1,"b":2}}})",
       R"({"spec":{"strategy":{"$retainKeys":["b"],"a":null}}})",
       R"({"spec":{"strategy":{"b":2}}})"},
      {"patch field must be listed", R"({"spec":{"strategy":{"a":1}}})",
       R"({"spec":{"strategy":{"$retainKeys":["a"],"b":2}}})", "400"},
      {"must be a list", R"({"spec":{"strategy":{"a":1}}})",
       R"({"spec":{"strategy":{"$retainKeys":"a"}}})", "400"},
  });
}

TEST(StrategicMerge, ListsOfObjects) {
  check({
      {"merges by key",
       R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]}})",
       R"({"spec":{"containers":[{"name":"b","image":"3"}]}})",
       R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"3"}]}})"},
      {"a new item comes before server-only items",
       R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"name":"c"}]}})",
       R"({"spec":{"containers":[{"name":"c"},{"name":"a"},{"name":"b"}]}})"},
      {"the patch's order wins",
       R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}})",
       R"({"spec":{"containers":[{"name":"c"},{"name":"a"}]}})",
       R"({"spec":{"containers":[{"name":"b"},{"name":"c"},{"name":"a"}]}})"},
      {"nested lists and numeric keys",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80},{"containerPort":81}]}]}})",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":81,"name":"x"}]}]}})",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80},{"containerPort":81,"name":"x"}]}]}})"},
      {"delete", R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}})",
       R"({"spec":{"containers":[{"$patch":"delete","name":"b"}]}})",
       R"({"spec":{"containers":[{"name":"a"},{"name":"c"}]}})"},
      {"replace", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"$patch":"replace"},{"name":"z"},{"name":"y"}]}})",
       R"({"spec":{"containers":[{"name":"z"},{"name":"y"}]}})"},
      {"replace by nothing", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"$patch":"replace"}]}})", R"({"spec":{"containers":[]}})"},
      {"merge directive in a list", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"$patch":"merge"}]}})", "400"},
      {"no merge key", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"image":"x"}]}})", "400"},
      {"delete without merge key", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"$patch":"delete"}]}})", "400"},
      {"mixed elements", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":["b"]}})", "400"},
      {"merge key that is an object", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"name":{}}]}})", "400"},
      {"the same key twice in the patch", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"name":"b","x":1},{"name":"b","y":2}]}})",
       R"({"spec":{"containers":[{"name":"b","x":1,"y":2},{"name":"a"}]}})"},
      {"two server items of one key stay together",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":53,"protocol":"UDP"},{"containerPort":53,"protocol":"TCP"}]}]}})",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":53,"x":1}]}]}})",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":53,"protocol":"UDP","x":1},{"containerPort":53,"protocol":"TCP"}]}]}})"},
      {"a list where there was none", R"({"spec":{}})",
       R"({"spec":{"containers":[{"name":"a","image":null}]}})",
       R"({"spec":{"containers":[{"name":"a"}]}})"},
  });
}

TEST(StrategicMerge, ListsOfScalars) {
  check({
      {"union", R"({"metadata":{"finalizers":["a","b"]}})",
       R"({"metadata":{"finalizers":["b","c"]}})", R"({"metadata":{"finalizers":["a","b","c"]}})"},
      {"duplicates go", R"({"spec":{"numbers":[1,1,2]}})", R"({"spec":{"numbers":[3,3]}})",
       R"({"spec":{"numbers":[3,1,2]}})"},
      {"deletion", R"({"metadata":{"finalizers":["a","b","c"]}})",
       R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a","c","x"]}})",
       R"({"metadata":{"finalizers":["b"]}})"},
      {"deletion of an absent list", R"({"metadata":{}})",
       R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]}})", R"({"metadata":{}})"},
      {"deletion and addition", R"({"metadata":{"finalizers":["a","b"]}})",
       R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["c"]}})",
       R"({"metadata":{"finalizers":["c","b"]}})"},
      {"deletion must be a list", R"({"metadata":{"finalizers":["a"]}})",
       R"({"metadata":{"$deleteFromPrimitiveList/finalizers":"a"}})", "400"},
      {"deletion from an atomic list", R"({"spec":{"args":["a"]}})",
       R"({"spec":{"$deleteFromPrimitiveList/args":["a"]}})", "400"},
      {"objects among scalars", R"({"metadata":{"finalizers":["a"]}})",
       R"({"metadata":{"finalizers":[{}]}})", "400"},
  });
}

TEST(StrategicMerge, SetElementOrder) {
  check({
      {"reorders only", R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"c"},{"name":"b"},{"name":"a"}]}})",
       R"({"spec":{"containers":[{"name":"c"},{"name":"b"},{"name":"a"}]}})"},
      {"orders and merges, server-only items keep their place",
       R"({"spec":{"containers":[{"name":"a"},{"name":"s"},{"name":"b"}]}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"a"},{"name":"n"},{"name":"b"}],"containers":[{"name":"n","image":"x"}]}})",
       R"({"spec":{"containers":[{"name":"a"},{"name":"n","image":"x"},{"name":"s"},{"name":"b"}]}})"},
      {"with deletion", R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"c"},{"name":"a"}],"containers":[{"$patch":"delete","name":"b"}]}})",
       R"({"spec":{"containers":[{"name":"c"},{"name":"a"}]}})"},
      {"of scalars", R"({"metadata":{"finalizers":["a","s","b"]}})",
       R"({"metadata":{"$setElementOrder/finalizers":["b","c","a"],"finalizers":["c"]}})",
       R"({"metadata":{"finalizers":["s","b","c","a"]}})"},
      {"of a list that is new", R"({"spec":{}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"b"},{"name":"a"}]}})",
       R"({"spec":{"containers":[{"name":"b"},{"name":"a"}]}})"},
      {"of a list that is nowhere", R"({"spec":{}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"b"}]}})", R"({"spec":{}})"},
      {"patch items missing in the order", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"b"}]}})",
       "400"},
      {"patch items in another order", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"a"},{"name":"b"}],"containers":[{"name":"b"},{"name":"a"}]}})",
       "400"},
      {"must be a list", R"({"spec":{"containers":[]}})",
       R"({"spec":{"$setElementOrder/containers":{}}})", "400"},
      {"names a list", R"({"spec":{"containers":1}})",
       R"({"spec":{"$setElementOrder/containers":[]}})", "400"},
      {"names a field", R"({"spec":{}})", R"({"spec":{"$setElementOrder/":[]}})", "400"},
  });
}

TEST(StrategicMerge, WithoutSchemaListsAreAtomic) {
  Tree target, patch;
  Node root = *target.parse(R"({"a":{"l":[{"name":"x"}],"m":1}})");
  ASSERT_TRUE(strategic_merge_patch(root, *patch.parse(R"({"a":{"l":[{"name":"y"}]}})"), {}));
  EXPECT_EQ(write(root), R"({"a":{"l":[{"name":"y"}],"m":1}})");
  EXPECT_FALSE(strategic_merge_patch(root, *patch.parse("[]"), {}));
}

}  // namespace
}  // namespace coracle::json
