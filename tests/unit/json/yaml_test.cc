// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "base/limits.h"
#include "json/tree.h"

namespace coracle::json {
namespace {

std::string read(std::string_view yaml) {
  Tree tree;
  auto root = tree.parse_yaml(yaml);
  if (root) return write(*root);
  EXPECT_EQ(root.error().code, Code::kBadRequest);
  return root.error().message;
}

TEST(ReadYaml, Manifest) {
  EXPECT_EQ(
      read("# comment\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels: {app: web}\n"
           "spec:\n  containers:\n  - name: c\n    args: [\"--port\", '80', -v]\n"
           "    command:\n    - sh\n    - |\n      one\n      two\n"),
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","labels":{"app":"web"}},)"
      R"("spec":{"containers":[{"name":"c","args":["--port","80","-v"],)"
      R"("command":["sh","one\ntwo\n"]}]}})");
}

TEST(ReadYaml, JsonIsYaml) {
  EXPECT_EQ(read(R"({"a": [1, 2.5, null, true, "x\u00e9\ud83d"]})").substr(0, 12), "invalid YAML");
  EXPECT_EQ(read(R"({"a": [1, 2.5, null, true, "x\u00e9"]})"),
            "{\"a\":[1,2.5,null,true,\"x\u00e9\"]}");
}

TEST(ReadYaml, ScalarsResolveAsInGoYaml2) {
  const char* cases[][2] = {
      {"yes", "true"},
      {"No", "false"},
      {"on", "true"},
      {"OFF", "false"},
      {"y", "true"},
      {"n", "false"},
      {"True", "true"},
      {"tRUE", "\"tRUE\""},
      {"~", "null"},
      {"Null", "null"},
      {"", "null"},
      {"\"yes\"", "\"yes\""},
      {"'1'", "\"1\""},
      {"0x1F", "31"},
      {"0o17", "15"},
      {"017", "15"},
      {"08", "8"},
      {"0b101", "5"},
      {"-0b11", "-3"},
      {"+5", "5"},
      {"-0", "0"},
      {"1_000", "1000"},
      {"1e3", "1000"},
      {"1.50", "1.5"},
      {".5", "0.5"},
      {"1.", "1"},
      {"-", "[null]"},
      {"+", "\"+\""},
      {".", "\".\""},
      {"1.2.3", "\"1.2.3\""},
      {"0x", "\"0x\""},
      {"1e", "\"1e\""},
      {"12:30", "\"12:30\""},
      {"2001-01-01", "\"2001-01-01\""},
      {"10Mi", "\"10Mi\""},
      {"100m", "\"100m\""},
      {"1.5Gi", "\"1.5Gi\""},
      {"9007199254740992", "9007199254740992"},
      {"-1.5e-3", "-0.0015"},
      {"0xg", "\"0xg\""},
      {"1__", "1"},
      {"nan", "\"nan\""},
  };
  for (const auto& c : cases)
    EXPECT_EQ(read(c[0]), c[1]) << c[0];
}

TEST(ReadYaml, KeysBecomeStrings) {
  EXPECT_EQ(read("1: a\n0x10: b\non: c\n'on': d\n1.5: e\n\"\": f\n"),
            R"({"1":"a","16":"b","true":"c","on":"d","1.5":"e","":"f"})");
}

TEST(ReadYaml, RefusesWhatKubernetesDoesNotNeed) {
  for (const char* text : {"a: &x 1\n",
                           "a: &x [1]\n",
                           "&x {a: 1}",
                           "a: *x\n",
                           "a: !!str 1\n",
                           "a: !foo {}\n",
                           "a: !!seq []\n",
                           "--- 1\n--- 2\n",
                           "[a]: 1\n",
                           "{a: 1}: 2\n",
                           "~: 1\n",
                           "<<: {a: 1}\n",
                           "a: .inf\n",
                           "a: -.Inf\n",
                           "a: .nan\n",
                           "a: 9007199254740993\n",
                           "a: 0x7fffffffffffffffffffffff\n",
                           "a: 1e999\n",
                           "a: \"\\0\"\n",
                           "a: [1\n",
                           "a: }\n",
                           "\ta: 1\n",
                           "a: 1\n b: 2\n",
                           "a: \"\\xZZ\"\n",
                           "\xff",
                           "a: \x01\n"}) {
    EXPECT_EQ(read(text).substr(0, 20), "invalid YAML at line") << text;
  }
  EXPECT_EQ(read("a: 1\nb: *x\n"), "invalid YAML at line 2: aliases are not supported");
}

TEST(ReadYaml, KeepsItsBounds) {
  const auto nested = [](size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_EQ(read(nested(limits::kJsonDepthMax)), nested(limits::kJsonDepthMax));
  EXPECT_NE(read(nested(limits::kJsonDepthMax + 1)).find("nested too deeply"), std::string::npos);
  EXPECT_NE(read(std::string(100000, '[')).find("invalid YAML"), std::string::npos);
  std::string keys;
  for (size_t i = 0; i <= limits::kJsonKeysMax; i++)
    keys += "k" + std::to_string(i) + ": 1\n";
  EXPECT_NE(read(keys).find("too many keys"), std::string::npos);
}

TEST(ReadYaml, EmptyIsNull) {
  EXPECT_EQ(read(""), "null");
  EXPECT_EQ(read("# nothing\n"), "null");
  EXPECT_EQ(read("---\n...\n"), "null");
}

TEST(ReadYaml, LastDuplicateCountsAndIsNoted) {
  Tree tree;
  ParseNotes notes;
  auto root = tree.parse_yaml("spec:\n  a: 1\n  l:\n  - x: 1\n    x: 2\n  a: 3\n", &notes);
  ASSERT_TRUE(root);
  EXPECT_EQ(write(*root), R"({"spec":{"l":[{"x":2}],"a":3}})");
  EXPECT_EQ(notes.duplicates, (std::vector<std::string>{"spec.l[0].x", "spec.a"}));
}

TEST(WriteYaml, LooksLikeKubectl) {
  Tree tree;
  EXPECT_EQ(
      write_yaml(*tree.parse(
          R"({"kind":"Pod","a":"yes","b":"1","c":1,"d":null,"e":{},"f":[],)"
          R"("g":["x",{"k":"v","l":[1]}],"h":"one\ntwo\n","i":"a: b","j":"","k":true,"l":1.5})")),
      "a: \"yes\"\nb: \"1\"\nc: 1\nd: null\ne: {}\nf: []\ng:\n- x\n- k: v\n  l:\n  - 1\n"
      "h: |\n  one\n  two\ni: 'a: b'\nj: \"\"\nk: true\nkind: Pod\nl: 1.5\n");
}

TEST(WriteYaml, ReadsBackTheSame) {
  Tree from, to;
  const Node root = *from.parse(
      R"({"s":["yes","~","0x1F","-","- a","#x","a #b","a:","'q'","\"d\"","  lead","trail ","a\nb",)"
      R"("\n","x\n\n\n"," a\n b\n","tab\tx","\u0001","\u00e9\u20ac","\u2028","*a","&a","!t","%p","@x",)"
      R"("`x","{a","[a","|","> f","---","...","null","1e3","<<",".inf","a\r\nb","\u0085"],)"
      R"("yes":1,"1":2,"a: b":3,"x\ny":4})");
  const std::string yaml = write_yaml(root);
  auto again = to.parse_yaml(yaml);
  ASSERT_TRUE(again) << again.error().message << "\n" << yaml;
  EXPECT_TRUE(equal(*again, root)) << yaml;
}

TEST(WriteYaml, MakesBadBytesReadable) {
  Tree from, to;
  Node root = from.make_object();
  root.set("a", std::string_view("x\0y\xffz", 5));
  EXPECT_EQ(write(*to.parse_yaml(write_yaml(root))), "{\"a\":\"x\uFFFDy\uFFFDz\"}");
  EXPECT_EQ(write_yaml(Node()), "");
}

}  // namespace
}  // namespace coracle::json
