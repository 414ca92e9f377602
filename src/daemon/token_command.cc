// SPDX-License-Identifier: GPL-2.0-or-later
// `coracle token`: the Secrets that let devices join, through the API as the administrator.
#include "base/bytes.h"
#include "daemon/api_session.h"
#include "daemon/bootstrap_token.h"
#include "daemon/cli.h"
#include "pki/join_token.h"

namespace coracle::daemon {

namespace {

constexpr std::string_view kSecrets = "/api/v1/namespaces/kube-system/secrets";

http::Request request_to(std::string_view method, std::string path) {
  http::Request request;
  request.method = std::string(method);
  request.path = std::move(path);
  request.headers = {{"accept", "application/json"}, {"content-type", "application/json"}};
  return request;
}

Result<> create(const Config& config, port_linux::Machine& machine, ApiSession& session) {
  if (config.role != "agent" && config.role != "server")
    return fail(Code::kBadRequest,
                join({"role: \"", config.role, "\" is neither agent nor server"}));
  const std::optional<Duration> ttl = TRY(parse_ttl(config.ttl));
  const std::string text = TRY(session.get("/coracle/v1/authority"));
  json::Tree tree;
  const json::Node answer = TRY(tree.parse(text));
  const pki::JoinToken made = pki::make_join_token(answer["authority"].string(), machine.random());
  BootstrapToken token;
  token.id = made.id;
  token.secret = made.secret;
  token.role = config.role;
  if (ttl) token.expires = machine.clock().trusted() + *ttl;
  if (config.uses > 0) token.uses = config.uses;
  token.description = "made by coracle token create";
  http::Request request = request_to("POST", std::string(kSecrets));
  request.body = token_secret_body(token);
  TRY(session.ask(request));
  print(made.text() + "\n");
  return {};
}

std::string state_of(const BootstrapToken& token, Wall now) {
  if (token.secret.empty()) return "unusable";
  if (token.expires && *token.expires <= now) return "expired";
  if (token.uses && *token.uses <= 0) return "used up";
  return "valid";
}

std::string cell(std::string_view text, size_t width) {
  std::string out(text);
  out.append(out.size() < width ? width - out.size() : 1, ' ');
  return out;
}

Result<> list(port_linux::Machine& machine, ApiSession& session) {
  const std::string text = TRY(
      session.get(std::string(kSecrets), "fieldSelector=type%3Dbootstrap.kubernetes.io%2Ftoken"));
  json::Tree tree;
  const json::Node answer = TRY(tree.parse(text));
  if (answer["items"].size() == 0) {
    print("no tokens; `coracle token create` makes one\n");
    return {};
  }
  print("ID       ROLE     USES LEFT   EXPIRES                STATE\n");
  for (const json::Node secret : answer["items"]) {
    const BootstrapToken token = read_token_secret(secret);
    print(cell(token.id, 9) + cell(token.role, 9) +
          cell(token.uses ? std::to_string(*token.uses) : "any", 12) +
          cell(token.expires ? rfc3339(*token.expires) : "never", 23) +
          state_of(token, machine.clock().trusted()) + "\n");
  }
  return {};
}

Result<> revoke(ApiSession& session, std::string_view id) {
  // The whole token is taken as well: it is what people have at hand.
  const Result<pki::JoinToken> token = pki::parse_join_token(id);
  const std::string name = token_secret_name(token ? std::string_view(token->id) : id);
  const Result<std::string> done = session.ask(request_to("DELETE", join({kSecrets, "/", name})));
  if (!done && session.status() == 404)
    return fail(Code::kNotFound, "there is no such token; `coracle token list` shows them");
  TRY(done);
  print("revoked\n");
  return {};
}

}  // namespace

Result<int> run_token(const Arguments& arguments) {
  const std::string& what = arguments.positional[0];
  const bool fits =
      what == "revoke" ? arguments.positional.size() == 2 : arguments.positional.size() == 1;
  if ((what != "create" && what != "list" && what != "revoke") || !fits)
    return fail(Code::kBadRequest, "usage: coracle token create | list | revoke ID");
  port_linux::Machine machine;
  const auto session = TRY(ApiSession::open(machine, arguments.config.kubeconfig));
  if (what == "create") TRY(create(arguments.config, machine, *session));
  if (what == "list") TRY(list(machine, *session));
  if (what == "revoke") TRY(revoke(*session, arguments.positional[1]));
  return 0;
}

}  // namespace coracle::daemon
