// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/bootstrap_token.h"

#include "base/bytes.h"

namespace coracle::daemon {

namespace {

std::string value_of(json::Node secret, std::string_view key) {
  return from_base64(secret["data"][key].string()).value_or("");
}

}  // namespace

std::string token_secret_name(std::string_view id) {
  return join({"bootstrap-token-", id});
}

std::string token_secret_body(const BootstrapToken& token) {
  json::Tree tree;
  const json::Node root = tree.make_object();
  root.set("kind", "Secret");
  root.set("apiVersion", "v1");
  root.object("metadata").set("name", std::string_view(token_secret_name(token.id)));
  root.object("metadata").set("namespace", kTokenNamespace);
  root.set("type", kTokenType);
  const json::Node data = root.object("data");
  const auto put = [&](std::string_view key, std::string_view value) {
    data.set(key, std::string_view(base64(value)));
  };
  put("token-id", token.id);
  put("token-secret", token.secret);
  put("usage-bootstrap-authentication", "true");
  put("coracle-role", token.role);
  if (token.expires) put("expiration", rfc3339(*token.expires));
  if (token.uses) put("coracle-uses", std::to_string(*token.uses));
  if (!token.description.empty()) put("description", token.description);
  return json::write(root);
}

BootstrapToken read_token_secret(json::Node secret) {
  BootstrapToken token;
  token.id = value_of(secret, "token-id");
  token.role = value_of(secret, "coracle-role");
  if (token.role != "server") token.role = "agent";
  token.description = value_of(secret, "description");
  const std::string expiration = value_of(secret, "expiration");
  if (!expiration.empty()) token.expires = parse_rfc3339(expiration).value_or(Wall{});
  const std::string uses = value_of(secret, "coracle-uses");
  if (!uses.empty()) token.uses = parse_signed(uses).value_or(0);
  const bool usable = value_of(secret, "usage-bootstrap-authentication") == "true" &&
                      secret["type"].string() == kTokenType;
  if (usable) token.secret = value_of(secret, "token-secret");
  return token;
}

Result<std::optional<Duration>> parse_ttl(std::string_view text) {
  if (text == "0") return std::optional<Duration>();
  const auto number = text.empty() ? std::nullopt : parse_unsigned(text.substr(0, text.size() - 1));
  constexpr uint64_t kMost = 100'000;
  if (number && *number > 0 && *number <= kMost) {
    const auto count = static_cast<int64_t>(*number);
    switch (text.back()) {
      case 's':
        return std::optional(seconds(count));
      case 'm':
        return std::optional(minutes(count));
      case 'h':
        return std::optional(minutes(count * 60));
      case 'd':
        return std::optional(minutes(count * 24 * 60));
      default:
        break;
    }
  }
  return fail(Code::kBadRequest,
              join({"ttl: \"", text, "\" is no time; say 30m, 24h, 7d, or 0 for no end"}));
}

}  // namespace coracle::daemon
