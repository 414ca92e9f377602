// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/discovery.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "api/kind.h"
#include "api/resources.h"
#include "base/bytes.h"
#include "json/tree.h"
#include "tests/unit/api/oracle.h"

namespace coracle::api {
namespace {

// Subresources that upstream has and Coracle does not serve yet.
constexpr std::string_view kNotListed[] = {"ephemeralcontainers", "proxy", "resize"};

bool is_listed(std::string_view name) {
  const std::string_view subresource =
      name.substr(name.find('/') == std::string_view::npos ? name.size() : name.find('/') + 1);
  return std::find(std::begin(kNotListed), std::end(kNotListed), subresource) ==
         std::end(kNotListed);
}

bool is_served(GroupVersion gv, std::string_view resource) {
  const std::string_view group = gv.group;
  const std::string_view plural = resource.substr(0, resource.find('/'));
  if (group == "authentication.k8s.io" || group == "authorization.k8s.io") return true;
  return (group.empty() && plural == "bindings") || find_kind(group, gv.version, plural) != nullptr;
}

json::Node find(json::Node list, std::string_view member, std::string_view value) {
  for (json::Node each : list) {
    if (each[member].string() == value) return each;
  }
  return {};
}

// In upstream's order: by group, the most stable and newest version first.
constexpr GroupVersion kServed[] = {
    {"", "v1"},
    {"apiextensions.k8s.io", "v1"},
    {"apps", "v1"},
    {"authentication.k8s.io", "v1"},
    {"authorization.k8s.io", "v1"},
    {"autoscaling", "v2"},
    {"autoscaling", "v1"},
    {"batch", "v1"},
    {"coordination.k8s.io", "v1"},
    {"discovery.k8s.io", "v1"},
    {"events.k8s.io", "v1"},
    {"metrics.k8s.io", "v1beta1"},  // upstream: by metrics-server
    {"networking.k8s.io", "v1"},
    {"node.k8s.io", "v1"},
    {"policy", "v1"},
    {"rbac.authorization.k8s.io", "v1"},
    {"scheduling.k8s.io", "v1"},
    {"storage.k8s.io", "v1"},
};

std::string path_of(GroupVersion gv) {
  return gv.group.empty() ? join({"api/", gv.version}) : join({"apis/", gv.group, "/", gv.version});
}

std::string file_of(GroupVersion gv) {
  if (gv.group.empty()) return join({"discovery/api__", gv.version, ".json"});
  return join({"discovery/apis__", gv.group, "__", gv.version, ".json"});
}

TEST(Discovery, ListsResourcesAsUpstream) {
  Documents documents;
  for (GroupVersion gv : kServed) {
    if (gv.group == "metrics.k8s.io") continue;
    const auto text = read_oracle(file_of(gv));
    if (!text) GTEST_SKIP() << "skipped: no oracle";
    json::Tree theirs;
    json::Tree ours;
    ASSERT_TRUE(theirs.parse(*text));
    const ServedDocument* document = documents.legacy_resources(gv.group, gv.version);
    ASSERT_NE(document, nullptr) << gv.group;
    ASSERT_TRUE(ours.parse(document->body));
    EXPECT_EQ(ours.root()["groupVersion"].string(), theirs.root()["groupVersion"].string());
    const json::Node resources = ours.root()["resources"];
    size_t expected = 0;
    for (json::Node resource : theirs.root()["resources"]) {
      const std::string_view name = resource["name"].string();
      if (!is_served(gv, name) || !is_listed(name)) continue;
      expected++;
      resource.remove("storageVersionHash");
      const json::Node mine = find(resources, "name", name);
      EXPECT_TRUE(json::equal(mine, resource)) << json::write(mine) << "\n"
                                               << json::write(resource);
    }
    EXPECT_EQ(resources.size(), expected) << gv.group << " " << json::write(resources);
  }
}

TEST(Discovery, AggregatesAsUpstream) {
  const auto text = read_oracle("discovery/aggregated_v2.json");
  if (!text) GTEST_SKIP() << "skipped: no oracle";
  Documents documents;
  json::Tree theirs;
  json::Tree ours;
  ASSERT_TRUE(theirs.parse(*text));
  ASSERT_TRUE(ours.parse(documents.aggregated(false).body));
  EXPECT_EQ(ours.root()["kind"].string(), theirs.root()["kind"].string());
  EXPECT_EQ(ours.root()["apiVersion"].string(), theirs.root()["apiVersion"].string());
  size_t versions = 1;  // of the core group
  for (json::Node group : ours.root()["items"]) {
    const std::string_view name = group["metadata"]["name"].string();
    json::Node their_versions;
    for (json::Node other : theirs.root()["items"]) {
      if (other["metadata"]["name"].string() == name) their_versions = other["versions"];
    }
    for (json::Node version : group["versions"]) {
      ++versions;
      const json::Node theirs_of = find(their_versions, "version", version["version"].string());
      EXPECT_EQ(version["freshness"].string(), "Current");
      if (name == "metrics.k8s.io") continue;
      for (json::Node resource : version["resources"]) {
        const json::Node twin =
            find(theirs_of["resources"], "resource", resource["resource"].string());
        EXPECT_TRUE(json::equal(resource, twin)) << json::write(resource) << "\n"
                                                 << json::write(twin);
      }
    }
  }
  EXPECT_EQ(versions, std::size(kServed));
}

TEST(Discovery, AggregatesTheCoreGroup) {
  Documents documents;
  json::Tree tree;
  ASSERT_TRUE(tree.parse(documents.aggregated(true).body));
  const json::Node items = tree.root()["items"];
  ASSERT_EQ(items.size(), 1U);
  const json::Node resources = items.at(0)["versions"].at(0)["resources"];
  const json::Node pods = find(resources, "resource", "pods");
  EXPECT_EQ(json::write(find(pods["subresources"], "subresource", "eviction")["responseKind"]),
            R"({"group":"policy","version":"v1","kind":"Eviction"})");
  EXPECT_EQ(pods["scope"].string(), "Namespaced");
  EXPECT_EQ(find(resources, "resource", "nodes")["scope"].string(), "Cluster");
}

TEST(Discovery, ListsGroupsAsUpstream) {
  Documents documents;
  json::Tree ours;
  ASSERT_TRUE(ours.parse(documents.legacy_groups().body));
  std::vector<GroupVersion> listed{{"", "v1"}};
  for (json::Node group : ours.root()["groups"]) {
    for (json::Node version : group["versions"])
      listed.push_back({group["name"].string(), version["version"].string()});
  }
  EXPECT_TRUE(std::equal(listed.begin(), listed.end(), std::begin(kServed), std::end(kServed)));
  for (json::Node group : ours.root()["groups"]) {
    if (group["name"].string() == "metrics.k8s.io") continue;
    const auto text = read_oracle(join({"discovery/apis__", group["name"].string(), ".json"}));
    if (!text) GTEST_SKIP() << "skipped: no oracle";
    json::Tree theirs;
    ASSERT_TRUE(theirs.parse(*text));
    json::Tree one;
    const ServedDocument* document = documents.legacy_group(group["name"].string());
    ASSERT_NE(document, nullptr);
    ASSERT_TRUE(one.parse(document->body));
    for (std::string_view member : {"kind", "apiVersion", "name", "preferredVersion"}) {
      EXPECT_TRUE(json::equal(one.root()[member], theirs.root()[member]))
          << member << document->body;
    }
  }
}

TEST(Discovery, KnowsWhatIsNotServed) {
  Documents documents;
  EXPECT_EQ(documents.legacy_group(""), nullptr);
  EXPECT_EQ(documents.legacy_group("example.com"), nullptr);
  EXPECT_EQ(documents.legacy_resources("apps", "v1beta1"), nullptr);
  EXPECT_EQ(documents.legacy_resources("", "v2"), nullptr);
  EXPECT_EQ(documents.openapi_v3("example.com", "v1"), nullptr);
}

TEST(Discovery, NamesTheServerThatWasAsked) {
  Documents documents;
  EXPECT_NE(documents.legacy_api_versions("10.0.0.1:6443").body.find("10.0.0.1:6443"),
            std::string::npos);
  EXPECT_NE(documents.legacy_api_versions("10.0.0.2:6443").body.find("10.0.0.2:6443"),
            std::string::npos);
}

// Every reference must lead somewhere.
void check_references(json::Node node, json::Node schemas, size_t& count) {
  constexpr std::string_view kPrefix = "#/components/schemas/";
  for (json::Node child : node) {
    if (child.key() == "$ref" && child.is_string()) {
      count++;
      const std::string_view reference = child.string();
      ASSERT_TRUE(reference.starts_with(kPrefix)) << reference;
      EXPECT_TRUE(schemas[reference.substr(kPrefix.size())]) << reference;
    }
    check_references(child, schemas, count);
  }
}

TEST(OpenApi, IsWholeForEveryGroupVersion) {
  Documents documents;
  json::Tree index;
  ASSERT_TRUE(index.parse(documents.openapi_v3_index().body));
  EXPECT_EQ(index.root()["paths"].size(), std::size(kServed));
  for (GroupVersion gv : kServed) {
    const ServedDocument* document = documents.openapi_v3(gv.group, gv.version);
    ASSERT_NE(document, nullptr);
    const std::string path = path_of(gv);
    EXPECT_EQ(index.root()["paths"][path]["serverRelativeURL"].string(),
              join({"/openapi/v3/", path, "?hash=", document->hash}));
    json::Tree tree;
    ASSERT_TRUE(tree.parse(document->body)) << path;
    size_t references = 0;
    check_references(tree.root(), tree.root()["components"]["schemas"], references);
    EXPECT_GT(references, 10U);
  }
  documents.forget_openapi();
}

// cli-runtime pkg/resource/query_param_verifier_v3.go: a PATCH of the kind with the parameter
// fieldValidation.
TEST(OpenApi, TellsKubectlThatFieldsAreValidated) {
  Documents documents;
  for (const Kind* kind : all_kinds()) {
    json::Tree tree;
    ASSERT_TRUE(tree.parse(documents.openapi_v3(kind->group, kind->version)->body));
    bool found = false;
    for (json::Node path : tree.root()["paths"]) {
      const json::Node patch = path["patch"];
      const json::Node type = patch["x-kubernetes-group-version-kind"];
      if (type["kind"].string() != kind->name || type["group"].string() != kind->group) continue;
      found = found || find(patch["parameters"], "name", "fieldValidation");
    }
    EXPECT_TRUE(found) << kind->name;
  }
}

// kubectl explain: the path leads to the kind, the kind to the schema.
TEST(OpenApi, LeadsExplainFromThePathToTheFields) {
  Documents documents;
  json::Tree tree;
  ASSERT_TRUE(tree.parse(documents.openapi_v3("apps", "v1")->body));
  const json::Node get =
      tree.root()["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments"]["get"];
  EXPECT_EQ(json::write(get["x-kubernetes-group-version-kind"]),
            R"({"group":"apps","version":"v1","kind":"Deployment"})");
  const json::Node schemas = tree.root()["components"]["schemas"];
  const json::Node deployment = schemas["io.k8s.api.apps.v1.Deployment"];
  EXPECT_EQ(json::write(deployment["x-kubernetes-group-version-kind"]),
            R"([{"group":"apps","version":"v1","kind":"Deployment"}])");
  EXPECT_FALSE(deployment["description"].string().empty());
  const json::Node ports = schemas["io.k8s.api.core.v1.Container"]["properties"]["ports"];
  EXPECT_EQ(json::write(ports["x-kubernetes-list-map-keys"]), R"(["containerPort","protocol"])");
  EXPECT_EQ(ports["x-kubernetes-list-type"].string(), "map");
  EXPECT_EQ(ports["x-kubernetes-patch-merge-key"].string(), "containerPort");
  EXPECT_EQ(ports["x-kubernetes-patch-strategy"].string(), "merge");
}

// For `kubectl explain`. Kinds of volume that no gateway serves are left without.
TEST(OpenApi, DescribesTheFieldsThatPeopleUse) {
  Documents documents;
  json::Tree tree;
  ASSERT_TRUE(tree.parse(documents.openapi_v3("apps", "v1")->body));
  const json::Node schemas = tree.root()["components"]["schemas"];
  for (const char* name :
       {"apps.v1.Deployment", "apps.v1.DeploymentSpec", "apps.v1.DeploymentStatus",
        "core.v1.PodSpec", "core.v1.Container", "core.v1.ContainerPort", "core.v1.EnvVar",
        "core.v1.Probe", "core.v1.Volume", "core.v1.VolumeMount", "core.v1.ResourceRequirements"}) {
    const json::Node schema = schemas[join({"io.k8s.api.", name})];
    EXPECT_TRUE(schema["description"]) << name;
    EXPECT_TRUE(schema["properties"].first()) << name;
    for (json::Node property : schema["properties"]) {
      EXPECT_TRUE(property["description"]) << name << "." << property.key();
    }
  }
}

TEST(OpenApi, IsSmall) {
  Documents documents;
  EXPECT_LT(documents.openapi_v3("", "v1")->body.size(), 400'000U);
}

}  // namespace
}  // namespace coracle::api
