// SPDX-License-Identifier: GPL-2.0-or-later
#include "pki/token.h"

#include "base/bytes.h"
#include "pki/der.h"
#include "pki/digest.h"
#include "pki/mbedtls.h"

namespace coracle::pki {
namespace {

constexpr size_t kScalarBytes = 32;  // P-256
constexpr size_t kTokenBytesMax = 16 * 1024;

// The whole header: a token is ours only if it starts with exactly this text, so no field of it is
// ever interpreted. kid is computed as upstream does (pkg/serviceaccount/jwt.go).
std::string header(std::string_view public_key) {
  return join({R"({"alg":"ES256","kid":")", base64url(sha256(public_key)), R"("})"});
}

// DER SEQUENCE { r, s } to r || s (RFC 7518 3.4). The input is mbedTLS's own output: short lengths
// only.
std::string raw_signature(std::string_view der) {
  std::string out;
  size_t at = 2;
  for (int i = 0; i < 2; i++) {
    const size_t length = static_cast<uint8_t>(der[at + 1]);
    std::string_view number = der.substr(at + 2, length);
    if (number.size() > kScalarBytes) number.remove_prefix(number.size() - kScalarBytes);
    out.append(kScalarBytes - number.size(), '\0').append(number);
    at += 2 + length;
  }
  return out;
}

std::string der_signature(std::string_view raw_form) {
  return der::sequence({der::integer(raw_form.substr(0, kScalarBytes)),
                        der::integer(raw_form.substr(kScalarBytes))});
}

// Reading a private key needs no randomness as long as it carries its public half, as ours do; one
// that does not is an error on mbedTLS 3.6.
class NoRandom final : public port::Random {
 public:
  void fill(char* out, size_t bytes) override { std::char_traits<char>::assign(out, bytes, '\0'); }
};

Result<> parse_public_half(Key& key, std::string_view pem) {
  const std::string text(pem);
  if (text.find("PUBLIC KEY-----") == text.npos) {
    NoRandom none;
    return parse_private_key(key, pem, none);
  }
  const int code = mbedtls_pk_parse_public_key(&key.pk, raw(text), text.size() + 1);
  if (code != 0) return mbedtls_error("parse public key", code);
  return {};
}

Error refused() {
  return fail(Code::kUnauthorized, "invalid bearer token");
}

}  // namespace

Result<std::string> sign_token(std::string_view claims,
                               std::string_view key_pem,
                               port::Random& random) {
  Key key;
  TRY(parse_private_key(key, key_pem, random));
  const std::string public_key = TRY(public_key_der(key));
  std::string token = join({base64url(header(public_key)), ".", base64url(claims)});
  const std::string signature = TRY(sign(key, token, random));
  token += '.';
  return token += base64url(raw_signature(signature));
}

Result<std::string> verify_token(std::string_view token, std::string_view key_pem) {
  if (token.size() > kTokenBytesMax) return refused();
  const std::vector<std::string_view> parts = split(token, '.');
  if (parts.size() != 3) return refused();
  Key key;
  TRY(parse_public_half(key, key_pem));
  const std::string public_key = TRY(public_key_der(key));
  if (from_base64url(parts[0]) != header(public_key)) return refused();
  const auto signature = from_base64url(parts[2]);
  if (!signature || signature->size() != 2 * kScalarBytes) return refused();
  auto claims = from_base64url(parts[1]);
  if (!claims) return refused();

  const std::string digest = sha256(token.substr(0, parts[0].size() + 1 + parts[1].size()));
  const std::string der = der_signature(*signature);
  const int code = mbedtls_pk_verify(&key.pk, MBEDTLS_MD_SHA256, raw(digest), digest.size(),
                                     raw(der), der.size());
  if (code != 0) return refused();
  return std::move(*claims);
}

}  // namespace coracle::pki
