// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/join.h"

#include "base/bytes.h"
#include "base/log.h"
#include "daemon/api_session.h"
#include "pki/digest.h"
#include "pki/join_token.h"

namespace coracle::daemon {

namespace {

constexpr Duration kRetryAfter = seconds(3);
constexpr size_t kTellEvery = 20;  // attempts
// The name that only certificates of API servers carry, whatever their addresses are today.
constexpr std::string_view kServerName = "kubernetes";

class Pause final : port::Alarm {
 public:
  static void take(port_linux::Machine& machine, Duration length) {
    Pause pause(machine);
    const auto timer = machine.clock().timer(pause);
    timer->arm(machine.clock().now() + length);
    machine.run();
  }

 private:
  explicit Pause(port_linux::Machine& machine) : machine_(machine) {}
  void on_alarm(port::Timer&) override { machine_.stop(); }
  port_linux::Machine& machine_;
};

struct Attempt {
  port_linux::Machine& machine;
  port::Endpoint server;
  const pki::JoinToken& token;
  bool reached = false;  // a server has answered something
};

Result<std::string> fetch_authority(Attempt& attempt) {
  http::TlsClientOptions tls;
  tls.server_name = std::string(kServerName);
  tls.unverified = true;
  const auto session = TRY(ApiSession::open(attempt.machine, attempt.server, tls));
  const Result<std::string> text =
      session->get("/coracle/v1/authority", "token=" + attempt.token.id);
  attempt.reached = session->status() != 0;
  if (!text) return text.error();
  json::Tree tree;
  const json::Node answer = TRY(tree.parse(*text));
  std::string authority(answer["authority"].string());
  const std::string at = endpoint_text(attempt.server);
  if (!attempt.token.pin.empty()) {
    if (TRY(pki::authority_pin(authority)) == attempt.token.pin) return authority;
    return fail(Code::kUnauthorized,
                join({"the server at ", at,
                      " is not of the cluster that made the token (its "
                      "authority has another pin), or somebody is in between; check --join, and "
                      "make a token with `coracle token create` on a server of that cluster"}));
  }
  const std::string_view code = answer["code"].string();
  if (code.empty())
    return fail(Code::kUnauthorized,
                join({"the server at ", at,
                      " does not know the token: it was mistyped or revoked, "
                      "or is of another cluster; make one with `coracle token create` on a "
                      "server"}));
  if (!pki::equal_in_constant_time(code, pki::authority_code(authority, attempt.token.secret)))
    return fail(Code::kUnauthorized, join({"the server at ", at,
                                           " cannot prove that it knows the token; check --join "
                                           "and --token"}));
  return authority;
}

Result<std::string> request_body(const Application& application) {
  json::Tree tree;
  const json::Node body = tree.make_object();
  body.set("version", CORACLE_VERSION);
  body.set("role", std::string_view(application.role));
  body.set("nodeName", std::string_view(application.node_name));
  body.set("publicKey", std::string_view(application.public_key));
  if (!application.more.empty()) {
    json::Tree more_tree;
    const json::Node more = TRY(more_tree.parse(application.more));
    for (const json::Node member : more)
      body.set(member.key(), member);
  }
  return json::write(body);
}

Result<std::string> try_once(Attempt& attempt, const std::string& body) {
  http::TlsClientOptions tls;
  tls.server_name = std::string(kServerName);
  tls.ca_pem = TRY(fetch_authority(attempt));
  const auto session = TRY(ApiSession::open(attempt.machine, attempt.server, tls));
  http::Request request;
  request.method = "POST";
  request.path = "/coracle/v1/join";
  request.headers = {
      {"accept", "application/json"},
      {"content-type", "application/json"},
      {"authorization", join({"Bearer ", attempt.token.id, ".", attempt.token.secret})}};
  request.body = body;
  Result<std::string> answer = session->ask(request);
  // Busy and leaderless servers are asked again as well.
  attempt.reached = session->status() != 0 && session->status() < 500;
  return answer;
}

}  // namespace

Result<std::string> apply_to_join(port_linux::Machine& machine,
                                  const Config& config,
                                  const Application& application) {
  const pki::JoinToken token = TRY(pki::parse_join_token(config.token));
  const std::string body = TRY(request_body(application));
  Attempt attempt{machine, TRY(parse_server(config.join)), token, false};
  for (bool told = false;; told = true) {
    attempt.reached = false;
    Result<std::string> answer = try_once(attempt, body);
    if (answer || attempt.reached) return answer;
    if (!told) {
      LOG(kWarn, "daemon: waiting for the server to join", kv("server", config.join),
          kv("why", answer.error().message));
    }
    Pause::take(machine, kRetryAfter);
  }
}

Result<std::string> apply_to_rejoin(port_linux::Machine& machine,
                                    const std::vector<port::Endpoint>& servers,
                                    http::TlsClientOptions tls,
                                    const Application& application) {
  tls.server_name = std::string(kServerName);
  http::Request request;
  request.method = "POST";
  request.path = "/coracle/v1/join";
  request.headers = {{"accept", "application/json"}, {"content-type", "application/json"}};
  request.body = TRY(request_body(application));
  for (size_t attempt = 0;; ++attempt) {
    const port::Endpoint& server = servers[attempt % servers.size()];
    Result<std::string> answer = fail(Code::kUnavailable, "not asked");
    auto session = ApiSession::open(machine, server, tls);
    if (session) answer = (*session)->ask(request);
    if (answer) return answer;
    const Error& why = session ? answer.error() : session.error();
    if (attempt % kTellEvery == 0) {
      LOG(kWarn, "daemon: waiting for a server that takes this one back",
          kv("server", endpoint_text(server)), kv("why", why.message));
    }
    Pause::take(machine, kRetryAfter);
  }
}

Result<AgentIdentity> join_as_agent(port_linux::Machine& machine,
                                    const Config& config,
                                    const std::string& node_name) {
  if (config.join.empty() || config.token.empty())
    return fail(Code::kBadRequest,
                "this device has not joined a cluster yet; start it once with --join SERVER and "
                "--token TOKEN (`coracle token create` on a server prints one)");
  AgentIdentity identity;
  identity.node_name = node_name;
  identity.own.key_pem = TRY(pki::make_key(machine.random()));
  Application application;
  application.role = "agent";
  application.node_name = node_name;
  application.public_key = TRY(pki::public_key_pem(identity.own.key_pem, machine.random()));
  const std::string text = TRY(apply_to_join(machine, config, application));
  json::Tree tree;
  const json::Node answer = TRY(tree.parse(text));
  TRY(take_join_answer(identity, answer).with("the server's answer"));
  // The address that is known to work counts first.
  const port::Endpoint reached = TRY(parse_server(config.join));
  std::erase_if(identity.servers, [&](const port::Endpoint& each) {
    return each.host == reached.host && each.port == reached.port;
  });
  identity.servers.insert(identity.servers.begin(), reached);
  return identity;
}

}  // namespace coracle::daemon
