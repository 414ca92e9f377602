// SPDX-License-Identifier: GPL-2.0-or-later
// Reading the log back when it is opened: following the chain, and telling a torn end from damage.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "store/log.h"

namespace coracle::store {
namespace {

constexpr size_t kWindowBytes = 64 * 1024;

}  // namespace

// A segment's bytes through a small buffer.
class Window {
 public:
  Window(port::File& file, uint64_t bytes) : file_(file), bytes_(bytes) {}
  // At least `wanted` bytes from `offset` on, fewer at the end of the file; valid until the next
  // call.
  Result<std::string_view> at(uint64_t offset, size_t wanted) {
    if (offset >= bytes_) return std::string_view();
    wanted = static_cast<size_t>(std::min<uint64_t>(wanted, bytes_ - offset));
    if (offset < start_ || offset + wanted > start_ + buffer_.size()) TRY(fill(offset, wanted));
    return std::string_view(buffer_).substr(static_cast<size_t>(offset - start_));
  }
  // The record at `offset` if its own checksum is right; `bytes` are the whole record.
  Result<std::optional<Record>> record(uint64_t offset, std::string_view& bytes) {
    const std::string_view head = TRY(at(offset, kRecordHeaderBytes));
    const size_t whole = plausible_record(head);
    if (whole == 0 || whole > bytes_ - offset) return std::optional<Record>();
    bytes = TRY(at(offset, whole)).substr(0, whole);
    return get_record(bytes);
  }

 private:
  Result<> fill(uint64_t offset, size_t wanted) {
    buffer_.resize(std::max(wanted, kWindowBytes));
    start_ = offset;
    buffer_.resize(TRY(file_.read_at(offset, buffer_.data(), buffer_.size())));
    if (buffer_.size() < wanted) return fail(Code::kIo, "log segment is shorter than it was");
    return {};
  }

  port::File& file_;
  uint64_t bytes_;
  uint64_t start_ = 0;
  std::string buffer_;
};

namespace {

// Takes `record` as the next of the batch that began at `base`; false if it does not continue the
// chain.
bool continues(const Record& record, const LogPoint& point, uint64_t batch, uint32_t base) {
  if (record.previous != point.chain || record.base != base || record.batch != batch) return false;
  return record.type == RecordType::kHardState ||
         (record.index != 0 && record.index <= point.next_index);
}

void take(LogPoint& point, const Record& record, std::string_view payload) {
  point.chain = record.crc;
  point.offset += record_bytes(record.length);
  if (record.type != RecordType::kHardState) {
    point.next_index = record.index + 1;
  } else if (payload.size() >= 24) {
    point.term = get_u64(payload.data());
    point.vote = get_u64(&payload[8]);
    point.commit = get_u64(&payload[16]);
  }
}

Error damage(std::string_view what) {
  return fail(Code::kCorrupt,
              join({"the log is damaged: ", what,
                    "; acknowledged writes would be lost, so it is left as it is"}));
}

struct Found {
  Record record;
  uint64_t offset = 0;
  std::string payload;
};

}  // namespace

// The batch at `point`, whole or not at all. `point` moves only if it was read.
Result<bool> Log::read_batch(Window& window, Segment& segment, LogReader& reader, LogPoint& point) {
  LogPoint next = point;
  std::vector<Found> entries;
  const bool opens_segment = point.offset == kSegmentHeaderBytes;
  const uint32_t base = opens_segment ? segment.header->base : point.chain;
  uint64_t batch = opens_segment ? segment.header->batch : 0;
  for (bool ended = false; !ended;) {
    std::string_view bytes;
    const auto record = TRY(window.record(next.offset, bytes));
    if (!record) return false;
    if (batch == 0) batch = record->batch;
    if (batch <= point.batch && !opens_segment) return false;
    if (!continues(*record, next, batch, base)) return false;
    const std::string_view payload = payload_of(bytes, *record);
    if (record->type != RecordType::kHardState)
      entries.push_back({*record, next.offset, std::string(payload)});
    take(next, *record, payload);
    ended = record->ends_batch;
  }
  next.batch = batch;
  Mark mark{point, 0};
  uint64_t expected = opens_segment ? 0 : point.next_index;
  for (const Found& entry : entries) {
    const Record& record = entry.record;
    mark.highest = std::max(mark.highest, record.index);
    add_extent({record.index, next.sequence, entry.offset}, expected);
    expected = record.index + 1;
    TRY(reader.on_entry({record.type, record.index, record.term, 0, entry.payload, 0}));
  }
  segment.highest = std::max(segment.highest, mark.highest);
  // A segment's header is a part of its first batch: reading on starts in the segment before.
  if (opens_segment) mark.before = end_;
  if (mark.highest != 0) marks_.push_back(mark);
  point = next;
  return true;
}

Result<> Log::read_segment(Segment& segment, LogReader& reader, LogPoint& point) {
  Window window(*segment.file, segment.bytes);
  while (TRY(read_batch(window, segment, reader, point))) {
  }
  return {};
}

// Records of the extent from index `low` on; what is dead lies behind other extents.
Result<> Log::read_extent(const Extent& extent,
                          uint64_t low,
                          uint64_t high,
                          LogReader& reader) const {
  const Segment* segment = find(extent.sequence);
  ASSERT(segment != nullptr);
  Window window(*segment->file, segment->bytes);
  uint64_t offset = extent.offset;
  for (uint64_t index = extent.first; index < high;) {
    std::string_view bytes;
    const auto record = TRY(window.record(offset, bytes));
    const bool fits = record && (record->type == RecordType::kHardState || record->index == index);
    if (!fits) return damage(join({"entry ", std::to_string(index), " cannot be read back"}));
    offset += record_bytes(record->length);
    if (record->type == RecordType::kHardState) continue;
    if (index >= low)
      TRY(reader.on_entry({record->type, index, record->term, 0, payload_of(bytes, *record), 0}));
    index++;
  }
  return {};
}

Result<> Log::recover(const LogPoint& from, LogReader& reader) {
  end_ = from;
  Segment* segment = find(end_.sequence);
  if (segment != nullptr) TRY(read_segment(*segment, reader, end_));
  for (;;) {
    segment = find(end_.sequence + 1);
    if (segment == nullptr || segment->header->previous != end_.chain) break;
    LogPoint point = end_;
    point.sequence++;
    point.offset = kSegmentHeaderBytes;
    point.chain = segment->header->crc;
    TRY(read_segment(*segment, reader, point));
    if (point.offset == kSegmentHeaderBytes) break;
    end_ = point;
  }
  if (end_.sequence != 0 && find(end_.sequence) == nullptr) {
    return damage("it does not reach up to the state");
  }
  TRY(look_for_damage());
  // Segments behind the end hold only a torn batch.
  for (Segment& one : segments_) {
    if (one.sequence > end_.sequence) one.sequence = 0;
    one.header.reset();
  }
  return {};
}

// Of what is newer than the end, only the batch right behind it may exist: it was never
// acknowledged.
Result<> Log::judge(const Chained& item) {
  if (item.batch <= end_.batch) return {};
  newest_batch_ = std::max(newest_batch_, item.batch);
  if (item.base == end_.chain) return {};
  return damage(
      join({"it ends at entry ", std::to_string(end_.next_index - 1), " but goes on behind"}));
}

Result<> Log::look_behind(Segment& segment, uint64_t offset) {
  Window window(*segment.file, segment.bytes);
  while (offset + kRecordHeaderBytes <= segment.bytes) {
    const std::string_view ahead = TRY(window.at(offset, kRecordHeaderBytes));
    size_t skip = 0;
    while (skip + kRecordHeaderBytes <= ahead.size() && plausible_record(ahead.substr(skip)) == 0)
      skip += 8;
    offset += skip;
    if (skip + kRecordHeaderBytes > ahead.size()) continue;
    std::string_view bytes;
    const auto record = TRY(window.record(offset, bytes));
    if (record) TRY(judge(*record));
    offset += 8;
  }
  return {};
}

Result<> Log::look_for_damage() {
  for (Segment& segment : segments_) {
    if (segment.sequence != 0 && segment.sequence == end_.sequence) {
      TRY(look_behind(segment, end_.offset));
      continue;
    }
    if (segment.header) {
      if (segment.header->batch <= end_.batch) continue;
      TRY(judge(*segment.header));
      TRY(look_behind(segment, kSegmentHeaderBytes));
      continue;
    }
    Window window(*segment.file, segment.bytes);
    const std::string_view head =
        TRY(window.at(0, kSegmentHeaderBytes)).substr(0, kSegmentHeaderBytes);
    const bool never_used = head.find_first_not_of('\0') == std::string_view::npos;
    std::string_view bytes;
    const auto first = TRY(window.record(kSegmentHeaderBytes, bytes));
    if (!never_used || first) TRY(look_behind(segment, kSegmentHeaderBytes));
  }
  return {};
}

}  // namespace coracle::store
