// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "client/answer.h"
#include "client/cache.h"
#include "client/memory.h"
#include "client/needs.h"
#include "client/paths.h"
#include "port/sim/world.h"

namespace coracle::client {
namespace {

api::ObjectRef object(const api::Kind& kind, std::string_view name, uint64_t version) {
  json::Tree tree;
  const json::Node root = tree.make_object();
  root.object("metadata").set("name", name);
  if (kind.namespaced) root.object("metadata").set("namespace", "d");
  return *api::seal(kind, root, version);
}

TEST(Cache, NeverGoesBackInTime) {
  Cache cache;
  EXPECT_EQ(cache.put(object(api::kPod, "a", 5))->type, api::ChangeType::kAdded);
  EXPECT_FALSE(cache.put(object(api::kPod, "a", 5)));
  EXPECT_FALSE(cache.put(object(api::kPod, "a", 4)));
  EXPECT_EQ(cache.put(object(api::kPod, "a", 7))->type, api::ChangeType::kModified);
  EXPECT_FALSE(cache.remove({&api::kPod, "d", "a"}, 6));
  EXPECT_EQ(cache.remove({&api::kPod, "d", "a"}, 8)->type, api::ChangeType::kDeleted);
  EXPECT_FALSE(cache.get(api::kPod, "d", "a"));
  EXPECT_EQ(cache.version(), 8u);
}

TEST(Cache, ListsANamespaceInOrder) {
  Cache cache;
  for (const char* name : {"c", "a", "b"})
    cache.put(object(api::kPod, name, 1));
  cache.put(object(api::kNode, "n", 1));
  std::string names;
  api::for_each(cache, api::kPod, "d", [&](const api::ObjectRef& each) { names += each->name(); });
  api::for_each(cache, api::kPod, "e", [&](const api::ObjectRef& each) { names += each->name(); });
  EXPECT_EQ(names, "abc");
}

TEST(Needs, AreAllThatAPodNames) {
  json::Tree tree;
  const json::Node pod = *tree.parse(R"({"metadata":{"namespace":"d"},"spec":{
    "volumes":[{"secret":{"secretName":"s1"}},{"configMap":{"name":"c1"}},
      {"projected":{"sources":[{"configMap":{"name":"c2"}},{"secret":{"name":"s2"}},{"serviceAccountToken":{}}]}}],
    "containers":[{"envFrom":[{"configMapRef":{"name":"c3"}}],
      "env":[{"valueFrom":{"secretKeyRef":{"name":"s3","key":"k"}}}]}],
    "initContainers":[{"envFrom":[{"secretRef":{"name":"s1"}}]}],
    "imagePullSecrets":[{"name":"s4"}]}})");
  std::set<api::Key> needs;
  add_needs(pod, needs);
  std::string names;
  for (const char* kind : {"secrets", "configmaps"}) {
    for (const api::Key& key : needs) {
      if (key.kind->plural == kind) names += key.name + " ";
    }
  }
  EXPECT_EQ(names, "s1 s2 s3 s4 c1 c2 c3 ");
}

TEST(Memory, ComesBackWholeOrNotAtAll) {
  port_sim::World world(1);
  port::Disk& disk = world.machine().disk();
  EXPECT_EQ(read_memory(disk, "/memory").error().code, Code::kNotFound);
  Cache cache;
  cache.put(object(api::kPod, "a", 5));
  cache.put(object(api::kEndpointSlice, "s", 6));
  std::string text = memory_text(cache, {&api::kPod, &api::kEndpointSlice});
  ASSERT_TRUE(disk.replace_file("/memory", text, 0600));
  const auto read = read_memory(disk, "/memory");
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[1]->version(), 6u);
  EXPECT_EQ((*read)[1]->text(), cache.get(api::kEndpointSlice, "d", "s")->text());
  text[text.size() - 3] ^= 1;
  ASSERT_TRUE(disk.replace_file("/memory", text, 0600));
  EXPECT_EQ(read_memory(disk, "/memory").error().code, Code::kCorrupt);
}

TEST(Answer, TellsWhatTheStatusSays) {
  const Error gone = read_error(409, R"({"kind":"Status","reason":"AlreadyExists","message":"m"})");
  EXPECT_EQ(gone.code, Code::kAlreadyExists);
  EXPECT_EQ(gone.message, "m");
  EXPECT_EQ(read_error(409, R"({"reason":"Conflict"})").code, Code::kConflict);
  EXPECT_EQ(read_error(502, "<html>").code, Code::kInternal);
  EXPECT_FALSE(*read_answer(api::kPod, 200, R"({"kind":"Status","status":"Success"})"));
  const auto token = read_answer(api::kServiceAccount, 201,
                                 R"({"kind":"TokenRequest","apiVersion":"authentication.k8s.io/v1",
                                 "metadata":{"name":"a","namespace":"d"},"status":{"token":"t"}})");
  ASSERT_TRUE(token);
  EXPECT_EQ(&(*token)->kind(), &api::kServiceAccount);
}

TEST(Paths, LeadToCollectionsObjectsAndSubresources) {
  EXPECT_EQ(collection_path(api::kNode, ""), "/api/v1/nodes");
  EXPECT_EQ(object_path({&api::kLease, "kube-node-lease", "n"}, api::Subresource::kNone),
            "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n");
  EXPECT_EQ(object_path({&api::kPod, "d", "p"}, api::Subresource::kStatus),
            "/api/v1/namespaces/d/pods/p/status");
}

}  // namespace
}  // namespace coracle::client
