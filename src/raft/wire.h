// SPDX-License-Identifier: GPL-2.0-or-later
// Messages as bytes, for whoever carries them between members.
//
// version u8, type u8, flags u8, then varints (LEB128, shortest form only): to, from, term,
// log_term, index, commit, vote, reject_hint, read_number, request; the entries: count, and of each
// term, index, type u8, size, bytes; with kHasSnapshot: index, term, voters, voters_outgoing,
// learners, learners_next (each count, ids), auto_leave u8, size, bytes. Nothing follows.
//
// There is exactly one encoding of a message: what decodes encodes to the same bytes again.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "raft/message.h"

namespace coracle::raft {

inline constexpr uint8_t kWireVersion = 1;
inline constexpr size_t kWireEntriesMax = 65'536;  // in one message
inline constexpr size_t kWireMembersMax = 256;     // in each list of a configuration

// An upper bound of what encode() makes, for buffers and queues.
size_t wire_size_max(const Message& message);

// Only of messages that may travel: not local, without responses.
std::string encode(const Message& message);

// Refuses (kCorrupt) whatever encode() does not make, local types included, and never allocates
// more than a small multiple of `bytes`. Whether the message makes sense is admissible()'s
// question.
Result<Message> decode_message(std::string_view bytes);

}  // namespace coracle::raft
