// SPDX-License-Identifier: GPL-2.0-or-later
// Join tokens as the cluster keeps them: Secrets of type bootstrap.kubernetes.io/token in
// kube-system, in the form of upstream's cluster-bootstrap, with two keys of our own for what a
// token is good for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "json/tree.h"

namespace coracle::daemon {

struct BootstrapToken {
  std::string id;
  std::string secret;
  std::string role = "agent";   // "server" admits both
  std::optional<Wall> expires;  // unset: never
  std::optional<int64_t> uses;  // left; unset: any number
  std::string description;
};

inline constexpr std::string_view kTokenNamespace = "kube-system";
inline constexpr std::string_view kTokenType = "bootstrap.kubernetes.io/token";
std::string token_secret_name(std::string_view id);

std::string token_secret_body(const BootstrapToken& token);  // JSON of the Secret
// Fields that are absent or malformed make a token that admits nobody (empty secret).
BootstrapToken read_token_secret(json::Node secret);

// "24h", "30m", "7d", "90s"; "0" is no end (nullopt inside). kBadRequest otherwise.
Result<std::optional<Duration>> parse_ttl(std::string_view text);

}  // namespace coracle::daemon
