// SPDX-License-Identifier: GPL-2.0-or-later
// DNS messages as bytes (RFC 1035, 6891). Reads anything without harm: lengths and pointers are
// checked, a name has at most 255 bytes, a chain of pointers at most 16 links.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"

namespace coracle::proxy {

enum class Rcode : uint8_t {
  kNoError = 0,
  kFormatError = 1,
  kServerFailure = 2,
  kNoSuchName = 3,
  kNotImplemented = 4,
  kRefused = 5,
  kBadVersion = 16
};

namespace dns_type {
inline constexpr uint16_t kA = 1;
inline constexpr uint16_t kNs = 2;
inline constexpr uint16_t kCname = 5;
inline constexpr uint16_t kSoa = 6;
inline constexpr uint16_t kPtr = 12;
inline constexpr uint16_t kTxt = 16;
inline constexpr uint16_t kAaaa = 28;
inline constexpr uint16_t kSrv = 33;
inline constexpr uint16_t kOpt = 41;
inline constexpr uint16_t kAny = 255;
}  // namespace dns_type

inline constexpr size_t kDnsHeaderBytes = 12;
inline constexpr size_t kDnsPlainBytesMax = 512;     // of an answer over UDP without EDNS
inline constexpr size_t kDnsPayloadBytesMax = 1232;  // with EDNS: fits every usual link
inline constexpr size_t kDnsNameBytesMax = 255;

struct DnsQuestion {
  std::string name;  // wire form, uncompressed, in the letters of who asked
  uint16_t type = 0;
  uint16_t klass = 1;
};

struct DnsQuery {
  uint16_t id = 0;
  DnsQuestion question;
  bool recursion_desired = false;
  bool checking_disabled = false;
  bool edns = false;
  bool dnssec_ok = false;
  uint16_t payload = kDnsPlainBytesMax;  // bytes that the asker takes over UDP
};

struct DnsRecord {
  std::string owner;  // wire form; empty: the name that was asked for
  uint16_t type = 0;
  uint32_t ttl = 0;
  std::string data;
};

struct DnsAnswer {
  Rcode rcode = Rcode::kNoError;
  bool authoritative = true;
  std::vector<DnsRecord> answers;
  std::vector<DnsRecord> authority;
  std::vector<DnsRecord> additional;
};

enum class DnsVerdict : uint8_t { kGood, kIgnore, kRefuse };
// kRefuse: answer with `rcode`, the question may be missing.
struct DnsParsed {
  DnsVerdict verdict = DnsVerdict::kIgnore;
  Rcode rcode = Rcode::kNoError;
  DnsQuery query;
};
DnsParsed parse_query(std::string_view bytes);

// `bytes_max`: sections are left out and TC is set if it would be longer.
std::string encode_answer(const DnsQuery& query, const DnsAnswer& answer, size_t bytes_max);
// A question for another server, by a query's flags.
std::string encode_question(const DnsQuery& query, uint16_t id);

// --- Messages of another server

// It answers exactly this question: id, name and type.
bool answers_question(std::string_view message, const DnsQuestion& question, uint16_t id);
uint8_t rcode_of(std::string_view message);
bool is_truncated(std::string_view message);
// The message as if it had been made for `query`, its TTLs lowered by `age_seconds`. Empty: it is
// malformed. Longer than `bytes_max`: header and question only, with TC.
std::string readdress(std::string_view message,
                      const DnsQuery& query,
                      uint32_t age_seconds,
                      size_t bytes_max);
// The least TTL of its records, or of the SOA's minimum in a negative answer; nullopt: malformed,
// or nothing in it says how long it holds.
std::optional<uint32_t> seconds_to_keep(std::string_view message);
// Addresses and aliases of its answer section, names uncompressed.
std::vector<DnsRecord> addresses_in(std::string_view message);

// --- Names and data in wire form

std::string wire_name(std::string_view dotted);             // empty: a label is empty or too long
std::vector<std::string> labels_of(std::string_view wire);  // lower case, without the root
std::string address_bytes(Ip4 address);
void put_u16(std::string& out, uint16_t value);
void put_u32_big(std::string& out, uint32_t value);

}  // namespace coracle::proxy
