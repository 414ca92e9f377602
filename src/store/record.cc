// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/record.h"

#include "base/bytes.h"

namespace coracle::store {
namespace {

constexpr std::string_view kSegmentMagic = "CoracleL";
constexpr uint32_t kRecordMagic = 0x00C0DA1Eu;  // holds a NUL: never part of JSON text
constexpr uint8_t kEndsBatch = 1;
constexpr uint32_t kPayloadBytesMax = 64 * 1024 * 1024;

void put_byte(std::string& out, uint8_t value) {
  out.push_back(static_cast<char>(value));
}

// Puts the checksum of everything behind it in front of the item that starts at `begin`.
uint32_t seal_item(std::string& out, size_t begin) {
  const uint32_t crc = crc32c(std::string_view(out).substr(begin + 4));
  std::string bytes;
  put_u32(bytes, crc);
  out.replace(begin, 4, bytes);
  return crc;
}

}  // namespace

void LogPoint::encode(std::string& out) const {
  put_u64(out, sequence);
  put_u64(out, offset);
  put_u32(out, chain);
  put_u64(out, batch);
  put_u64(out, next_index);
  put_u64(out, term);
  put_u64(out, vote);
  put_u64(out, commit);
}

LogPoint LogPoint::decode(const char* at) {
  LogPoint point;
  point.sequence = get_u64(at);
  point.offset = get_u64(at + 8);
  point.chain = get_u32(at + 16);
  point.batch = get_u64(at + 20);
  point.next_index = get_u64(at + 28);
  point.term = get_u64(at + 36);
  point.vote = get_u64(at + 44);
  point.commit = get_u64(at + 52);
  return point;
}

uint32_t put_segment_header(std::string& out, const SegmentHeader& header) {
  const size_t begin = out.size();
  put_u32(out, 0);
  put_u32(out, header.previous);
  out += kSegmentMagic;
  put_u32(out, kLogFormat);
  put_u32(out, 0);
  put_u64(out, header.sequence);
  put_u64(out, header.batch);
  put_u64(out, header.first_index);
  put_u64(out, header.term);
  put_u64(out, header.vote);
  put_u32(out, header.base);
  put_u64(out, header.commit);
  out.resize(begin + kSegmentHeaderBytes);
  return seal_item(out, begin);
}

std::optional<SegmentHeader> get_segment_header(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes) return std::nullopt;
  bytes = bytes.substr(0, kSegmentHeaderBytes);
  if (bytes.substr(8, 8) != kSegmentMagic || get_u32(&bytes[16]) != kLogFormat) return std::nullopt;
  if (get_u32(bytes.data()) != crc32c(bytes.substr(4))) return std::nullopt;
  SegmentHeader header;
  header.crc = get_u32(bytes.data());
  header.previous = get_u32(&bytes[4]);
  header.sequence = get_u64(&bytes[24]);
  header.batch = get_u64(&bytes[32]);
  header.first_index = get_u64(&bytes[40]);
  header.term = get_u64(&bytes[48]);
  header.vote = get_u64(&bytes[56]);
  header.base = get_u32(&bytes[64]);
  header.commit = get_u64(&bytes[68]);
  return header;
}

uint32_t put_record(std::string& out, const Record& record, std::string_view payload) {
  const size_t begin = out.size();
  put_u32(out, 0);
  put_u32(out, record.previous);
  put_u32(out, kRecordMagic);
  put_u32(out, static_cast<uint32_t>(payload.size()));
  put_u64(out, record.batch);
  put_u64(out, record.index);
  put_u64(out, record.term);
  put_u32(out, record.base);
  put_byte(out, static_cast<uint8_t>(record.type));
  put_byte(out, record.ends_batch ? kEndsBatch : 0);
  put_byte(out, 0);
  put_byte(out, 0);
  out += payload;
  out.resize(begin + record_bytes(payload.size()));
  return seal_item(out, begin);
}

size_t plausible_record(std::string_view bytes) {
  if (bytes.size() < kRecordHeaderBytes || get_u32(&bytes[8]) != kRecordMagic) return 0;
  const uint32_t length = get_u32(&bytes[12]);
  return length > kPayloadBytesMax ? 0 : record_bytes(length);
}

std::optional<Record> get_record(std::string_view bytes) {
  const size_t whole = plausible_record(bytes);
  if (whole == 0 || whole > bytes.size()) return std::nullopt;
  if (get_u32(bytes.data()) != crc32c(bytes.substr(4, whole - 4))) return std::nullopt;
  Record record;
  record.crc = get_u32(bytes.data());
  record.previous = get_u32(&bytes[4]);
  record.length = get_u32(&bytes[12]);
  record.batch = get_u64(&bytes[16]);
  record.index = get_u64(&bytes[24]);
  record.term = get_u64(&bytes[32]);
  record.base = get_u32(&bytes[40]);
  record.type = static_cast<RecordType>(bytes[44]);
  record.ends_batch = (static_cast<uint8_t>(bytes[45]) & kEndsBatch) != 0;
  return record;
}

std::string_view payload_of(std::string_view bytes, const Record& record) {
  return bytes.substr(kRecordHeaderBytes, record.length);
}

}  // namespace coracle::store
