// SPDX-License-Identifier: GPL-2.0-or-later
#include "peer/hello.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::peer {
namespace {

constexpr std::string_view kMagic = "crcl";
constexpr size_t kVersionsBytes = 6;
constexpr size_t kFixedBytes = kVersionsBytes + 4 * 8 + 4;
constexpr size_t kBuildBytesMax = 64;

bool speaks(const Hello& hello, const Hello& own) {
  return hello.oldest <= own.newest && own.oldest <= hello.newest;
}

std::string id(uint64_t value) {
  return std::to_string(value);
}

std::string versions(const Hello& hello) {
  return join({std::to_string(hello.oldest), " to ", std::to_string(hello.newest)});
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

std::string encode(const Hello& hello) {
  std::string out(kMagic);
  out.push_back(static_cast<char>(hello.oldest));
  out.push_back(static_cast<char>(hello.newest));
  for (const uint64_t number : {hello.cluster, hello.from, hello.to, hello.instance})
    put_u64(out, number);
  put_u32(out, hello.port);
  return out.append(std::string_view(hello.build).substr(0, kBuildBytesMax));
}

Result<Hello> decode_hello(std::string_view bytes) {
  if (!bytes.starts_with(kMagic) || bytes.size() < kVersionsBytes) {
    return fail(Code::kCorrupt, "not the peer protocol: no greeting");
  }
  Hello hello;
  hello.oldest = static_cast<uint8_t>(bytes[4]);
  hello.newest = static_cast<uint8_t>(bytes[5]);
  if (!speaks(hello, {})) return hello;
  if (bytes.size() < kFixedBytes || bytes.size() > kFixedBytes + kBuildBytesMax) {
    return fail(Code::kCorrupt, "not the peer protocol: greeting is cut short");
  }
  const char* at = bytes.data() + kVersionsBytes;
  for (uint64_t* number : {&hello.cluster, &hello.from, &hello.to, &hello.instance}) {
    *number = get_u64(at);
    at += sizeof *number;
  }
  const uint32_t port = get_u32(at);
  hello.build = bytes.substr(kFixedBytes);
  if (port > UINT16_MAX || !is_printable(hello.build)) {
    return fail(Code::kCorrupt, "not the peer protocol: greeting is malformed");
  }
  hello.port = static_cast<uint16_t>(port);
  return hello;
}

std::string objection(const Hello& hello, const pki::MemberName& certified, const Hello& own) {
  if (!speaks(hello, own)) {
    return join({"it speaks versions ", versions(hello), " of the peer protocol, this member ",
                 versions(own), ": upgrade the older one"});
  }
  if (hello.cluster != certified.cluster || hello.from != certified.member) {
    return join({"its certificate names member ", id(certified.member), ", it says ",
                 id(hello.from),
                 ": its data directory and its certificate do not belong together; ",
                 "remove the member and join it again"});
  }
  if (hello.cluster != own.cluster) {
    return "it belongs to another cluster: empty its data directory and join it with a token of "
           "this one";
  }
  if (hello.from == own.from) {
    return join({"it has the identity of this very member (", id(own.from),
                 "), so one of the two is a copy: empty the data directory of the copy and join it "
                 "again"});
  }
  if (hello.to != own.from) {
    return join({"it wants member ", id(hello.to), ", here is member ", id(own.from),
                 ": addresses have changed hands; it finds the right one once members are up to "
                 "date"});
  }
  return {};
}

}  // namespace coracle::peer
