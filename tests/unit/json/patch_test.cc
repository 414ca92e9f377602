// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "json/merge.h"
#include "json/path.h"

namespace coracle::json {
namespace {

struct Case {
  const char* document;
  const char* patch;
  const char* result;  // or the number of the error's HTTP code
};

std::string code_of(Code code) {
  switch (code) {
    case Code::kBadRequest:
      return "400";
    case Code::kInvalid:
      return "422";
    case Code::kTooLarge:
      return "413";
    default:
      return "?";
  }
}

std::string patched(std::string_view document, std::string_view patch) {
  Tree target, operations;
  Node root = *target.parse(document);
  auto done = json_patch(root, *operations.parse(patch));
  return done ? write(root) : code_of(done.error().code);
}

std::string canonical(std::string_view text) {
  Tree tree;
  auto root = tree.parse(text);
  return root ? write(*root) : std::string(text);
}

// The examples of RFC 6902, appendix A, in its order.
TEST(JsonPatch, AppendixA) {
  const Case cases[] = {
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])",
       R"({"foo":"bar","baz":"qux"})"},
      {R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
       R"({"foo":["bar","qux","baz"]})"},
      {R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},
      {R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])",
       R"({"foo":["bar","baz"]})"},
      {R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
       R"({"baz":"boo","foo":"bar"})"},
      {R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
       R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
       R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
      {R"({"foo":["all","grass","cows","eat"]})",
       R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
       R"({"foo":["all","cows","eat","grass"]})"},
      {R"({"baz":"qux","foo":["a",2,"c"]})",
       R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
       R"({"baz":"qux","foo":["a",2,"c"]})"},
      {R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])", "422"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
       R"({"foo":"bar","child":{"grandchild":{}}})"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])",
       R"({"foo":"bar","baz":"qux"})"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])", "422"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","op":"remove"}])", "422"},
      {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])", R"({"/":9,"~1":10})"},
      {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])", "422"},
      {R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
       R"({"foo":["bar",["abc","def"]]})"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(patched(c.document, c.patch), c.result) << c.patch;
}

TEST(JsonPatch, Corners) {
  const Case cases[] = {
      {R"({"a":1})", "[]", R"({"a":1})"},
      {R"({"a":1})", R"([{"op":"replace","path":"","value":[1]}])", "[1]"},
      {R"({"a":1})",
       R"([{"op":"add","path":"","value":{"b":{}}},{"op":"add","path":"/b/c","value":1}])",
       R"({"b":{"c":1}})"},
      {R"({"a":1})", R"([{"op":"add","path":"/a","value":null}])", R"({"a":null})"},
      {R"({"a":1})", R"([{"op":"add","path":"/","value":2}])", R"({"a":1,"":2})"},
      {R"({"a/b":{"c~d":1}})", R"([{"op":"remove","path":"/a~1b/c~0d"}])", R"({"a/b":{}})"},
      {"[1,2]", R"([{"op":"add","path":"/2","value":3},{"op":"add","path":"/0","value":0}])",
       "[0,1,2,3]"},
      {"[1,2]", R"([{"op":"add","path":"/3","value":3}])", "422"},
      {"[1,2]", R"([{"op":"add","path":"/01","value":3}])", "422"},
      {"[1,2]", R"([{"op":"add","path":"/-1","value":3}])", "422"},
      {"[1,2]", R"([{"op":"remove","path":"/-"}])", "422"},
      {"[1,2]", R"([{"op":"replace","path":"/2","value":3}])", "422"},
      {R"({"a":1})", R"([{"op":"replace","path":"/b","value":3}])", "422"},
      {R"({"a":1})", R"([{"op":"remove","path":"/b"}])", "422"},
      {R"({"a":1})", R"([{"op":"remove","path":""}])", "422"},
      {R"({"a":{"b":{}}})", R"([{"op":"move","from":"/a","path":"/a/b/c"}])", "422"},
      {R"({"a":1})", R"([{"op":"move","from":"/a","path":"/a"}])", R"({"a":1})"},
      {R"({"a":1})", R"([{"op":"move","from":"/b","path":"/b"}])", "422"},
      {R"({"a":1,"ab":2})", R"([{"op":"move","from":"/a","path":"/ab"}])", R"({"ab":1})"},
      {"[[1],2]", R"([{"op":"move","from":"/0/0","path":"/0"}])", "[1,[],2]"},
      {R"({"a":{"b":[1]}})",
       R"([{"op":"copy","from":"/a","path":"/a/c"},{"op":"add","path":"/a/b/0","value":0}])",
       R"({"a":{"b":[0,1],"c":{"b":[1]}}})"},
      {R"({"a":1})", R"([{"op":"copy","from":"/x","path":"/y"}])", "422"},
      {R"({"a":[1]})", R"([{"op":"copy","from":"/a","path":"/a/-"}])", R"({"a":[1,[1]]})"},
      {R"({"a":1})", R"([{"op":"test","path":"/b","value":null}])", R"({"a":1})"},
      {R"({"a":1})", R"([{"op":"test","path":"/a","value":null}])", "422"},
      {R"({"a":{"x":1,"y":[2]}})", R"([{"op":"test","path":"/a","value":{"y":[2],"x":1.0}}])",
       R"({"a":{"x":1,"y":[2]}})"},
      {R"({"a":1})", R"([{"op":"test","path":"/a/b","value":1}])", "422"},
      {R"({"a":1})", R"([{"op":"add","path":"a","value":1}])", "400"},
      {R"({"a":1})", R"([{"op":"add","path":"/~2","value":1}])", "400"},
      {R"({"a":1})", R"([{"op":"add","path":"/~","value":1}])", "400"},
      {R"({"a":1})", R"([{"op":"add","path":"/b"}])", "400"},
      {R"({"a":1})", R"([{"op":"add","value":1}])", "400"},
      {R"({"a":1})", R"([{"op":"move","path":"/b"}])", "400"},
      {R"({"a":1})", R"([{"op":"spam","path":"/b","value":1}])", "400"},
      {R"({"a":1})", R"([{"path":"/b","value":1}])", "400"},
      {R"({"a":1})", "[1]", "400"},
      {R"({"a":1})", "{}", "400"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(patched(c.document, c.patch), c.result) << c.patch;
}

TEST(JsonPatch, NamesTheOperation) {
  Tree target, patch;
  Node root = *target.parse("{}");
  auto done = json_patch(
      root, *patch.parse(R"([{"op":"add","path":"/a","value":1},{"op":"remove","path":"/b"}])"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "JSON patch operation 1 at \"/b\": the path does not exist");
}

TEST(JsonPatch, KeepsItsBounds) {
  std::string doubling = "[";
  for (int i = 0; i < 40; i++) {
    doubling += R"({"op":"copy","from":"/a","path":"/a/k)" + std::to_string(i) + "\"},";
  }
  doubling.back() = ']';
  EXPECT_EQ(patched(R"({"a":{"x":"y"}})", doubling), "413");
  std::string nesting = "[";
  for (int i = 0; i < 70; i++) {
    nesting += R"({"op":"move","from":"/a","path":"/b"},{"op":"add","path":"/a","value":{}},)"
               R"({"op":"move","from":"/b","path":"/a/c"},)";
  }
  nesting.back() = ']';
  EXPECT_EQ(patched(R"({"a":{}})", nesting), "422");
  std::string many = "[";
  for (int i = 0; i < 10001; i++)
    many += "0,";
  many.back() = ']';
  EXPECT_EQ(patched("{}", many), "413");
}

// The examples of RFC 7396, appendix A.
TEST(MergePatch, AppendixA) {
  const Case cases[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", "{}"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", "null", "null"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const Case& c : cases) {
    Tree target, patch;
    Node root = *target.parse(c.document);
    merge_patch(root, *patch.parse(c.patch));
    EXPECT_EQ(write(root), c.result) << c.patch;
  }
}

TEST(MergePatch, LargeObjects) {
  std::string document = "{", patch = "{", result = "{";
  for (int i = 0; i < 100; i++) {
    const std::string key = "\"k" + std::to_string(i) + "\":";
    document += key + "1,";
    patch += key + (i % 2 == 0 ? "null," : "2,");
    if (i % 2 != 0) result += key + "2,";
  }
  document.back() = patch.back() = result.back() = '}';
  Tree target, change;
  Node root = *target.parse(document);
  merge_patch(root, *change.parse(patch));
  EXPECT_EQ(write(root), result);
}

TEST(Pointer, Finds) {
  Tree tree;
  const Node root = *tree.parse(R"({"a":[{"b/c":1,"d~":2}],"":3})");
  EXPECT_EQ(find(root, "/a/0/b~1c").integer(), 1);
  EXPECT_EQ(find(root, "/a/0/d~0").integer(), 2);
  EXPECT_EQ(find(root, "/").integer(), 3);
  EXPECT_TRUE(find(root, "") == root);
  EXPECT_FALSE(find(root, "/a/1"));
  EXPECT_FALSE(find(root, "/a/00"));
  EXPECT_FALSE(find(root, "a"));
  EXPECT_FALSE(array_index("1234567890"));
  EXPECT_EQ(canonical("[ 1 ]"), "[1]");
}

}  // namespace
}  // namespace coracle::json
