// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/tokens.h"

#include <algorithm>

#include "base/bytes.h"
#include "json/writer.h"
#include "pki/digest.h"
#include "pki/token.h"

namespace coracle::apiserver {
namespace {

constexpr size_t kCheckedMax = 64;
constexpr std::string_view kPrivate = "kubernetes.io";

Error unauthorized() {
  return fail(Code::kUnauthorized, "Unauthorized");
}

void write_reference(json::Writer& out,
                     std::string_view key,
                     std::string_view name,
                     std::string_view uid) {
  out.key(key);
  out.begin_object();
  out.member("name", name);
  out.member("uid", uid);
  out.end_object();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

void write_private_claims(json::Writer& out, const TokenTerms& terms) {
  out.key(kPrivate);
  out.begin_object();
  out.member("namespace", std::string_view(terms.ns));
  if (!terms.node.name.empty()) write_reference(out, "node", terms.node.name, terms.node.uid);
  if (!terms.bound.kind.empty() && terms.bound.kind != "Node") {
    write_reference(out, lower(terms.bound.kind), terms.bound.name, terms.bound.uid);
  } else if (terms.bound.kind == "Node") {
    write_reference(out, "node", terms.bound.name, terms.bound.uid);
  }
  write_reference(out, "serviceaccount", terms.account, terms.account_uid);
  out.end_object();
}

bool same(const api::ObjectRef& object, json::Node reference) {
  return object && object->uid() == reference["uid"].string() && !object->deleting();
}

std::vector<std::string> shared_audiences(json::Node have, const std::vector<std::string>& wanted) {
  std::vector<std::string> shared;
  const auto consider = [&](std::string_view audience) {
    if (std::find(wanted.begin(), wanted.end(), audience) != wanted.end()) {
      shared.emplace_back(audience);
    }
  };
  if (have.is_string()) consider(have.string());
  for (const json::Node audience : have)
    consider(audience.string());
  return shared;
}

User user_of(json::Node claims) {
  const json::Node own = claims[kPrivate];
  const std::string ns(own["namespace"].string());
  User user;
  user.name = join({"system:serviceaccount:", ns, ":", own["serviceaccount"]["name"].string()});
  user.uid = std::string(own["serviceaccount"]["uid"].string());
  user.groups = {"system:serviceaccounts", "system:serviceaccounts:" + ns, "system:authenticated"};
  const auto add = [&](const char* key, std::string_view value) {
    if (!value.empty()) user.extra.emplace_back(key, std::string(value));
  };
  if (const std::string_view id = claims["jti"].string(); !id.empty()) {
    add("authentication.kubernetes.io/credential-id", join({"JTI=", id}));
  }
  add("authentication.kubernetes.io/node-name", own["node"]["name"].string());
  add("authentication.kubernetes.io/node-uid", own["node"]["uid"].string());
  add("authentication.kubernetes.io/pod-name", own["pod"]["name"].string());
  add("authentication.kubernetes.io/pod-uid", own["pod"]["uid"].string());
  return user;
}

}  // namespace

std::string make_uuid(port::Random& random) {
  char bytes[16];
  random.fill(bytes, sizeof bytes);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string text = hex({bytes, sizeof bytes});
  for (const size_t at : {8u, 13u, 18u, 23u})
    text.insert(at, 1, '-');
  return text;
}

Tokens::Tokens(port::Clock& clock,
               port::Random& random,
               const api::State& state,
               std::string key_pem)
    : clock_(clock),
      random_(random),
      state_(state),
      key_pem_(std::move(key_pem)) {}

Result<Token> Tokens::mint(const TokenTerms& terms) {
  const int64_t now = clock_.trusted().seconds();
  std::string claims;
  json::Writer out(claims);
  out.begin_object();
  out.key("aud");
  out.begin_array();
  for (const std::string& audience : terms.audiences)
    out.value(std::string_view(audience));
  if (terms.audiences.empty()) out.value(kIssuer);
  out.end_array();
  out.member("exp", now + terms.seconds);
  out.member("iat", now);
  out.member("iss", kIssuer);
  out.member("jti", std::string_view(make_uuid(random_)));
  write_private_claims(out, terms);
  out.member("nbf", now);
  out.member("sub",
             std::string_view(join({"system:serviceaccount:", terms.ns, ":", terms.account})));
  out.end_object();
  return Token{TRY(pki::sign_token(claims, key_pem_, random_)),
               Wall{} + seconds(now + terms.seconds)};
}

Result<std::string> Tokens::claims_of(std::string_view token) {
  const std::string digest = pki::sha256(token);
  for (const Checked& seen : checked_) {
    if (pki::equal_in_constant_time(seen.digest, digest)) return seen.claims;
  }
  std::string claims = TRY(pki::verify_token(token, key_pem_));
  if (checked_.size() < kCheckedMax) {
    checked_.push_back({digest, claims});
  } else {
    checked_[next_++ % kCheckedMax] = {digest, claims};
  }
  return claims;
}

bool Tokens::still_exists(json::Node own) const {
  const std::string_view ns = own["namespace"].string();
  const json::Node account = own["serviceaccount"];
  if (!same(state_.get(api::kServiceAccount, ns, account["name"].string()), account)) return false;
  if (const json::Node pod = own["pod"]; pod) {
    // A terminating Pod still works with its token until it is gone (upstream: 60 s past its
    // deletion).
    const api::ObjectRef stored = state_.get(api::kPod, ns, pod["name"].string());
    return stored && stored->uid() == pod["uid"].string();
  }
  if (const json::Node secret = own["secret"]; secret) {
    return same(state_.get(api::kSecret, ns, secret["name"].string()), secret);
  }
  if (const json::Node node = own["node"]; node) {
    return same(state_.get(api::kNode, {}, node["name"].string()), node);
  }
  return true;
}

Result<Tokens::Bearer> Tokens::verify(std::string_view token,
                                      const std::vector<std::string>& audiences) {
  if (key_pem_.empty()) return unauthorized();
  const Result<std::string> text = claims_of(token);
  if (!text) return unauthorized();
  json::Tree tree;
  const Result<json::Node> parsed = tree.parse(*text);
  if (!parsed) return unauthorized();
  const json::Node claims = *parsed;
  const int64_t now = clock_.trusted().seconds();
  if (claims["iss"].string() != kIssuer) return unauthorized();
  if (!claims["exp"].is_integer() || claims["exp"].integer() <= now) return unauthorized();
  if (claims["nbf"].integer() > now) return unauthorized();
  const std::vector<std::string> own{std::string(kIssuer)};
  Bearer bearer;
  bearer.audiences = shared_audiences(claims["aud"], audiences.empty() ? own : audiences);
  if (bearer.audiences.empty()) return unauthorized();
  if (!still_exists(claims[kPrivate])) return unauthorized();
  bearer.user = user_of(claims);
  return bearer;
}

}  // namespace coracle::apiserver
