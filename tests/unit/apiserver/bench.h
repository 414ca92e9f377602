// SPDX-License-Identifier: GPL-2.0-or-later
// An API server on a simulated machine, asked through its Site with answers kept for the test to
// read.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/local_client.h"
#include "apiserver/server.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "http/server.h"
#include "json/tree.h"
#include "pki/certificate.h"
#include "port/sim/world.h"
#include "store/store.h"

namespace coracle::apiserver {

class Answer final : public http::Response {
 public:
  void start(int code, std::span<const http::Header> with) override {
    status = code;
    headers.assign(with.begin(), with.end());
  }
  void write(std::string_view bytes) override {
    body += bytes;
    unsent += bytes.size();
    most_unsent = std::max(most_unsent, unsent);
  }
  void finish() override { finished = true; }
  size_t backlog() const override { return stuck ? unsent : 0; }

  std::string_view header(std::string_view name) const {
    for (const http::Header& each : headers) {
      if (each.name == name) return each.value;
    }
    return {};
  }
  json::Node json() {
    auto parsed = tree.parse(body);
    return parsed ? *parsed : json::Node();
  }
  std::string_view reason() { return json()["reason"].string(); }
  std::string_view message() { return json()["message"].string(); }

  int status = 0;
  std::vector<http::Header> headers;
  std::string body;
  size_t unsent = 0;
  size_t most_unsent = 0;
  bool stuck = false;  // the client does not read
  bool finished = false;
  json::Tree tree;
};

struct Ask {
  std::string_view method = "GET";
  std::string_view path;  // with query
  std::string_view body = {};
  std::string_view type = {};
  std::string_view accept = {};
  std::string_view user = "admin";  // empty: no client certificate
  std::vector<std::string> groups = {"system:masters"};
  std::vector<http::Header> headers = {};
};

class Bench {
 public:
  explicit Bench(bool ready = true) {
    log_lane = machine.lane();
    state_lane = machine.lane();
    auto opened =
        store::open_store({"/store"}, machine.clock(), machine.disk(), *log_lane, *state_lane);
    ASSERT(opened.has_value());
    store = std::move(*opened);
    auto key = pki::make_key(machine.random());
    ASSERT(key.has_value());
    options.token_key_pem = *key;
    options.server_address = "192.0.2.1:6443";
    server =
        std::make_unique<ApiServer>(machine.clock(), machine.random(), *store, nullptr, options);
    server->start();
    if (!ready) return;
    world.run_until([&] { return server->ready(); }, seconds(30));
    create("/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})");
  }
  ~Bench() {
    server.reset();
    store.reset();
  }

  // Starts a request; the answer may still be coming.
  std::unique_ptr<Answer> begin(const Ask& ask) {
    auto answer = std::make_unique<Answer>();
    begin(ask, *answer);
    return answer;
  }
  void begin(const Ask& ask, Answer& answer) {
    http::Request request;
    request.method = std::string(ask.method);
    const size_t mark = ask.path.find('?');
    request.path = std::string(ask.path.substr(0, mark));
    if (mark != std::string_view::npos) request.query = std::string(ask.path.substr(mark + 1));
    request.body = std::string(ask.body);
    request.headers = ask.headers;
    if (!ask.type.empty()) request.headers.push_back({"content-type", std::string(ask.type)});
    if (!ask.accept.empty()) request.headers.push_back({"accept", std::string(ask.accept)});
    request.peer.verified = !ask.user.empty();
    request.peer.common_name = std::string(ask.user);
    request.peer.organizations = ask.groups;
    server->on_request(std::move(request), answer);
  }
  std::unique_ptr<Answer> call(const Ask& ask) {
    auto answer = begin(ask);
    world.run_until([&] { return answer->finished; }, seconds(30));
    return answer;
  }
  std::unique_ptr<Answer> get(std::string_view path) { return call({.path = path}); }
  std::unique_ptr<Answer> create(std::string_view path, std::string_view body) {
    return call({.method = "POST", .path = path, .body = body});
  }
  std::unique_ptr<Answer> merge(std::string_view path, std::string_view body) {
    return call(
        {.method = "PATCH", .path = path, .body = body, .type = "application/merge-patch+json"});
  }
  std::unique_ptr<Answer> remove(std::string_view path, std::string_view body = {}) {
    return call({.method = "DELETE", .path = path, .body = body});
  }
  void drain(Answer& answer) {
    answer.unsent = 0;
    server->on_drained(answer);
  }
  void settle() { world.run_for(milliseconds(200)); }

  port_sim::World world{1};
  port_sim::Machine& machine = world.machine();
  std::unique_ptr<port::Lane> log_lane;
  std::unique_ptr<port::Lane> state_lane;
  std::unique_ptr<store::Store> store;
  ServerOptions options;
  std::unique_ptr<ApiServer> server;
};

inline constexpr std::string_view kMaps = "/api/v1/namespaces/default/configmaps";
inline constexpr std::string_view kPods = "/api/v1/namespaces/default/pods";

inline std::string config_map(std::string_view name,
                              std::string_view value = "1",
                              std::string_view labels = "{}") {
  return join({R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":")", name,
               R"(","labels":)", labels, R"(},"data":{"v":")", value, R"("}})"});
}

inline std::string pod(std::string_view name, std::string_view more = {}) {
  return join({R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")", name,
               R"("},"spec":{"containers":[{"name":"c","image":"busybox"}])", more, "}}"});
}

}  // namespace coracle::apiserver
