// SPDX-License-Identifier: GPL-2.0-or-later
// The token that lets a device join, as people copy it or scan it:
//   C1.<pin>.<id>.<secret>   with the pin of the cluster's authority, made by `coracle token
//   create` <id>.<secret>            as kubeadm knows it, agreed on beforehand (factory,
//   configuration)
// The id (6 characters) is no secret and names the Secret bootstrap-token-<id>; the secret (16
// characters) proves that one may join. Without a pin the authority is believed if it comes with a
// code made from the secret.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "port/random.h"

namespace coracle::pki {

struct JoinToken {
  std::string pin;  // 26 characters, or empty
  std::string id;
  std::string secret;
  std::string text() const;
};

// kBadRequest: what a token looks like. Never repeats what was given.
Result<JoinToken> parse_join_token(std::string_view text);
JoinToken make_join_token(std::string_view authority_pem, port::Random& random);

// 128 bits of the SHA-256 of the certificate, in base32.
Result<std::string> authority_pin(std::string_view authority_pem);
// What proves to the bearer of a token that the authority is the one of its cluster.
std::string authority_code(std::string_view authority_pem, std::string_view secret);

}  // namespace coracle::pki
