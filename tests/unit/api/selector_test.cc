// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/selector.h"

#include <gtest/gtest.h>

namespace coracle::api {
namespace {

bool matches(std::string_view selector, std::string_view labels) {
  const auto parsed = LabelSelector::parse(selector);
  EXPECT_TRUE(parsed) << selector;
  json::Tree tree;
  return parsed && parsed->matches(*tree.parse(labels));
}

TEST(LabelSelector, Matches) {
  constexpr std::string_view kLabels = R"({"app":"web","tier":"front","n":"5","empty":""})";
  for (const char* yes :
       {"", "app=web", "app==web", "app!=db", "missing!=x", "app in (db, web)", "app notin (db)",
        "missing notin (a)", "app", "!missing", "n>4", "n<6", "empty=", "app=web,tier=front",
        " app = web , !missing ", "empty in (,a)"}) {
    EXPECT_TRUE(matches(yes, kLabels)) << yes;
  }
  for (const char* no : {"app=db", "app!=web", "app in (db)", "app notin (web)", "missing", "!app",
                         "n>5", "n<5", "app>1", "missing=", "app=web,tier=back"}) {
    EXPECT_FALSE(matches(no, kLabels)) << no;
  }
}

TEST(LabelSelector, TakesLabelsThatAreCalledLikeOperators) {
  EXPECT_TRUE(matches("in", R"({"in":"x"})"));
  EXPECT_TRUE(matches("notin in (in)", R"({"notin":"in"})"));
}

TEST(LabelSelector, RefusesNonsense) {
  for (const char* bad :
       {",",   "a,",  "=a",  "a=b=c", "a in", "a in (", "a in (b",    "a in b", "!",  "!a=b",
        "a b", "a>x", "(a)", "a=b c", "-a=b", "a=-b",   "a in (b) c", "a/b/c",  "a!", "\xff"}) {
    const auto parsed = LabelSelector::parse(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, Code::kBadRequest) << bad;
  }
}

TEST(LabelSelector, HasACanonicalText) {
  const auto text = [](std::string_view selector) {
    return LabelSelector::parse(selector)->text();
  };
  EXPECT_EQ(text("b=2,a in (y,x),!c,d notin (z,w),e"), "a in (x,y),b=2,!c,d notin (w,z),e");
  EXPECT_EQ(text("a!=b"), "a!=b");
}

TEST(LabelSelector, OfAnObjectMatchesNothingWhenAbsentAndAllWhenEmpty) {
  json::Tree tree;
  const json::Node labels = *tree.parse(R"({"app":"web"})");
  EXPECT_FALSE(LabelSelector::from_object(json::Node()).matches(labels));
  json::Tree empty;
  EXPECT_TRUE(LabelSelector::from_object(empty.make_object()).matches(labels));
  EXPECT_FALSE(LabelSelector::from_map(json::Node()).matches(labels));
  json::Tree full;
  const json::Node selector = *full.parse(
      R"({"matchLabels":{"app":"web"},"matchExpressions":[{"key":"x","operator":"DoesNotExist"},)"
      R"({"key":"app","operator":"In","values":["web","db"]},{"key":"app","operator":"Exists"}]})");
  EXPECT_TRUE(LabelSelector::from_object(selector).matches(labels));
  json::Tree other;
  EXPECT_FALSE(
      LabelSelector::from_object(selector).matches(*other.parse(R"({"app":"web","x":""})")));
}

std::string node_name(json::Node object) {
  return std::string(object["spec"]["nodeName"].string());
}
constexpr SelectableField kSelectable[] = {{"spec.nodeName", node_name}};
constexpr Kind kThing{.group = "",
                      .version = "v1",
                      .name = "Thing",
                      .plural = "things",
                      .singular = "thing",
                      .selectable = kSelectable};

TEST(FieldSelector, Matches) {
  json::Tree tree;
  const json::Node object =
      *tree.parse(R"({"metadata":{"name":"a","namespace":"n"},"spec":{"nodeName":"x,y"}})");
  for (const char* yes : {"", "metadata.name=a", "metadata.name==a", "metadata.namespace!=m",
                          "spec.nodeName=x\\,y", "metadata.name=a,spec.nodeName!="}) {
    EXPECT_TRUE(FieldSelector::parse(kThing, yes)->matches(object)) << yes;
  }
  for (const char* no : {"metadata.name=b", "metadata.name!=a",
                         "spec.nodeName=", "metadata.name=a,metadata.name=b"}) {
    EXPECT_FALSE(FieldSelector::parse(kThing, no)->matches(object)) << no;
  }
}

TEST(FieldSelector, TellsTheNameThatItAsksFor) {
  EXPECT_EQ(
      FieldSelector::parse(kThing, "metadata.name=a,spec.nodeName!=b")->required("metadata.name"),
      "a");
  EXPECT_EQ(FieldSelector::parse(kThing, "metadata.name!=a")->required("metadata.name"), "");
}

TEST(FieldSelector, RefusesNonsense) {
  EXPECT_EQ(FieldSelector::parse(kThing, "spec.foo=a").error().message,
            "field label not supported: spec.foo");
  EXPECT_EQ(FieldSelector::parse(kThing, "a").error().message,
            "invalid selector: 'a'; can't understand 'a'");
  for (const char* bad : {"=a", "metadata.name=\\x", "metadata.name=a=b", "metadata.name=a\\"}) {
    EXPECT_EQ(FieldSelector::parse(kThing, bad).error().code, Code::kBadRequest) << bad;
  }
}

}  // namespace
}  // namespace coracle::api
