// SPDX-License-Identifier: GPL-2.0-or-later
// Service-account tokens (JWT, ES256): minted by the token subresource, verified for bearers. A
// token is good only while the account it names, and the Pod, Secret or Node it is bound to, exist
// with the same uid.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "apiserver/request.h"
#include "base/result.h"
#include "port/clock.h"
#include "port/random.h"

namespace coracle::apiserver {

inline constexpr std::string_view kIssuer = "https://kubernetes.default.svc.cluster.local";
inline constexpr int64_t kTokenSecondsMin = 600;
inline constexpr int64_t kTokenSecondsDefault = 3600;
inline constexpr int64_t kTokenSecondsMax = int64_t{1} << 32;

struct BoundObject {
  std::string kind;  // Pod, Secret, Node; empty: not bound
  std::string name;
  std::string uid;
};

struct TokenTerms {
  std::string ns;
  std::string account;
  std::string account_uid;
  std::vector<std::string> audiences;  // empty: this server
  int64_t seconds = kTokenSecondsDefault;
  BoundObject bound;
  BoundObject node;  // of a bound Pod
};

struct Token {
  std::string text;
  Wall expires;
};

class Tokens {
 public:
  Tokens(port::Clock& clock, port::Random& random, const api::State& state, std::string key_pem);

  Result<Token> mint(const TokenTerms& terms);

  struct Bearer {
    User user;
    std::vector<std::string> audiences;  // those asked for that the token has
  };
  // 401 unless all holds. `audiences` empty: this server's.
  Result<Bearer> verify(std::string_view token, const std::vector<std::string>& audiences);

 private:
  struct Checked {
    std::string digest;  // of the token
    std::string claims;
  };
  Result<std::string> claims_of(std::string_view token);
  bool still_exists(json::Node private_claims) const;

  port::Clock& clock_;
  port::Random& random_;
  const api::State& state_;
  const std::string key_pem_;
  std::vector<Checked> checked_;  // good signatures seen lately: checking one costs a millisecond
  size_t next_ = 0;
};

std::string make_uuid(port::Random& random);  // RFC 9562 version 4

}  // namespace coracle::apiserver
