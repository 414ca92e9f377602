// SPDX-License-Identifier: GPL-2.0-or-later
#include "pki/token.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "pki/certificate.h"
#include "pki/digest.h"
#include "tests/unit/pki/counting_random.h"

namespace coracle::pki {
namespace {

constexpr std::string_view kClaims = R"({"sub":"system:serviceaccount:default:web","exp":1})";

TEST(Token, SignedClaimsComeBack) {
  CountingRandom random;
  for (int i = 0; i < 20; i++) {  // signatures of different DER lengths
    const std::string key = make_key(random).value();
    auto token = sign_token(kClaims, key, random);
    ASSERT_TRUE(token) << token.error().message;
    auto claims = verify_token(*token, key);
    ASSERT_TRUE(claims) << claims.error().message;
    EXPECT_EQ(*claims, kClaims);
  }
}

TEST(Token, HeaderNamesAlgorithmAndKey) {
  CountingRandom random;
  const std::string key = make_key(random).value();
  const std::string token = sign_token(kClaims, key, random).value();
  const std::string header = from_base64url(split(token, '.')[0]).value();
  EXPECT_EQ(header.rfind(R"({"alg":"ES256","kid":")", 0), 0u);
  EXPECT_EQ(from_base64url(split(token, '.')[2])->size(), 64u);
}

TEST(Token, AnotherKeyOrAnyChangeIsRefused) {
  CountingRandom random;
  const std::string key = make_key(random).value();
  const std::string other = make_key(random).value();
  const std::string token = sign_token(kClaims, key, random).value();
  EXPECT_EQ(verify_token(token, other).error().code, Code::kUnauthorized);
  for (size_t i = 0; i < token.size(); i += 7) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify_token(changed, key)) << i;
  }
}

TEST(Token, MalformedOnesAreRefused) {
  CountingRandom random;
  const std::string key = make_key(random).value();
  const std::string token = sign_token(kClaims, key, random).value();
  const auto parts = split(token, '.');
  const std::string none = base64url(R"({"alg":"none"})");
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("..."), token + ".",
        "." + token, join({none, ".", parts[1], "."}), join({none, ".", parts[1], ".", parts[2]}),
        join({parts[0], ".", parts[1], ".", base64url(std::string(64, '\0'))}),
        join({parts[0], ".", parts[1], ".", base64url(std::string(64, '\xff'))}),
        std::string(100'000, 'a')}) {
    EXPECT_EQ(verify_token(bad, key).error().code, Code::kUnauthorized) << bad.substr(0, 80);
  }
}

TEST(Digest, KnownAnswers) {
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 parts;
  parts.add("a");
  parts.add("bc");
  EXPECT_EQ(parts.finish(), sha256("abc"));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

}  // namespace
}  // namespace coracle::pki
