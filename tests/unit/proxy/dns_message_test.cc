// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/dns_message.h"

#include <gtest/gtest.h>

#include "tests/unit/proxy/dns_text.h"

namespace coracle::proxy {
namespace {

std::string bytes(std::initializer_list<int> list) {
  std::string out;
  for (const int each : list)
    out.push_back(static_cast<char>(each));
  return out;
}

// As dig sends it: RD, one question, an OPT of 1232 bytes.
std::string asked_with_edns() {
  std::string query = bytes({0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1});
  query += wire_name("Web.Example.org") + bytes({0, 1, 0, 1});
  return query + bytes({0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0});
}

TEST(DnsMessage, ReadsAQuestion) {
  const DnsParsed parsed = parse_query(asked_with_edns());
  ASSERT_EQ(parsed.verdict, DnsVerdict::kGood);
  EXPECT_EQ(parsed.query.id, 0x1234);
  EXPECT_EQ(dotted(parsed.query.question.name), "web.example.org.");
  EXPECT_TRUE(parsed.query.edns);
  EXPECT_TRUE(parsed.query.dnssec_ok);
  EXPECT_EQ(parsed.query.payload, 1232);
  EXPECT_TRUE(parsed.query.recursion_desired);
}

TEST(DnsMessage, CutAnywhereItIsRefusedOrIgnored) {
  const std::string whole = asked_with_edns();
  for (size_t size = 0; size < whole.size(); ++size) {
    const DnsParsed parsed = parse_query(std::string_view(whole).substr(0, size));
    EXPECT_NE(parsed.verdict, DnsVerdict::kGood) << size;
    if (size >= kDnsHeaderBytes) {
      EXPECT_EQ(parsed.rcode, Rcode::kFormatError) << size;
    }
  }
}

TEST(DnsMessage, OddQuestionsGetTheirErrors) {
  std::string query = asked_with_edns();
  query[2] = static_cast<char>(0x81);
  EXPECT_EQ(parse_query(query).verdict, DnsVerdict::kIgnore) << "an answer";
  query[2] = 0x10;
  EXPECT_EQ(parse_query(query).rcode, Rcode::kNotImplemented) << "a status query";
  query[2] = 1;
  query[query.size() - 5] = 1;  // EDNS version
  EXPECT_EQ(parse_query(query).rcode, Rcode::kBadVersion);
  const std::string header = bytes({0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(parse_query(header + bytes({0xc0, 12, 0, 1, 0, 1})).rcode, Rcode::kFormatError)
      << "a pointer to itself";
  EXPECT_EQ(parse_query(header + bytes({0x40, 0, 0, 1, 0, 1})).rcode, Rcode::kFormatError);
  EXPECT_EQ(parse_query(header + wire_name("a") + bytes({0, 252, 0, 1})).rcode, Rcode::kRefused)
      << "a transfer";
  EXPECT_EQ(parse_query(header + wire_name("a") + bytes({0, 1, 0, 3})).rcode, Rcode::kRefused)
      << "chaos";
}

TEST(DnsMessage, WritesWhatItCanReadAgain) {
  DnsQuery query = query_for("web.shop.svc.cluster.local", dns_type::kA);
  DnsAnswer answer;
  answer.answers.push_back({{}, dns_type::kA, 5, address_bytes(*parse_ip4("10.43.0.7"))});
  answer.authority.push_back(
      {wire_name("cluster.local"), dns_type::kNs, 5, wire_name("ns.dns.cluster.local")});
  const std::string message = encode_answer(query, answer, 512);
  EXPECT_TRUE(answers_question(message, query.question, 4711));
  EXPECT_FALSE(answers_question(message, query.question, 4712));
  EXPECT_FALSE(answers_question(message, {wire_name("a.b"), dns_type::kA, 1}, 4711));
  EXPECT_EQ(seconds_to_keep(message), 5u);
  const auto found = addresses_in(message);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(dotted(found[0].owner), "web.shop.svc.cluster.local.");
  EXPECT_EQ(record_text(found[0]), "A 10.43.0.7");
}

TEST(DnsMessage, WhatDoesNotFitIsMarkedAsCut) {
  const DnsQuery query = query_for("many.example.org", dns_type::kA);
  DnsAnswer answer;
  for (uint32_t i = 0; i < 100; ++i)
    answer.answers.push_back({{}, dns_type::kA, 5, address_bytes({i})});
  const std::string message = encode_answer(query, answer, 512);
  EXPECT_LE(message.size(), 512u);
  EXPECT_TRUE(is_truncated(message));
  EXPECT_FALSE(is_truncated(encode_answer(query, answer, 65'535)));
  const std::string cut = readdress(encode_answer(query, answer, 65'535), query, 0, 512);
  EXPECT_TRUE(is_truncated(cut));
  EXPECT_LE(cut.size(), 512u);
}

TEST(DnsMessage, ForeignAnswersAreMadeOutToWhoAsked) {
  const DnsQuery asked = query_for("example.org", dns_type::kA);
  DnsAnswer answer;
  answer.answers.push_back({{}, dns_type::kA, 100, address_bytes({1})});
  const std::string message = encode_answer(asked, answer, 512);
  DnsQuery other = query_for("eXamPle.ORG", dns_type::kA);
  other.id = 7;
  const std::string made_out = readdress(message, other, 40, 512);
  EXPECT_TRUE(answers_question(made_out, asked.question, 7));
  EXPECT_NE(made_out.find("eXamPle"), std::string::npos);
  EXPECT_EQ(seconds_to_keep(made_out), 60u);
  EXPECT_EQ(seconds_to_keep(readdress(message, other, 400, 512)), 0u);
  for (size_t size = kDnsHeaderBytes; size < message.size(); ++size)
    readdress(std::string_view(message).substr(0, size), other, 0, 512);
}

}  // namespace
}  // namespace coracle::proxy
