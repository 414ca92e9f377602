// SPDX-License-Identifier: GPL-2.0-or-later
#include "pki/certificate.h"

#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>

#include "pki/kubeconfig.h"
#include "tests/unit/pki/counting_random.h"

namespace coracle::pki {
namespace {

Wall at(std::string_view text) {
  return parse_rfc3339(text).value();
}

CertificateOptions authority_options() {
  return {.common_name = "coracle-ca",
          .organizations = {},
          .dns_names = {},
          .addresses = {},
          .usage = Usage::kAuthority,
          .not_before = at("2024-01-01T00:00:00Z"),
          .not_after = at("2060-06-01T12:30:45Z")};
}

CertificateOptions server_options() {
  return {.common_name = "coracle",
          .organizations = {},
          .dns_names = {"localhost", "kubernetes.default.svc"},
          .addresses = {{0x7f000001}, {0x0a2b0001}},
          .usage = Usage::kServerAndClient,
          .not_before = at("2024-01-01T00:00:00Z"),
          .not_after = at("2049-12-31T23:59:59Z")};
}

std::string run(const std::string& command) {
  std::string out;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return out;
  char part[512];
  while (fgets(part, sizeof part, pipe) != nullptr)
    out += part;
  pclose(pipe);
  return out;
}

std::string in_file(const std::string& name, std::string_view text) {
  const std::string path = testing::TempDir() + name;
  FILE* file = fopen(path.c_str(), "w");
  EXPECT_NE(file, nullptr);
  fwrite(text.data(), 1, text.size(), file);
  fclose(file);
  return path;
}

TEST(Certificate, IssuedOneCarriesEverythingThatWasAsked) {
  CountingRandom random;
  auto authority = self_signed(authority_options(), random);
  ASSERT_TRUE(authority) << authority.error().message;
  CertificateOptions options = server_options();
  options.organizations = {"system:masters", "system:nodes"};
  auto issued = issue(options, *authority, random);
  ASSERT_TRUE(issued) << issued.error().message;

  auto facts = read_certificate(issued->certificate_pem);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->common_name, "coracle");
  EXPECT_EQ(facts->organizations, (std::vector<std::string>{"system:masters", "system:nodes"}));
  EXPECT_EQ(facts->names, (std::vector<std::string>{"localhost", "kubernetes.default.svc",
                                                    "127.0.0.1", "10.43.0.1"}));
  EXPECT_EQ(rfc3339(facts->not_before), "2024-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(facts->not_after), "2049-12-31T23:59:59Z");
}

TEST(Certificate, TimesAfter2049AreKept) {
  CountingRandom random;
  auto authority = self_signed(authority_options(), random);
  ASSERT_TRUE(authority);
  EXPECT_EQ(rfc3339(read_certificate(authority->certificate_pem)->not_after),
            "2060-06-01T12:30:45Z");
}

TEST(Certificate, OpensslAcceptsTheChainStrictly) {
  if (std::system("command -v openssl >/dev/null 2>&1") != 0) GTEST_SKIP() << "skipped: no openssl";
  CountingRandom random;
  auto authority = self_signed(authority_options(), random);
  ASSERT_TRUE(authority);
  auto issued = issue(server_options(), *authority, random);
  ASSERT_TRUE(issued);
  const std::string ca = in_file("ca.pem", authority->certificate_pem);
  const std::string leaf = in_file("leaf.pem", issued->certificate_pem);
  for (const char* how : {"-purpose sslserver -verify_hostname kubernetes.default.svc",
                          "-purpose sslclient", "-verify_ip 10.43.0.1"}) {
    const std::string answer =
        run("openssl verify -x509_strict " + std::string(how) + " -CAfile " + ca + " " + leaf);
    EXPECT_NE(answer.find(": OK"), answer.npos) << how << ": " << answer;
  }
  const std::string wrong = run("openssl verify -verify_ip 10.43.0.2 -CAfile " + ca + " " + leaf);
  EXPECT_EQ(wrong.find(": OK"), wrong.npos);
}

TEST(Certificate, BadInputIsAnError) {
  CountingRandom random;
  EXPECT_FALSE(read_certificate(""));
  EXPECT_FALSE(read_certificate("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"));
  auto authority = self_signed(authority_options(), random);
  ASSERT_TRUE(authority);
  CertificateOptions options = server_options();
  EXPECT_FALSE(issue(options, {"not a key", authority->certificate_pem}, random));
  EXPECT_FALSE(issue(options, {authority->key_pem, "not a certificate"}, random));
  options.common_name = "";
  EXPECT_FALSE(issue(options, *authority, random));
  options.common_name = "a";
  options.not_after = options.not_before;
  EXPECT_FALSE(issue(options, *authority, random));
}

TEST(Kubeconfig, IsPlainYaml) {
  const std::string text = kubeconfig({.server = "https://127.0.0.1:6443",
                                       .ca_pem = "ca",
                                       .certificate_pem = "cert",
                                       .key_pem = "key"});
  EXPECT_NE(text.find("server: \"https://127.0.0.1:6443\"\n"), text.npos);
  EXPECT_NE(text.find("certificate-authority-data: Y2E=\n"), text.npos);
  EXPECT_NE(text.find("client-certificate-data: Y2VydA==\n"), text.npos);
  EXPECT_NE(text.find("client-key-data: a2V5\n"), text.npos);
  EXPECT_NE(text.find("current-context: \"admin@coracle\"\n"), text.npos);
}

}  // namespace
}  // namespace coracle::pki
