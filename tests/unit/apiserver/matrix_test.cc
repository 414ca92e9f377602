// SPDX-License-Identifier: GPL-2.0-or-later
// Generated cases: who may do what with every kind, and what every kind answers to bad input.
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "api/kind.h"
#include "tests/unit/apiserver/bench.h"

namespace coracle::apiserver {
namespace {

std::vector<const api::Kind*> every_kind() {
  std::vector<const api::Kind*> kinds;
  for (const api::Kind* kind : api::all_kinds()) {
    if (!kind->is_custom) kinds.push_back(kind);
  }
  for (const api::Kind* kind : api::twin_kinds())
    kinds.push_back(kind);
  return kinds;
}

std::string collection(const api::Kind& kind, std::string_view ns) {
  const std::string in = kind.namespaced ? join({"/namespaces/", ns}) : std::string();
  return join(
      {kind.group.empty() ? "/api/" : "/apis/", api::group_version(kind), in, "/", kind.plural});
}

bool is_among(const api::Kind& kind, std::string_view list) {
  for (std::string_view each : split(list, ' ')) {
    if (each == api::group_resource(kind)) return true;
  }
  return false;
}

// --- who may do what: kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go

constexpr std::string_view kSeenByViewers =
    "configmaps endpoints persistentvolumeclaims pods replicationcontrollers serviceaccounts "
    "services events limitranges resourcequotas namespaces controllerrevisions.apps "
    "daemonsets.apps deployments.apps replicasets.apps statefulsets.apps "
    "horizontalpodautoscalers.autoscaling cronjobs.batch jobs.batch poddisruptionbudgets.policy "
    "ingresses.networking.k8s.io networkpolicies.networking.k8s.io "
    "endpointslices.discovery.k8s.io";
constexpr std::string_view kSeenByEditors = "secrets leases.coordination.k8s.io";
constexpr std::string_view kChangedByEditors =
    "pods configmaps events persistentvolumeclaims replicationcontrollers secrets serviceaccounts "
    "services daemonsets.apps deployments.apps replicasets.apps statefulsets.apps "
    "horizontalpodautoscalers.autoscaling cronjobs.batch jobs.batch poddisruptionbudgets.policy "
    "ingresses.networking.k8s.io networkpolicies.networking.k8s.io leases.coordination.k8s.io";
constexpr std::string_view kOfAdmins =
    "roles.rbac.authorization.k8s.io rolebindings.rbac.authorization.k8s.io";

enum class Actor : uint8_t { kMaster, kViewer, kViewerHere, kEditorHere, kAdminHere, kNobody };
constexpr std::string_view kActors[] = {"master", "viewer", "vic", "eve", "ada", "bob"};

bool reads_what(Actor actor, const api::Kind& kind) {
  if (is_among(kind, kSeenByViewers)) return true;
  if (actor == Actor::kViewer || actor == Actor::kViewerHere) return false;
  if (is_among(kind, kSeenByEditors)) return true;
  return actor == Actor::kAdminHere && is_among(kind, kOfAdmins);
}

bool may(Actor actor, bool reading, const api::Kind& kind, std::string_view ns) {
  if (actor == Actor::kMaster) return true;
  if (actor == Actor::kNobody) return false;
  const bool everywhere = actor == Actor::kViewer;
  if (!everywhere && (!kind.namespaced || ns != "default")) return false;
  if (reading) return reads_what(actor, kind);
  if (actor == Actor::kViewer || actor == Actor::kViewerHere) return false;
  return is_among(kind, kChangedByEditors) ||
         (actor == Actor::kAdminHere && is_among(kind, kOfAdmins));
}

struct Deed {
  std::string_view method;
  std::string_view below;  // of the collection
  bool reading;
};
// Nothing is changed: bodies are no objects, names mean nothing, and the rest is a dry run.
constexpr Deed kDeeds[] = {
    {"GET", "/zz", true},
    {"GET", "", true},
    {"GET", "?watch=true&timeoutSeconds=1", true},
    {"POST", "", false},
    {"PUT", "/zz", false},
    {"PATCH", "/zz", false},
    {"DELETE", "/zz", false},
    {"DELETE", "?dryRun=All", false},
};

void bind(Bench& bench, std::string_view where, std::string_view role, std::string_view user) {
  const bool here = !where.empty();
  auto made = bench.create(
      join({"/apis/rbac.authorization.k8s.io/v1", where,
            here ? "/rolebindings" : "/clusterrolebindings"}),
      join({R"({"metadata":{"name":")", user, R"("},"roleRef":{"kind":"ClusterRole","name":")",
            role, R"("},"subjects":[{"kind":"User","name":")", user, R"("}]})"}));
  ASSERT_EQ(made->status, 201) << made->body;
}

// The aggregated roles are filled by a controller, which is not here.
void fill_role(Bench& bench, std::string_view role, std::vector<std::string_view> parts) {
  std::string rules;
  for (std::string_view part : parts) {
    auto read = bench.get(join({"/apis/rbac.authorization.k8s.io/v1/clusterroles/", part}));
    for (const json::Node rule : read->json()["rules"])
      rules += join({rules.empty() ? "" : ",", json::write(rule)});
  }
  auto done = bench.merge(join({"/apis/rbac.authorization.k8s.io/v1/clusterroles/", role}),
                          join({R"({"rules":[)", rules, "]}"}));
  ASSERT_EQ(done->status, 200) << done->body;
}

TEST(Matrix, EveryActorMayDoWithEveryKindWhatUpstreamsRolesSay) {
  Bench bench;
  constexpr std::string_view kView = "system:aggregate-to-view";
  constexpr std::string_view kEdit = "system:aggregate-to-edit";
  fill_role(bench, "view", {kView});
  fill_role(bench, "edit", {kView, kEdit});
  fill_role(bench, "admin", {kView, kEdit, "system:aggregate-to-admin"});
  bind(bench, "", "view", "viewer");
  bind(bench, "/namespaces/default", "view", "vic");
  bind(bench, "/namespaces/default", "edit", "eve");
  bind(bench, "/namespaces/default", "admin", "ada");
  size_t cases = 0;
  for (const api::Kind* kind : every_kind()) {
    for (std::string_view ns : {"default", "kube-system"}) {
      if (!kind->namespaced && ns != "default") continue;
      for (size_t at = 0; at < std::size(kActors); ++at) {
        for (const Deed& deed : kDeeds) {
          Ask ask{.method = deed.method, .path = {}, .user = kActors[at], .groups = {}};
          const std::string path = collection(*kind, ns) + std::string(deed.below);
          ask.path = path;
          if (at == 0) ask.groups = {"system:masters"};
          ask.body = deed.method == "GET" || deed.method == "DELETE" ? "" : "[]";
          auto answer = bench.begin(ask);
          const bool allowed = may(static_cast<Actor>(at), deed.reading, *kind, ns);
          EXPECT_EQ(answer->status != 403, allowed)
              << kActors[at] << " " << deed.method << " " << path << " " << answer->status;
          if (!answer->finished) bench.server->on_gone(*answer);
          ++cases;
        }
      }
    }
  }
  EXPECT_GE(cases, 2000u);
  // The namespace itself is in the namespace (apiserver pkg/endpoints/request/requestinfo.go).
  const auto get = [&](std::string_view path) {
    return bench.begin({.path = path, .user = "vic", .groups = {}})->status;
  };
  EXPECT_EQ(get("/api/v1/namespaces/default"), 200);
  EXPECT_EQ(get("/api/v1/namespaces/kube-system"), 403);
  EXPECT_EQ(get("/api/v1/namespaces"), 403);
}

// --- bad input

struct BadBody {
  std::string_view what;
  std::string_view body;
  int status;
};
constexpr std::string_view kNul("{\"metadata\":{\"name\":\"a\\u0000\"}}");
constexpr BadBody kBadBodies[] = {
    {"nothing", "", 400},
    {"blank", "  \n", 400},
    {"half an object", "{", 400},
    {"half a string", "{\"a", 400},
    {"half a number", "{\"metadata\":{\"generation\":-}}", 400},
    {"a list", "[]", 400},
    {"a word", "true", 400},
    {"null", "null", 400},
    {"a text", "\"x\"", 400},
    {"two documents", "{} {}", 400},
    {"trailing bytes", "{}x", 400},
    {"a trailing comma", "{\"metadata\":{},}", 400},
    {"a comment", "{/**/}", 400},
    {"single quotes", "{'metadata':{}}", 400},
    {"NUL in a text", kNul, 400},
    {"a control character", "{\"metadata\":{\"name\":\"a\nb\"}}", 400},
    {"bad UTF-8", "{\"metadata\":{\"name\":\"\xc3\x28\"}}", 400},
    {"a lone surrogate", "{\"metadata\":{\"name\":\"\\ud800\"}}", 400},
    {"a bad escape", "{\"metadata\":{\"name\":\"\\x\"}}", 400},
    {"not a number", "{\"metadata\":{\"generation\":NaN}}", 400},
    {"a leading zero", "{\"metadata\":{\"generation\":01}}", 400},
    {"another kind", "{\"kind\":\"Wrong\"}", 400},
    {"another version", "{\"apiVersion\":\"v9\"}", 400},
    {"a kind that is no text", "{\"kind\":7}", 400},
    {"metadata that is a list", "{\"metadata\":[]}", 400},
    {"metadata that is a text", "{\"metadata\":\"x\"}", 400},
    {"a name that is a number", "{\"metadata\":{\"name\":7}}", 400},
    {"labels that are a list", "{\"metadata\":{\"name\":\"zz\",\"labels\":[\"a\"]}}", 400},
    {"a label that is a number", "{\"metadata\":{\"name\":\"zz\",\"labels\":{\"a\":1}}}", 400},
    {"a note that is true", "{\"metadata\":{\"name\":\"zz\",\"annotations\":{\"a\":true}}}", 400},
    {"finalizers that are a text", "{\"metadata\":{\"name\":\"zz\",\"finalizers\":\"a\"}}", 400},
    {"a generation that is a text", "{\"metadata\":{\"name\":\"zz\",\"generation\":\"1\"}}", 400},
    {"a time that is none", "{\"metadata\":{\"name\":\"zz\",\"creationTimestamp\":\"x\"}}", 400},
    {"an owner that is a text", "{\"metadata\":{\"name\":\"zz\",\"ownerReferences\":[\"a\"]}}",
     400},
};

constexpr std::string_view kModes[] = {"", "dryRun=All", "fieldValidation=Strict",
                                       "fieldValidation=Ignore&fieldManager=me"};

TEST(Matrix, EveryKindRefusesBodiesThatAreNoObjects) {
  Bench bench;
  size_t cases = 0;
  for (const api::Kind* kind : every_kind()) {
    const std::string here = collection(*kind, "default");
    for (const BadBody& bad : kBadBodies) {
      for (std::string_view mode : kModes) {
        for (std::string_view method : {"POST", "PUT"}) {
          const std::string path = join({here, method == "PUT" ? "/zz?" : "?", mode});
          auto answer = bench.begin({.method = method, .path = path, .body = bad.body});
          EXPECT_EQ(answer->status, bad.status)
              << method << " " << path << " " << bad.what << ": " << answer->body;
          EXPECT_EQ(answer->reason(), "BadRequest") << path;
          ++cases;
        }
      }
    }
  }
  EXPECT_GE(cases, 5000u);
}

struct BadCall {
  std::string_view method;
  std::string_view below;
  std::string_view body;
  std::string_view type;
  int status;
  std::string_view accept = {};
};
constexpr std::string_view kMerge = "application/merge-patch+json";
constexpr BadCall kBadCalls[] = {
    {"GET", "?limit=x", "", "", 400},
    {"GET", "?limit=1.5", "", "", 400},
    {"GET", "?timeoutSeconds=x", "", "", 400},
    {"GET", "?resourceVersion=x", "", "", 400},
    {"GET", "?resourceVersion=-1", "", "", 400},
    {"GET", "?fieldSelector=spec.nope%3D1", "", "", 400},
    {"GET", "?fieldSelector=metadata.name", "", "", 400},
    {"GET", "?labelSelector=a%20in", "", "", 400},
    {"GET", "?labelSelector=a%3D-b-", "", "", 400},
    {"GET", "?continue=zzz", "", "", 400},
    {"GET", "?watch=true&resourceVersion=x", "", "", 400},
    {"GET", "?resourceVersionMatch=Exact", "", "", 422},
    {"GET", "?resourceVersionMatch=Nearly&resourceVersion=1", "", "", 422},
    {"GET", "?resourceVersionMatch=Exact&resourceVersion=0", "", "", 422},
    {"GET", "?sendInitialEvents=true", "", "", 422},
    {"GET", "?watch=true&sendInitialEvents=true", "", "", 422},
    {"GET", "?resourceVersion=999999999&resourceVersionMatch=NotOlderThan", "", "", 504},
    {"GET", "/zz", "", "", 404},
    {"GET", "/zz", "", "", 404, "text/html"},
    {"GET", "", "", "", 406, "text/html"},
    {"GET", "", "", "", 406, "application/json;as=Nothing;g=meta.k8s.io;v=v1"},
    {"GET", "/zz/nope", "", "", 404},
    {"GET", "/zz/status/more", "", "", 404},
    {"POST", "", "{}", "text/plain", 415},
    {"POST", "", "{}", "application/xml", 415},
    {"POST", "", "&a [*a]", "application/yaml", 400},
    {"POST", "", "a: 1\n---\nb: 2\n", "application/yaml", 400},
    {"POST", "", "\tx: [", "application/yaml", 400},
    {"POST", "?dryRun=Some", "{\"metadata\":{\"name\":\"zz\"}}", "", 422},
    {"POST", "?fieldValidation=Loose", "{\"metadata\":{\"name\":\"zz\"}}", "", 422},
    {"POST", "", "{\"metadata\":{\"name\":\"zz\",\"resourceVersion\":\"7\"}}", "", 400},
    {"POST", "?fieldValidation=Strict", "{\"metadata\":{\"name\":\"zz\"},\"nope\":1}", "", 400},
    {"POST", "?fieldValidation=Strict", "{\"metadata\":{\"name\":\"zz\",\"name\":\"zz\"}}", "",
     400},
    {"POST", "", "{\"metadata\":{\"labels\":{\"-\":\"\"}}}", "", 422},
    {"POST", "", "{\"metadata\":{\"name\":\"a/b\"}}", "", 422},
    {"POST", "", "{\"metadata\":{\"name\":\"..\"}}", "", 422},
    {"POST", "/zz", "{}", "", 405},
    {"PUT", "", "{}", "", 405},
    {"PATCH", "", "{}", kMerge, 405},
    {"PUT", "/zz", "{\"metadata\":{\"name\":\"other\"}}", "", 400},
    {"PUT", "/zz", "{\"metadata\":{}}", "", 400},
    {"PATCH", "/zz", "{}", "application/json", 415},
    {"PATCH", "/zz", "{}", "text/plain", 415},
    {"PATCH", "/zz?force=true", "{}", kMerge, 422},
    {"PATCH", "/zz", "{}", kMerge, 404},
    {"PATCH", "/zz", "[]", "application/json-patch+json", 404},
    {"PATCH", "/zz", "{}", "application/strategic-merge-patch+json", 404},
    {"PATCH", "/zz", "{}", "application/apply-patch+yaml", 422},
    {"PATCH", "/zz?fieldManager=me", "{}", "application/apply-patch+yaml", 400},
    {"PATCH", "/zz?fieldManager=me", "[", "application/apply-patch+yaml", 400},
    {"DELETE", "/zz", "", "", 404},
    {"DELETE", "/zz", "{", "", 400},
    {"DELETE", "/zz", "{\"kind\":\"Pod\"}", "", 400},
    {"DELETE", "/zz", "{\"gracePeriodSeconds\":\"x\"}", "", 400},
    {"DELETE", "/zz", "{\"propagationPolicy\":\"Sideways\"}", "", 422},
    {"DELETE", "/zz?dryRun=Some", "", "", 422},
    {"DELETE", "/zz", "{}", "text/plain", 415},
    {"TRACE", "", "", "", 405},
};

TEST(Matrix, EveryKindAnswersBadCallsExactly) {
  Bench bench;
  size_t cases = 0;
  for (const api::Kind* kind : every_kind()) {
    const std::string here = collection(*kind, "default");
    for (const BadCall& bad : kBadCalls) {
      const std::string path = join({here, bad.below});
      auto answer = bench.begin({.method = bad.method,
                                 .path = path,
                                 .body = bad.body,
                                 .type = bad.type,
                                 .accept = bad.accept});
      EXPECT_EQ(answer->status, bad.status) << bad.method << " " << path << " " << bad.body << " "
                                            << bad.type << ": " << answer->body;
      if (!answer->finished) bench.server->on_gone(*answer);
      ++cases;
    }
  }
  EXPECT_GE(cases, 2000u);
}

// --- server-side apply

// The manifests behind `create` in the golden scripts of the kinds.
std::vector<std::string> manifests_of(const std::filesystem::path& file) {
  std::vector<std::string> found;
  std::ifstream in(file);
  std::string line;
  bool taking = false;
  while (std::getline(in, line)) {
    if (line == "create") {
      found.emplace_back();
      taking = true;
    } else if (line == "----") {
      taking = false;
    } else if (taking) {
      found.back() += line + "\n";
    }
  }
  return found;
}

std::string path_of(json::Node object) {
  const std::string_view version = object["apiVersion"].string();
  const size_t slash = version.find('/');
  const bool core = slash == std::string_view::npos;
  const api::Kind* kind =
      api::find_kind_by_name(core ? "" : version.substr(0, slash),
                             core ? version : version.substr(slash + 1), object["kind"].string());
  if (kind == nullptr) return {};
  return join({collection(*kind, object["metadata"]["namespace"].string()), "/",
               object["metadata"]["name"].string()});
}

TEST(Matrix, ApplyingTwiceIsApplyingOnceForEveryKind) {
  Bench bench;
  std::set<std::string> namespaces;
  size_t applied = 0;
  const auto apply = [&](std::string_view path, std::string_view body) {
    return bench.call({.method = "PATCH",
                       .path = join({path, "?fieldManager=me&force=true"}),
                       .body = body,
                       .type = "application/apply-patch+yaml"});
  };
  for (const auto& file : std::filesystem::directory_iterator("tests/golden/kinds")) {
    for (const std::string& manifest : manifests_of(file.path())) {
      json::Tree tree;
      if (!tree.parse_yaml(manifest)) continue;
      const std::string path = path_of(tree.root());
      const std::string ns(tree.root()["metadata"]["namespace"].string());
      if (path.empty() || tree.root()["metadata"]["uid"]) continue;
      if (!ns.empty() && namespaces.insert(ns).second) {
        bench.create("/api/v1/namespaces", join({R"({"metadata":{"name":")", ns, R"("}})"}));
        bench.create(join({"/api/v1/namespaces/", ns, "/serviceaccounts"}),
                     R"({"metadata":{"name":"default"}})");
      }
      auto once = apply(path, manifest);
      if (once->status != 201) continue;  // a case of bad input, or made before
      // Who owns nothing is not noted, as upstream does.
      if (once->json()["metadata"]["managedFields"].size() == 0) continue;
      ++applied;
      bench.world.run_for(seconds(2));  // the time of the second apply is another
      auto twice = apply(path, manifest);
      EXPECT_EQ(twice->status, 200) << twice->body;
      EXPECT_EQ(twice->body, once->body);
      const json::Node own = once->json();
      own["metadata"].remove("managedFields");
      auto output = apply(path, json::write(own));
      EXPECT_EQ(output->status, 200) << path << output->body;
      json::Tree after;
      ASSERT_TRUE(after.parse(output->body));
      after.root()["metadata"].remove("managedFields");
      after.root()["metadata"].remove("resourceVersion");
      own["metadata"].remove("resourceVersion");
      EXPECT_TRUE(json::equal(after.root(), own)) << path << "\n"
                                                  << json::write(own) << "\n"
                                                  << output->body;
    }
  }
  EXPECT_GE(applied, 40u);
}

}  // namespace
}  // namespace coracle::apiserver
