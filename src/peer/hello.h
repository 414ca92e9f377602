// SPDX-License-Identifier: GPL-2.0-or-later
// The first words of each side of a connection, and what may speak against going on.
//
// "crcl", oldest u8, newest u8 (these six bytes stay in every version), then cluster u64, from u64,
// to u64, instance u64, port u32, and the build's version as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "pki/member_name.h"

namespace coracle::peer {

inline constexpr uint8_t kProtocolOldest = 1;
inline constexpr uint8_t kProtocolNewest = 1;

struct Hello {
  uint8_t oldest = kProtocolOldest;  // versions of the protocol that it speaks
  uint8_t newest = kProtocolNewest;
  uint64_t cluster = 0;
  uint64_t from = 0;
  uint64_t to = 0;
  uint64_t instance = 0;  // drawn at each start of the process
  uint16_t port = 0;      // where it listens itself
  std::string build;
};

std::string encode(const Hello& hello);
// Of a foreign version only `oldest` and `newest` are known.
Result<Hello> decode_hello(std::string_view bytes);

// Why this greeting is refused, with the remedy, in words for the other side; empty: it is not.
// `certified` is what its certificate says.
std::string objection(const Hello& hello, const pki::MemberName& certified, const Hello& own);

}  // namespace coracle::peer
