// SPDX-License-Identifier: GPL-2.0-or-later
#include "json/tree.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace coracle::json {
namespace {

std::string again(std::string_view text) {
  Tree tree;
  auto root = tree.parse(text);
  return root ? write(*root) : root.error().message;
}

std::string refusal(std::string_view text) {
  Tree tree;
  auto root = tree.parse(text);
  if (root) return "accepted: " + write(*root);
  EXPECT_EQ(root.error().code, Code::kBadRequest);
  EXPECT_FALSE(tree.root());
  return root.error().message;
}

TEST(Parse, WritesBackWhatItRead) {
  for (const char* text : {"{}", "[]", "null", "true", "false", "0", "-1", "\"\"", "[[],{}]",
                           R"({"a":1,"b":[1,2,{"c":null}],"d":"x\ny\t\"\\/"})", R"({"":{"":[]}})",
                           "\"\u00e9\u20ac\U0001F600\""}) {
    EXPECT_EQ(again(text), text);
  }
}

TEST(Parse, TakesWhiteSpaceAnywhere) {
  EXPECT_EQ(again(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n"), R"({"a":[1,2],"b":{}})");
}

TEST(Parse, DecodesEscapes) {
  Tree tree;
  auto root = tree.parse(R"("\u0041\u00e9\u20ac\ud83d\ude00\b\f\n\r\t\"\\\/")");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->string(), "A\u00e9\u20ac\U0001F600\b\f\n\r\t\"\\/");
}

TEST(Parse, Numbers) {
  EXPECT_EQ(again("[-0,1.0,1e3,1.5,0.1,-2.5e-3,100,1E+2]"), "[0,1,1000,1.5,0.1,-0.0025,100,100]");
  EXPECT_EQ(again("[9007199254740992,-9007199254740992]"), "[9007199254740992,-9007199254740992]");
  EXPECT_EQ(again("[1e21,1e-7,1.7976931348623157e308,5e-324,0.000001]"),
            "[1e+21,1e-7,1.7976931348623157e+308,5e-324,0.000001]");
  EXPECT_EQ(again("[0.30000000000000004,123456.789,4503599627370495.5]"),
            "[0.30000000000000004,123456.789,4503599627370495.5]");
  EXPECT_EQ(again("1e16"), "1e+16");
}

TEST(Parse, RefusesWhatIsNotStrictJson) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "[",
                           "[1,]",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{'a':1}",
                           "{\"a\" 1}",
                           "{\"a\":}",
                           "[1 2]",
                           "tru",
                           "nul",
                           "True",
                           "01",
                           "-",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "1e+",
                           "0x10",
                           "NaN",
                           "Infinity",
                           "1e999",
                           "9007199254740993",
                           "-9007199254740993",
                           "99999999999999999999999",
                           "\"",
                           "\"\\",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u000",
                           "\"\\u0000\"",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"\\ud800\\u0041\"",
                           "\"\n\"",
                           "\"\x01\"",
                           "\"\xff\"",
                           "\"\xc0\x80\"",
                           "\"\xed\xa0\x80\"",
                           "\"\xf4\x90\x80\x80\"",
                           "\"\xe2\x82\"",
                           "1 2",
                           "{} x",
                           "// c\n1",
                           "\xef\xbb\xbf{}"}) {
    EXPECT_EQ(refusal(text).substr(0, 20), "invalid JSON at line") << text;
  }
  EXPECT_EQ(refusal(std::string_view("\0", 1)).substr(0, 12), "invalid JSON");
  EXPECT_EQ(refusal(std::string_view("\"a\0b\"", 5)).substr(0, 12), "invalid JSON");
}

TEST(Parse, NamesThePlaceWithoutEchoingTheInput) {
  EXPECT_EQ(refusal("{\n \"a\": 1\n \"secret-secret-secret-secret\": 2}"),
            "invalid JSON at line 3, offset 11: expected ',' or '}' near `\"secret-secret-secre`");
  EXPECT_EQ(refusal("[1,"), "invalid JSON at line 1, offset 3: unexpected end of document");
}

TEST(Parse, KeepsItsBounds) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(again(nested(limits::kJsonDepthMax)), nested(limits::kJsonDepthMax));
  EXPECT_NE(refusal(nested(limits::kJsonDepthMax + 1)).find("nested too deeply"),
            std::string::npos);
  std::string keys = "{";
  for (size_t i = 0; i < limits::kJsonKeysMax; i++)
    keys += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_NE(refusal(keys + "\"last\":1}").find("too many keys"), std::string::npos);
  keys.back() = '}';
  EXPECT_EQ(again(keys), keys);
  std::string values = "[";
  for (size_t i = 0; i < limits::kJsonNodesMax; i++)
    values += "1,";
  values.back() = ']';
  EXPECT_NE(refusal(values).find("too many values"), std::string::npos);
}

TEST(Parse, LastDuplicateCountsAndIsNoted) {
  Tree tree;
  ParseNotes notes;
  auto root = tree.parse(
      R"({"spec":{"replicas":1,"c":[{"n":1},{"n":1,"n":2}],"replicas":2,"replicas":3},"spec2":1})",
      &notes);
  ASSERT_TRUE(root);
  EXPECT_EQ(write(*root), R"({"spec":{"c":[{"n":1},{"n":2}],"replicas":3},"spec2":1})");
  EXPECT_EQ(notes.duplicates, (std::vector<std::string>{"spec.c[1].n", "spec.replicas"}));
}

TEST(Parse, DuplicatesInLargeObjects) {
  std::string text = "{";
  for (int i = 0; i < 40; i++)
    text += "\"k" + std::to_string(i % 39) + "\":" + std::to_string(i) + ",";
  text.back() = '}';
  Tree tree;
  ParseNotes notes;
  auto root = tree.parse(text, &notes);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->size(), 39u);
  EXPECT_EQ((*root)["k0"].integer(), 39);
  EXPECT_EQ(notes.duplicates, std::vector<std::string>{"k0"});
}

TEST(Parse, ReplacesTheTree) {
  Tree tree;
  ASSERT_TRUE(tree.parse("[1]"));
  ASSERT_TRUE(tree.parse("{\"a\":2}"));
  EXPECT_EQ(tree.root()["a"].integer(), 2);
  ASSERT_FALSE(tree.parse("["));
  EXPECT_FALSE(tree.root());
}

TEST(Node, ReadsThroughAbsence) {
  Tree tree;
  Node root = *tree.parse(R"({"a":{"b":[10,"x",true,null,1.5]}})");
  EXPECT_EQ(root["no"]["such"].string("d"), "d");
  EXPECT_FALSE(root["a"]["b"]["c"]);
  EXPECT_FALSE(Node().next());
  const Node list = root["a"]["b"];
  EXPECT_EQ(list.size(), 5u);
  EXPECT_EQ(list.at(0).integer(), 10);
  EXPECT_EQ(list.at(1).string(), "x");
  EXPECT_TRUE(list.at(2).boolean());
  EXPECT_TRUE(list.at(3).is_null());
  EXPECT_TRUE(list.at(3));
  EXPECT_FALSE(list.at(4).is_integer());
  EXPECT_TRUE(list.at(4).is_number());
  EXPECT_EQ(list.at(4).integer(), 1);
  EXPECT_FALSE(list.at(5));
  EXPECT_EQ(list.at(1).integer(7), 7);
  EXPECT_EQ(root["a"].key(), "a");
  EXPECT_EQ(list.at(0).key(), "");
}

TEST(Node, ChangesObjectsInPlace) {
  Tree tree;
  Node root = *tree.parse(R"({"a":1,"b":2,"c":3})");
  root.set("b", "two");
  root.set("d", int64_t{4});
  root.set("e", true);
  root.set_null("a");
  root.set_number("f", 0.5);
  root.object("o").set("p", 1);
  root.array("l").append("x");
  EXPECT_EQ(write(root),
            R"({"a":null,"b":"two","c":3,"d":4,"e":true,"f":0.5,"o":{"p":1},"l":["x"]})");
  for (const char* name : {"a", "c", "d", "e", "f", "l", "absent"})
    root.remove(name);
  EXPECT_EQ(write(root), R"({"b":"two","o":{"p":1}})");
  root.prepend("z", root["o"]);
  root.prepend("b", root["z"]["p"]);
  EXPECT_EQ(write(root), R"({"b":1,"z":{"p":1},"o":{"p":1}})");
  root["o"].replace_with(root);
  EXPECT_EQ(write(root["o"]), R"({"b":1,"z":{"p":1},"o":{"p":1}})");
  root.set("z", Node());
  root.object("b").set("x", "y");
  EXPECT_EQ(write(root["b"]), R"({"x":"y"})");
  EXPECT_FALSE(root["z"]);
  root.clear();
  EXPECT_EQ(write(root), "{}");
}

TEST(Node, ChangesArraysInPlace) {
  Tree tree;
  Node list = *tree.parse("[1,2]");
  list.append(int64_t{3});
  list.append_object().set("k", "v");
  list.insert(0, list.at(3));
  list.insert(5, list.at(1));
  list.insert(2, list.at(2));
  EXPECT_EQ(write(list), R"([{"k":"v"},1,2,2,3,{"k":"v"},1])");
  for (Node child : list) {
    if (child.is_object()) list.remove_child(child);
  }
  EXPECT_EQ(write(list), "[1,2,2,3,1]");
  list.remove_child(list.at(4));
  list.append("end");
  list.remove_child(list.at(0));
  EXPECT_EQ(write(list), R"([2,2,3,"end"])");
}

TEST(Node, ChangingTheWrongTypeDoesNothing) {
  Tree tree;
  Node root = *tree.parse(R"({"spec":"text"})");
  EXPECT_FALSE(root["spec"].set("a", 1));
  EXPECT_FALSE(root["spec"].object("a"));
  EXPECT_FALSE(root["absent"].set("a", "b"));
  EXPECT_FALSE(root.append("x"));
  root["spec"].append_object();
  root["spec"].insert(0, root);
  root["spec"].remove("x");
  root["spec"].clear();
  Node().replace_with(root);
  EXPECT_EQ(write(root), R"({"spec":"text"})");
}

TEST(Node, CopiesBetweenTrees) {
  Tree to;
  Node root = to.make_object();
  {
    Tree from;
    root.set("copy", *from.parse(R"({"a":["text",1]})"));
  }
  EXPECT_EQ(write(root), R"({"copy":{"a":["text",1]}})");
  Node loose = to.detached(root["copy"]);
  loose.set("b", 2);
  EXPECT_EQ(write(root), R"({"copy":{"a":["text",1]}})");
  EXPECT_EQ(write(to.make_root(loose)), R"({"a":["text",1],"b":2})");
  EXPECT_EQ(write(to.detached_array()), "[]");
}

TEST(Equal, IgnoresTheOrderOfMembersOnly) {
  const auto same = [](std::string_view a, std::string_view b) {
    Tree x, y;
    return equal(*x.parse(a), *y.parse(b));
  };
  EXPECT_TRUE(same(R"({"a":1,"b":{"c":[1,2],"d":0}})", R"({"b":{"d":0,"c":[1,2]},"a":1.0})"));
  EXPECT_FALSE(same("[1,2]", "[2,1]"));
  EXPECT_FALSE(same("[1]", "[1,2]"));
  EXPECT_FALSE(same("{\"a\":1}", "{\"a\":1,\"b\":2}"));
  EXPECT_FALSE(same("{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}"));
  EXPECT_FALSE(same("true", "false"));
  EXPECT_FALSE(same("null", "0"));
  std::string forward = "{", backward = "{";
  for (int i = 0; i < 40; i++) {
    forward += "\"k" + std::to_string(i) + "\":1,";
    backward += "\"k" + std::to_string(39 - i) + "\":1,";
  }
  forward.back() = backward.back() = '}';
  EXPECT_TRUE(same(forward, backward));
  EXPECT_TRUE(equal(Node(), Node()));
}

TEST(Write, EscapesLikeGo) {
  std::string out;
  write_string(out, "a<b>&\"\\\n\x01\x7f\u00e9\u2028\u2029");
  EXPECT_EQ(out, "\"a\\u003cb\\u003e\\u0026\\\"\\\\\\n\\u0001\x7f\u00e9\\u2028\\u2029\"");
  out.clear();
  write_string(out, std::string_view("a\0b\xff\xc3", 5));
  EXPECT_EQ(out, "\"a\\ufffdb\\ufffd\\ufffd\"");
}

TEST(Write, Pretty) {
  Tree tree;
  EXPECT_EQ(write_pretty(*tree.parse(R"({"a":[1,{"b":[]}],"c":{}})")),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}");
}

}  // namespace
}  // namespace coracle::json
