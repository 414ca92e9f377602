// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as a query and as another server's answer: refused, ignored, or answered with a message
// that can be read again.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "proxy/dns_message.h"

using namespace coracle;
using namespace coracle::proxy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const DnsParsed parsed = parse_query(bytes);
  if (parsed.verdict != DnsVerdict::kIgnore) {
    DnsAnswer answer;
    answer.rcode = parsed.rcode;
    answer.answers.push_back({{}, dns_type::kA, 5, address_bytes({1})});
    answer.authority.push_back({wire_name("cluster.local"), dns_type::kNs, 5, wire_name("a.b")});
    const std::string reply = encode_answer(parsed.query, answer, kDnsPlainBytesMax);
    ASSERT(reply.size() <= kDnsPlainBytesMax);
    if (parsed.verdict == DnsVerdict::kGood) {
      const DnsQuestion& question = parsed.query.question;
      ASSERT(answers_question(reply, question, parsed.query.id));
      ASSERT(parse_query(encode_question(parsed.query, 1)).verdict == DnsVerdict::kGood);
      labels_of(question.name);
    }
  }
  seconds_to_keep(bytes);
  addresses_in(bytes);
  DnsQuery query;
  query.question = {wire_name("example.org"), dns_type::kA, 1};
  if (size >= kDnsHeaderBytes && answers_question(bytes, query.question, 0))
    ASSERT(readdress(bytes, query, 10, kDnsPlainBytesMax).size() <= kDnsPlainBytesMax);
  return 0;
}
