// SPDX-License-Identifier: GPL-2.0-or-later
// The bytes of a log segment (README.md has the table). Items - segment headers and records - form
// one chain: each holds the checksum of the one before it, so a stale item of a recycled segment
// can never continue the log. A batch is what one fdatasync covered; each item names its batch and
// `base`, the checksum of the last item before the batch: this tells a torn batch from a damaged
// one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coracle::store {

inline constexpr size_t kSegmentHeaderBytes = 512;  // one sector: written as a whole or not at all
inline constexpr size_t kRecordHeaderBytes = 48;
inline constexpr uint32_t kLogFormat = 2;

enum class RecordType : uint8_t { kEntry = 1, kHardState = 2, kChange = 3 };

// A point in the log between two batches: all that is needed to read on or to append from there.
struct LogPoint {
  static constexpr size_t kBytes = 60;

  uint64_t sequence = 0;  // of the segment; 0: before the first one
  uint64_t offset = 0;    // in the segment
  uint32_t chain = 0;     // checksum of the item before
  uint64_t batch = 0;     // of the item before
  uint64_t next_index = 1;
  uint64_t term = 0;  // the hard state, as of here
  uint64_t vote = 0;
  uint64_t commit = 0;  // at least this is committed

  void encode(std::string& out) const;
  static LogPoint decode(const char* at);  // kBytes of them
};

struct Chained {
  uint32_t crc = 0;
  uint32_t previous = 0;
  uint64_t batch = 0;
  uint32_t base = 0;
};

struct SegmentHeader : Chained {
  uint64_t sequence = 0;
  uint64_t first_index = 0;  // of the first entry behind it
  uint64_t term = 0;
  uint64_t vote = 0;
  uint64_t commit = 0;
};

struct Record : Chained {
  RecordType type = RecordType::kEntry;
  bool ends_batch = false;
  uint64_t index = 0;
  uint64_t term = 0;
  uint32_t length = 0;  // of the payload
};

inline size_t record_bytes(size_t payload_bytes) {
  return kRecordHeaderBytes + (payload_bytes + 7) / 8 * 8;
}

// Both append to `out` and return the checksum that continues the chain.
uint32_t put_segment_header(std::string& out, const SegmentHeader& header);
uint32_t put_record(std::string& out, const Record& record, std::string_view payload);

std::optional<SegmentHeader> get_segment_header(std::string_view bytes);
// A record whose own checksum is right; whether it continues a chain is for the caller to say.
std::optional<Record> get_record(std::string_view bytes);
// Cheap look at the first bytes of what may be a record: its size if it is plausible, else 0.
size_t plausible_record(std::string_view bytes);
std::string_view payload_of(std::string_view bytes, const Record& record);

}  // namespace coracle::store
