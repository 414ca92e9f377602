// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/object.h"

#include <gtest/gtest.h>

#include "tests/unit/api/oracle.h"

namespace coracle::api {
namespace {

std::string normal(std::string_view text) {
  json::Tree tree;
  return normal_text(kPod, *tree.parse(text));
}

TEST(NormalForm, PutsTypeAndMetadataFirstAndDropsTheVersion) {
  EXPECT_EQ(
      normal(R"({"spec":{"b":1,"a":2},"metadata":{"resourceVersion":"7","name":"x"},"kind":"?"})"),
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"},"spec":{"b":1,"a":2}})");
  EXPECT_EQ(normal("{}"), R"({"kind":"Pod","apiVersion":"v1","metadata":{}})");
}

TEST(NormalForm, IsStable) {
  const std::string once =
      normal(R"({"metadata":{"name":"a\"b\\"},"x":[1,{"metadata":{"uid":"inner"}}]})");
  EXPECT_EQ(normal(once), once);
}

TEST(NormalForm, KeepsUpstreamsObjects) {
  for (const Kind* kind : all_kinds()) {
    if (kind == &kCustomResourceDefinition) continue;  // upstream has no vector of it
    const std::string group(kind->group.empty() ? "core" : kind->group);
    const auto text = read_oracle("api-testdata/" + group + "." + std::string(kind->version) + "." +
                                  std::string(kind->name) + ".json");
    if (!text) GTEST_SKIP() << "skipped: no oracle";
    json::Tree tree;
    ASSERT_TRUE(tree.parse(*text));
    const auto object = seal(*kind, tree.root(), 42);
    ASSERT_TRUE(object) << kind->name;
    EXPECT_EQ((*object)->name(), "nameValue");
    EXPECT_EQ((*object)->uid(), "uidValue");
    EXPECT_EQ((*object)->ns(), "namespaceValue");
    EXPECT_TRUE((*object)->deleting());
    json::Tree back;
    const json::Node parsed = (*object)->parse(back);
    tree.root()["metadata"].set("resourceVersion", "42");
    EXPECT_TRUE(json::equal(parsed, tree.root())) << kind->name;
  }
}

TEST(Object, ReadsItsIdentityWithoutATree) {
  const auto object = make_object(
      kPod,
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"annotations":{"name":"no","x":"}\\\"{"},"name":"web","namespace":"d",)"
      R"("labels":{},"uid":"u-1","ownerReferences":[{"uid":"other","n":-1.5e3,"c":true}]},"spec":{"name":"no"}})",
      7);
  ASSERT_TRUE(object);
  EXPECT_EQ((*object)->name(), "web");
  EXPECT_EQ((*object)->ns(), "d");
  EXPECT_EQ((*object)->uid(), "u-1");
  EXPECT_EQ((*object)->version(), 7U);
  EXPECT_FALSE((*object)->deleting());
  EXPECT_EQ((*object)->key(), "/registry/pods/d/web");
}

TEST(Object, SplicesTheVersionIn) {
  std::string out = "[";
  splice_version(out, R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"}})",
                 18446744073709551615U);
  EXPECT_EQ(
      out,
      R"([{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"18446744073709551615","name":"x"}})");
  out.clear();
  splice_version(out, R"({"kind":"Pod","apiVersion":"v1","metadata":{}})", 1);
  EXPECT_EQ(out, R"({"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"1"}})");
}

TEST(Object, IsRefusedWhenDamaged) {
  const std::string good =
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"x","uid":"u","labels":{"a":"b"}},"spec":{}})";
  ASSERT_TRUE(make_object(kPod, good, 1));
  for (size_t size = 0; size < good.size(); size++) {
    const auto object = make_object(kPod, good.substr(0, size), 1);
    if (!object) {
      EXPECT_EQ(object.error().code, Code::kCorrupt);
    }
  }
  EXPECT_FALSE(make_object(kNode, good, 1));
  EXPECT_FALSE(make_object(kPod, "", 1));
  EXPECT_FALSE(make_object(kPod, "{}", 1));
  EXPECT_FALSE(make_object(
      kPod, R"({"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"1"}})", 1));
  EXPECT_FALSE(make_object(kPod, R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":1}})", 1));
  EXPECT_FALSE(
      make_object(kPod, R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a\"b"}})", 1));
}

TEST(StorageKey, IsReadBack) {
  EXPECT_EQ(storage_key(kPod, "default", "web"), "/registry/pods/default/web");
  EXPECT_EQ(storage_key(kDeployment, "default", "web"), "/registry/apps/deployments/default/web");
  EXPECT_EQ(storage_key(kNode, "", "n1"), "/registry/nodes/n1");
  for (const Kind* kind : all_kinds()) {
    const std::string key = storage_key(*kind, kind->namespaced ? "ns" : "", "a.b");
    EXPECT_TRUE(key.starts_with(storage_prefix(*kind)));
    const StoredName stored = parse_storage_key(key);
    EXPECT_EQ(stored.kind, kind);
    EXPECT_EQ(stored.ns, kind->namespaced ? "ns" : "");
    EXPECT_EQ(stored.name, "a.b");
  }
}

TEST(StorageKey, OfNoKindIsRefused) {
  for (const char* bad :
       {"", "/", "/registry", "/registry/", "/registry/pods", "/registry/pods/", "/registry/pods/a",
        "/registry/pods//a", "/registry/pods/a/", "/registry/pods/a/b/c", "/registry/nodes/",
        "/registry/nodes/a/b", "/registry/apps/pods/a/b", "/registry/deployments/a/b",
        "registry/pods/a/b"}) {
    EXPECT_EQ(parse_storage_key(bad).kind, nullptr) << bad;
  }
}

TEST(KindTable, FindsKinds) {
  EXPECT_EQ(find_kind("", "v1", "pods"), &kPod);
  EXPECT_EQ(find_kind("apps", "v1", "deployments"), &kDeployment);
  EXPECT_EQ(find_kind("apps", "v1", "pods"), nullptr);
  EXPECT_EQ(find_kind("apps", "v2", "deployments"), nullptr);
  EXPECT_EQ(find_kind_by_name("coordination.k8s.io", "v1", "Lease"), &kLease);
  EXPECT_EQ(group_version(kDeployment), "apps/v1");
  EXPECT_EQ(group_resource(kDeployment), "deployments.apps");
  EXPECT_EQ(group_resource(kPod), "pods");
  EXPECT_EQ(group_kind(kReplicaSet), "ReplicaSet.apps");
}

}  // namespace
}  // namespace coracle::api
