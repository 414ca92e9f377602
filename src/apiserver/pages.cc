// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/pages.h"

#include <vector>

#include "apiserver/format.h"
#include "apiserver/openapi_v2.h"
#include "apiserver/server.h"
#include "base/bytes.h"
#include "json/writer.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kAggregated =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

Reply nothing_here() {
  return {404, {}, "404 page not found\n", kText};
}

bool below(std::string_view path, std::string_view root) {
  if (!path.starts_with(root)) return false;
  return path.size() == root.size() || path[root.size()] == '/';
}

std::string parameter(const Request& request, std::string_view wanted) {
  for (const auto& [name, value] : http::parse_query(request.http.query)) {
    if (name == wanted) return value;
  }
  return {};
}

bool has_parameter(const Request& request, std::string_view wanted) {
  for (const auto& [name, value] : http::parse_query(request.http.query)) {
    if (name == wanted) return true;
  }
  return false;
}

// If-None-Match: a list of quoted tags, or *.
bool tag_matches(std::string_view header, std::string_view tag) {
  for (std::string_view candidate : split(header, ',')) {
    candidate = trim(candidate);
    if (candidate.starts_with("W/")) candidate.remove_prefix(2);
    if (candidate == tag || candidate == "*") return true;
  }
  return false;
}

struct Check {
  std::string_view name;
  bool good;
};

Reply root_paths() {
  return {200,
          {},
          "{\"paths\":[\"/api\",\"/api/v1\",\"/apis\",\"/healthz\",\"/livez\",\"/openapi/v3\","
          "\"/readyz\",\"/version\"]}\n"};
}

}  // namespace

Result<Next> Pages::answer(Exchange& exchange) {
  const Request& request = exchange.request;
  const std::string_view path = request.http.path;
  Reply reply;
  if (path == "/version" || path == "/version/") {
    reply = version();
  } else if (below(path, "/livez")) {
    reply = health(request, "/livez");
  } else if (below(path, "/readyz")) {
    reply = health(request, "/readyz");
  } else if (below(path, "/healthz")) {
    reply = health(request, "/healthz");
  } else if (below(path, "/api") || below(path, "/apis")) {
    reply = discovery(request);
  } else if (below(path, "/openapi/v3")) {
    reply = openapi(request);
  } else if (path == "/openapi/v2" && accepts_openapi_v2(request)) {
    reply = {200, {}, openapi_v2_document(), kOpenapiV2Type};
  } else if (path == "/") {
    reply = root_paths();
  } else {
    reply = nothing_here();
  }
  exchange.reply(std::move(reply));
  return Next::kDone;
}

Reply Pages::document(const Request& request,
                      const api::ServedDocument* document,
                      std::string_view content_type) {
  if (document == nullptr) return nothing_here();
  const std::string tag = join({"\"", document->hash, "\""});
  Reply reply;
  reply.content_type = content_type;
  reply.headers.push_back({"etag", tag});
  reply.headers.push_back({"vary", "Accept"});
  if (tag_matches(request.http.header("if-none-match"), tag)) {
    reply.code = 304;
  } else {
    reply.text = document->body;
  }
  return reply;
}

Reply Pages::version() const {
  Reply reply;
  json::Writer out(reply.text);
  out.begin_object();
  out.member("major", std::string_view(options_.version.major));
  out.member("minor", std::string_view(options_.version.minor));
  out.member("emulationMajor", std::string_view(options_.version.major));
  out.member("emulationMinor", std::string_view(options_.version.minor));
  out.member("gitVersion", std::string_view(options_.version.git));
  out.member("gitCommit", std::string_view(options_.version.commit));
  out.member("gitTreeState", "clean");
  out.member("buildDate", std::string_view(options_.version.build_date));
  out.member("goVersion", "none");
  out.member("compiler", std::string_view(options_.version.compiler));
  out.member("platform", std::string_view(options_.version.platform));
  out.end_object();
  return reply;
}

// apiserver pkg/server/healthz: "ok", or one line a check if asked for or if one fails.
Reply Pages::health(const Request& request, std::string_view root) const {
  const bool ready = root != "/livez";
  const Check checks[] = {
      {"ping", true},
      {"store", !ready || !store_.figures().read_only},
      {"quorum", !ready || store_.membership().standing().leader != raft::kNobody},
      {"poststarthook/bootstrap", ready_ || !ready}};
  std::string_view one = request.http.path;
  one.remove_prefix(std::min(one.size(), root.size() + 1));
  bool good = true;
  bool found = one.empty();
  std::string lines;
  for (const Check& check : checks) {
    if (!one.empty() && one != check.name) continue;
    found = true;
    good = good && check.good;
    lines += join({check.good ? "[+]" : "[-]", check.name,
                   check.good ? " ok\n" : " failed: reason withheld\n"});
  }
  if (!found) return nothing_here();
  const std::string_view name = root.substr(1);
  if (good && !has_parameter(request, "verbose")) return {200, {}, "ok", kText};
  lines += join({name, good ? " check passed\n" : " check failed\n"});
  return {good ? 200 : 500, {}, lines, kText};
}

Reply Pages::discovery(const Request& request) {
  std::string_view path = request.http.path;
  while (path.ends_with('/'))
    path.remove_suffix(1);
  const std::vector<std::string_view> parts = split(path.substr(1), '/');
  const bool core = parts[0] == "api";
  if (parts.size() == 1) {
    if (accepts_aggregated_discovery(request)) {
      return document(request, &documents_.aggregated(core), kAggregated);
    }
    return document(request, core ? &documents_.legacy_api_versions(options_.server_address)
                                  : &documents_.legacy_groups());
  }
  if (core) return document(request, documents_.legacy_resources("", parts[1]));
  if (parts.size() == 2) return document(request, documents_.legacy_group(parts[1]));
  return document(request, documents_.legacy_resources(parts[1], parts[2]));
}

// /openapi/v3, /openapi/v3/api/v1, /openapi/v3/apis/G/V. With the right hash an answer never
// changes.
Reply Pages::openapi(const Request& request) {
  const std::vector<std::string_view> parts =
      split(std::string_view(request.http.path).substr(1), '/');
  if (parts.size() == 2) return document(request, &documents_.openapi_v3_index());
  const api::ServedDocument* found = nullptr;
  if (parts.size() == 4 && parts[2] == "api") found = documents_.openapi_v3("", parts[3]);
  if (parts.size() == 5 && parts[2] == "apis") found = documents_.openapi_v3(parts[3], parts[4]);
  Reply reply = document(request, found);
  const bool current = found != nullptr && parameter(request, "hash") == found->hash;
  documents_.forget_openapi();  // large, and asked for once by each client
  if (current) {
    reply.headers.push_back({"cache-control", "public, immutable, max-age=31536000"});
  }
  return reply;
}

}  // namespace coracle::apiserver
