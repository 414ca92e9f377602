// SPDX-License-Identifier: GPL-2.0-or-later
#include "pki/join_token.h"

#include <gtest/gtest.h>

#include "pki/certificate.h"
#include "tests/unit/pki/counting_random.h"

namespace coracle::pki {
namespace {

KeyAndCertificate authority(port::Random& random, const char* name) {
  CertificateOptions options;
  options.common_name = name;
  options.usage = Usage::kAuthority;
  options.not_after = Wall{} + seconds(1'000'000'000);
  return *self_signed(options, random);
}

TEST(JoinToken, ReadsWhatItWritesAlsoInCapitals) {
  CountingRandom random;
  const KeyAndCertificate ca = authority(random, "ca");
  const JoinToken made = make_join_token(ca.certificate_pem, random);
  EXPECT_EQ(made.pin, *authority_pin(ca.certificate_pem));
  std::string text = made.text();
  EXPECT_EQ(text.size(), 3u + 26 + 1 + 6 + 1 + 16);
  for (char& c : text)
    c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  const Result<JoinToken> read = parse_join_token(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->pin, made.pin);
  EXPECT_EQ(read->id, made.id);
  EXPECT_EQ(read->secret, made.secret);
}

TEST(JoinToken, TakesTheFormOfKubeadm) {
  const Result<JoinToken> read = parse_join_token("abcdef.0123456789abcdef");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->pin.empty());
  EXPECT_EQ(read->text(), "abcdef.0123456789abcdef");
}

TEST(JoinToken, RefusesOtherTextsWithoutRepeatingThem) {
  for (const char* text :
       {"", ".", "abcdef", "abcdef.short", "C2.a.abcdef.0123456789abcdef",
        "C1..abcdef.0123456789abcdef", "abcde!.0123456789abcdef", "K10aa::server:secretsecret"}) {
    const Result<JoinToken> read = parse_join_token(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().message.find("secretsecret"), std::string::npos);
  }
}

TEST(JoinToken, TellsAuthoritiesAndSecretsApart) {
  CountingRandom random;
  const std::string one = authority(random, "one").certificate_pem;
  const std::string two = authority(random, "two").certificate_pem;
  EXPECT_NE(*authority_pin(one), *authority_pin(two));
  EXPECT_NE(authority_code(one, "0123456789abcdef"), authority_code(two, "0123456789abcdef"));
  EXPECT_NE(authority_code(one, "0123456789abcdef"), authority_code(one, "0123456789abcdeg"));
}

TEST(Certify, SignsAKeyThatStaysElsewhere) {
  CountingRandom random;
  const KeyAndCertificate ca = authority(random, "ca");
  const std::string key = *make_key(random);
  const std::string half = *public_key_pem(key, random);
  EXPECT_EQ(half.find("PRIVATE"), std::string::npos);
  CertificateOptions options;
  options.common_name = "system:node:gw1";
  options.organizations = {"system:nodes"};
  options.usage = Usage::kServerAndClient;
  options.not_after = Wall{} + seconds(1000);  // over long ago: only the signature counts here
  const Result<std::string> made = certify(options, half, ca, random);
  ASSERT_TRUE(made);
  EXPECT_EQ(*certificate_public_key(*made), half);
  EXPECT_TRUE(check_issued_by(*made, ca.certificate_pem));
  EXPECT_FALSE(check_issued_by(*made, authority(random, "other").certificate_pem));
  EXPECT_FALSE(certify(options, "nonsense", ca, random));
}

}  // namespace
}  // namespace coracle::pki
