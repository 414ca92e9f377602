// SPDX-License-Identifier: GPL-2.0-or-later
// DNS messages as people read them, for tests.
#pragma once

#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "proxy/dns_message.h"

namespace coracle::proxy {

inline std::string dotted(std::string_view wire) {
  std::string text;
  for (const std::string& label : labels_of(wire))
    text += label + ".";
  return text.empty() ? "." : text;
}

inline std::string record_text(const DnsRecord& record) {
  using namespace dns_type;
  const std::string& data = record.data;
  const auto number = [&data](size_t at) {
    return static_cast<uint8_t>(data[at]) << 8 | static_cast<uint8_t>(data[at + 1]);
  };
  if (record.type == kA)
    return "A " + Ip4{static_cast<uint32_t>(number(0) << 16 | number(2))}.text();
  if (record.type == kCname) return "CNAME " + dotted(data);
  if (record.type == kPtr) return "PTR " + dotted(data);
  if (record.type == kSoa) return "SOA";
  if (record.type == kNs) return "NS " + dotted(data);
  if (record.type == kTxt) return "TXT " + data.substr(1);
  if (record.type == kSrv)
    return join({"SRV ", std::to_string(number(4)), " ", dotted(std::string_view(data).substr(6))});
  return "type " + std::to_string(record.type);
}

// "0: A 10.43.0.7, A ..." with the rcode first; answers sorted.
inline std::string answer_text(const DnsAnswer& answer) {
  std::vector<std::string> parts;
  for (const DnsRecord& record : answer.answers)
    parts.push_back(record_text(record));
  std::sort(parts.begin(), parts.end());
  std::string text = std::to_string(static_cast<int>(answer.rcode)) + ":";
  for (const std::string& part : parts)
    text += " " + part + ",";
  if (!parts.empty()) text.pop_back();
  if (!answer.authority.empty()) text += " / " + record_text(answer.authority[0]);
  return text;
}

inline DnsQuery query_for(std::string_view name, uint16_t type) {
  DnsQuery query;
  query.id = 4711;
  query.question = {wire_name(name), type, 1};
  query.recursion_desired = true;
  return query;
}

}  // namespace coracle::proxy
