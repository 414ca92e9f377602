// SPDX-License-Identifier: GPL-2.0-or-later
// What the rows of the database are: the state after one entry of the log.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "raft/message.h"
#include "store/record.h"

namespace coracle::store {

struct Applied {
  raft::EntryId last;  // everything up to it is in
  LogPoint point;      // all entries after it lie behind this point of the log
  std::string roster;

  std::string encode() const {
    std::string out;
    put_u64(out, last.index);
    put_u64(out, last.term);
    point.encode(out);
    out += roster;
    std::string sealed;
    put_u32(sealed, crc32c(out));
    return sealed + out;
  }
  static std::optional<Applied> decode(std::string_view bytes) {
    constexpr size_t kFixed = 4 + 16 + LogPoint::kBytes;
    if (bytes.size() < kFixed || get_u32(bytes.data()) != crc32c(bytes.substr(4)))
      return std::nullopt;
    Applied applied;
    applied.last = {get_u64(&bytes[12]), get_u64(&bytes[4])};
    applied.point = LogPoint::decode(&bytes[20]);
    applied.roster = bytes.substr(kFixed);
    return applied;
  }
};

// Whose database it is: written once, never replicated.
struct Identity {
  uint64_t cluster = 0;
  raft::NodeId member = raft::kNobody;
};

}  // namespace coracle::store
