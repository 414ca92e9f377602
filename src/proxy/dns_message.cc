// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/dns_message.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::proxy {
namespace {

constexpr uint16_t kResponse = 0x8000;
constexpr uint16_t kOpcodeMask = 0x7800;
constexpr uint16_t kAuthoritative = 0x0400;
constexpr uint16_t kTruncated = 0x0200;
constexpr uint16_t kRecursionDesired = 0x0100;
constexpr uint16_t kRecursionAvailable = 0x0080;
constexpr uint16_t kCheckingDisabled = 0x0010;
constexpr uint32_t kDnssecOk = 0x8000;
constexpr uint16_t kPointer = 0xc000;
constexpr int kPointersMax = 16;
constexpr size_t kLabelBytesMax = 63;
constexpr uint16_t kIn = 1;
constexpr uint16_t kAnyClass = 255;

uint16_t u16_at(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 |
                               static_cast<uint8_t>(bytes[at + 1]));
}

uint32_t u32_at(std::string_view bytes, size_t at) {
  return uint32_t{u16_at(bytes, at)} << 16 | u16_at(bytes, at + 2);
}

void set_u16(std::string& bytes, size_t at, uint16_t value) {
  bytes[at] = static_cast<char>(value >> 8);
  bytes[at + 1] = static_cast<char>(value & 0xff);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

// Reads a message from front to back; after an error everything fails.
class Reader {
 public:
  Reader(std::string_view bytes, size_t at) : bytes_(bytes), at_(at) {}
  bool good() const { return good_; }
  size_t at() const { return at_; }
  size_t left() const { return good_ ? bytes_.size() - at_ : 0; }
  uint16_t u16() { return has(2) ? u16_at(bytes_, (at_ += 2) - 2) : uint16_t{0}; }
  uint32_t u32() { return has(4) ? u32_at(bytes_, (at_ += 4) - 4) : 0; }
  void skip(size_t bytes) {
    if (has(bytes)) at_ += bytes;
  }
  std::string name();

 private:
  bool has(size_t bytes) {
    good_ = good_ && at_ <= bytes_.size() && bytes_.size() - at_ >= bytes;
    return good_;
  }
  std::string give_up() {
    good_ = false;
    return {};
  }

  std::string_view bytes_;
  size_t at_;
  bool good_ = true;
};

// A pointer leads backwards only, so a chain of them ends.
std::string Reader::name() {
  std::string wire;
  size_t from = at_;
  bool jumped = false;
  for (int pointers = 0; good_ && from < bytes_.size();) {
    const auto length = static_cast<uint8_t>(bytes_[from]);
    if ((length & 0xc0) == 0xc0) {
      if (from + 2 > bytes_.size() || ++pointers > kPointersMax) return give_up();
      const size_t target = u16_at(bytes_, from) & 0x3fff;
      if (!jumped) at_ = from + 2;
      jumped = true;
      if (target >= from) return give_up();
      from = target;
      continue;
    }
    if (length > kLabelBytesMax || bytes_.size() - from < size_t{1} + length) return give_up();
    wire.append(bytes_.substr(from, size_t{1} + length));
    if (wire.size() > kDnsNameBytesMax) return give_up();
    from += size_t{1} + length;
    if (length != 0) continue;
    if (!jumped) at_ = from;
    return wire;
  }
  return give_up();
}

struct RecordHead {
  std::string owner;
  uint16_t type = 0;
  uint16_t klass = 0;
  size_t ttl_at = 0;
  uint32_t ttl = 0;
  size_t data_at = 0;
  uint16_t data_bytes = 0;
};

RecordHead read_record(Reader& reader) {
  RecordHead head;
  head.owner = reader.name();
  head.type = reader.u16();
  head.klass = reader.u16();
  head.ttl_at = reader.at();
  head.ttl = reader.u32();
  head.data_bytes = reader.u16();
  head.data_at = reader.at();
  reader.skip(head.data_bytes);
  return head;
}

struct Counts {
  uint16_t questions;
  uint16_t answers;
  uint16_t authority;
  uint16_t additional;
};

Counts counts_of(std::string_view message) {
  return {u16_at(message, 4), u16_at(message, 6), u16_at(message, 8), u16_at(message, 10)};
}

// Calls visit(section, head) for each record; false: the message is malformed.
template <class Visit>
bool for_each_record(std::string_view message, Visit visit) {
  if (message.size() < kDnsHeaderBytes) return false;
  const Counts counts = counts_of(message);
  Reader reader(message, kDnsHeaderBytes);
  for (int i = 0; i < counts.questions && reader.good(); ++i) {
    reader.name();
    reader.skip(4);
  }
  const uint16_t sections[] = {counts.answers, counts.authority, counts.additional};
  for (int section = 0; section < 3; ++section) {
    for (int i = 0; i < sections[section] && reader.good(); ++i) {
      const RecordHead head = read_record(reader);
      if (reader.good()) visit(section, head);
    }
  }
  return reader.good();
}

void read_edns(std::string_view bytes, Reader& reader, int records, DnsParsed& parsed) {
  for (int i = 0; i < records && reader.good(); ++i) {
    const RecordHead head = read_record(reader);
    if (!reader.good() || head.type != dns_type::kOpt) continue;
    if (parsed.query.edns || head.owner.size() != 1) {
      parsed.rcode = Rcode::kFormatError;
      return;
    }
    parsed.query.edns = true;
    parsed.query.payload = std::max<uint16_t>(head.klass, kDnsPlainBytesMax);
    parsed.query.dnssec_ok = (u32_at(bytes, head.ttl_at) & kDnssecOk) != 0;
    if ((head.ttl >> 16 & 0xff) != 0) parsed.rcode = Rcode::kBadVersion;
  }
}

void put_name(std::string& out, std::string_view wire, std::string_view asked) {
  if (wire.empty()) return put_u16(out, kPointer | kDnsHeaderBytes);
  // The question's name ends with the names of its zones: one pointer into it.
  if (wire.size() > 1 && asked.size() >= wire.size()) {
    const size_t offset = asked.size() - wire.size();
    size_t label = 0;
    while (label < offset)
      label += size_t{1} + static_cast<uint8_t>(asked[label]);
    if (label == offset && same_name(asked.substr(offset), wire))
      return put_u16(out, static_cast<uint16_t>(kPointer | (kDnsHeaderBytes + offset)));
  }
  out.append(wire);
}

size_t put_records(std::string& out,
                   const std::vector<DnsRecord>& records,
                   std::string_view asked,
                   size_t bytes_max) {
  size_t count = 0;
  for (const DnsRecord& record : records) {
    const size_t before = out.size();
    put_name(out, record.owner, asked);
    put_u16(out, record.type);
    put_u16(out, kIn);
    put_u32_big(out, record.ttl);
    put_u16(out, static_cast<uint16_t>(record.data.size()));
    out.append(record.data);
    if (out.size() > bytes_max || count == 0xffff) {
      out.resize(before);
      return count;
    }
    ++count;
  }
  return count;
}

uint16_t flags_for(const DnsQuery& query) {
  return static_cast<uint16_t>(kResponse | kRecursionAvailable |
                               (query.recursion_desired ? kRecursionDesired : 0) |
                               (query.checking_disabled ? kCheckingDisabled : 0));
}

void put_question(std::string& out, const DnsQuestion& question) {
  out.append(question.name);
  put_u16(out, question.type);
  put_u16(out, question.klass);
}

void put_opt(std::string& out, uint32_t flags) {
  out.push_back('\0');
  put_u16(out, dns_type::kOpt);
  put_u16(out, kDnsPayloadBytesMax);
  put_u32_big(out, flags);
  put_u16(out, 0);
}

constexpr size_t kOptBytes = 11;

}  // namespace

void put_u16(std::string& out, uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xff));
}

void put_u32_big(std::string& out, uint32_t value) {
  put_u16(out, static_cast<uint16_t>(value >> 16));
  put_u16(out, static_cast<uint16_t>(value & 0xffff));
}

DnsParsed parse_query(std::string_view bytes) {
  DnsParsed parsed;
  if (bytes.size() < kDnsHeaderBytes) return parsed;
  const uint16_t flags = u16_at(bytes, 2);
  if ((flags & kResponse) != 0) return parsed;  // answering answers would go on for ever
  parsed.verdict = DnsVerdict::kRefuse;
  DnsQuery& query = parsed.query;
  query.id = u16_at(bytes, 0);
  query.recursion_desired = (flags & kRecursionDesired) != 0;
  query.checking_disabled = (flags & kCheckingDisabled) != 0;
  parsed.rcode = Rcode::kNotImplemented;
  if ((flags & kOpcodeMask) != 0) return parsed;
  parsed.rcode = Rcode::kFormatError;
  const Counts counts = counts_of(bytes);
  if (counts.questions != 1 || counts.answers != 0) return parsed;
  Reader reader(bytes, kDnsHeaderBytes);
  DnsQuestion question{reader.name(), reader.u16(), 0};
  question.klass = reader.u16();
  if (!reader.good()) return parsed;
  query.question = std::move(question);
  parsed.rcode = Rcode::kNoError;
  read_edns(bytes, reader, counts.authority + counts.additional, parsed);
  if (!reader.good()) parsed.rcode = Rcode::kFormatError;
  if (parsed.rcode != Rcode::kNoError) return parsed;
  parsed.rcode = Rcode::kRefused;
  const bool served = query.question.klass == kIn || query.question.klass == kAnyClass;
  if (!served || (query.question.type >= 251 && query.question.type <= 254)) return parsed;
  parsed.verdict = DnsVerdict::kGood;
  return parsed;
}

std::string encode_answer(const DnsQuery& query, const DnsAnswer& answer, size_t bytes_max) {
  std::string out;
  const auto rcode = static_cast<uint16_t>(answer.rcode);
  const auto flags = static_cast<uint16_t>(flags_for(query) | (rcode & 0xf) |
                                           (answer.authoritative ? kAuthoritative : 0));
  put_u16(out, query.id);
  put_u16(out, flags);
  out.append(8, '\0');
  const std::string& asked = query.question.name;
  if (!asked.empty()) {
    put_question(out, query.question);
    set_u16(out, 4, 1);
  }
  const size_t room = bytes_max - std::min(bytes_max, query.edns ? kOptBytes : size_t{0});
  const size_t answers = put_records(out, answer.answers, asked, room);
  set_u16(out, 6, static_cast<uint16_t>(answers));
  if (answers < answer.answers.size()) set_u16(out, 2, flags | kTruncated);
  set_u16(out, 8, static_cast<uint16_t>(put_records(out, answer.authority, asked, room)));
  // What does not fit of the additional section is not missed (RFC 2181 section 9).
  size_t additional = put_records(out, answer.additional, asked, room);
  if (query.edns) {
    put_opt(out, (rcode & 0xff0u) << 20 | (query.dnssec_ok ? kDnssecOk : 0));
    ++additional;
  }
  set_u16(out, 10, static_cast<uint16_t>(additional));
  return out;
}

std::string encode_question(const DnsQuery& query, uint16_t id) {
  std::string out;
  put_u16(out, id);
  put_u16(out, static_cast<uint16_t>(kRecursionDesired |
                                     (query.checking_disabled ? kCheckingDisabled : 0)));
  put_u16(out, 1);
  out.append(5, '\0');
  out.push_back(query.edns ? '\1' : '\0');
  put_question(out, query.question);
  if (query.edns) put_opt(out, query.dnssec_ok ? kDnssecOk : 0);
  return out;
}

bool answers_question(std::string_view message, const DnsQuestion& question, uint16_t id) {
  if (message.size() < kDnsHeaderBytes || u16_at(message, 0) != id) return false;
  if ((u16_at(message, 2) & kResponse) == 0 || counts_of(message).questions != 1) return false;
  Reader reader(message, kDnsHeaderBytes);
  const std::string name = reader.name();
  const uint16_t type = reader.u16();
  const uint16_t klass = reader.u16();
  if (!reader.good() || type != question.type || klass != question.klass) return false;
  // Uncompressed, so that the asker's letters can replace it.
  return same_name(name, question.name) &&
         same_name(message.substr(kDnsHeaderBytes, name.size()), name);
}

uint8_t rcode_of(std::string_view message) {
  return static_cast<uint8_t>(message[3]) & 0xf;
}

bool is_truncated(std::string_view message) {
  return (u16_at(message, 2) & kTruncated) != 0;
}

std::string readdress(std::string_view message,
                      const DnsQuery& query,
                      uint32_t age_seconds,
                      size_t bytes_max) {
  std::string out(message);
  const bool whole = for_each_record(message, [&](int, const RecordHead& head) {
    if (head.type == dns_type::kOpt) return;
    const uint32_t left = head.ttl - std::min(head.ttl, age_seconds);
    set_u16(out, head.ttl_at, static_cast<uint16_t>(left >> 16));
    set_u16(out, head.ttl_at + 2, static_cast<uint16_t>(left & 0xffff));
  });
  const size_t question_bytes = query.question.name.size() + 4;
  if (!whole || out.size() < kDnsHeaderBytes + question_bytes) return {};
  set_u16(out, 0, query.id);
  constexpr uint16_t kKept = 0x063f;  // AA, TC, AD and the rcode
  set_u16(out, 2, static_cast<uint16_t>(flags_for(query) | (u16_at(out, 2) & kKept)));
  // The letters of who asked: some resolvers check them (draft-vixie-dnsext-dns0x20).
  out.replace(kDnsHeaderBytes, query.question.name.size(), query.question.name);
  if (out.size() <= bytes_max) return out;
  out.resize(kDnsHeaderBytes + question_bytes);
  set_u16(out, 2, u16_at(out, 2) | kTruncated);
  for (const size_t at : {6, 8, 10})
    set_u16(out, at, 0);
  return out;
}

std::optional<uint32_t> seconds_to_keep(std::string_view message) {
  std::optional<uint32_t> least;
  const bool whole = for_each_record(message, [&](int section, const RecordHead& head) {
    if (head.type == dns_type::kOpt) return;
    uint32_t seconds = head.ttl;
    // RFC 2308: the last number of the SOA limits a negative answer.
    if (section == 1 && head.type == dns_type::kSoa && head.data_bytes >= 22)
      seconds = std::min(seconds, u32_at(message, head.data_at + head.data_bytes - 4));
    least = std::min(least.value_or(seconds), seconds);
  });
  return whole ? least : std::nullopt;
}

std::vector<DnsRecord> addresses_in(std::string_view message) {
  std::vector<DnsRecord> found;
  for_each_record(message, [&](int section, const RecordHead& head) {
    if (section != 0 || head.klass != kIn) return;
    std::string data(message.substr(head.data_at, head.data_bytes));
    if (head.type == dns_type::kCname) {
      Reader reader(message, head.data_at);
      data = reader.name();
      if (!reader.good()) return;
    } else if (head.type != dns_type::kA && head.type != dns_type::kAaaa) {
      return;
    }
    found.push_back({head.owner, head.type, head.ttl, std::move(data)});
  });
  return found;
}

std::string wire_name(std::string_view dotted) {
  if (dotted.ends_with('.')) dotted.remove_suffix(1);
  std::string wire;
  for (const std::string_view label : split(dotted, '.')) {
    if (label.empty() || label.size() > kLabelBytesMax) return {};
    wire.push_back(static_cast<char>(label.size()));
    wire.append(label);
  }
  wire.push_back('\0');
  return wire.size() <= kDnsNameBytesMax ? wire : std::string();
}

std::vector<std::string> labels_of(std::string_view wire) {
  std::vector<std::string> labels;
  size_t at = 0;
  while (at < wire.size() && wire[at] != '\0') {
    const size_t length = static_cast<uint8_t>(wire[at]);
    std::string label(wire.substr(at + 1, length));
    for (char& c : label)
      c = lower(c);
    labels.push_back(std::move(label));
    at += 1 + length;
  }
  return labels;
}

std::string address_bytes(Ip4 address) {
  std::string bytes;
  put_u32_big(bytes, address.value);
  return bytes;
}

}  // namespace coracle::proxy
