// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/log.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/tooth.h"

namespace coracle::store {
namespace {

constexpr size_t kZerosBytes = 64 * 1024;
constexpr uint64_t kExtentBytes = 16 * 1024;
constexpr size_t kSegmentsMax = 16;
constexpr size_t kHardStateBytes = 24;

Result<> write_zeros(port::File& file, uint64_t bytes) {
  const std::string zeros(kZerosBytes, '\0');
  for (uint64_t at = 0; at < bytes; at += kZerosBytes) {
    const size_t part = static_cast<size_t>(std::min<uint64_t>(kZerosBytes, bytes - at));
    TRY(file.write_at(at, std::string_view(zeros).substr(0, part)));
  }
  return file.sync();
}

}  // namespace

size_t bytes_in_log(const LogItem& item) {
  return record_bytes(item.type == RecordType::kHardState ? kHardStateBytes : item.payload.size());
}

Result<> LogAppend::perform() const {
  TRY(file->write_at(offset, bytes));
  return bites(Tooth::kNoSync) ? Result<>() : file->sync();
}

Result<> LogGrowth::perform(port::Disk& disk) {
  file = TRY(disk.open(path, port::OpenMode::kCreate));
  TRY(write_zeros(*file, segment_bytes));
  return disk.sync_directory(path.substr(0, path.rfind('/')));
}

Result<std::unique_ptr<Log>> Log::open(const LogOptions& options, port::Disk& disk) {
  TRY(disk.make_directories(options.directory));
  std::unique_ptr<Log> log(new Log(options));
  for (size_t i = 0; i < options.segments || disk.stat(options.directory + "/" + std::to_string(i));
       ++i) {
    const Result<> opened = log->open_segment(i, disk);
    if (!opened && i >= options.segments) break;  // its making was cut short, and is again
    TRY(opened);
  }
  TRY(disk.sync_directory(options.directory));
  log->smallest_ = UINT64_MAX;
  for (const Segment& segment : log->segments_) {
    log->smallest_ = std::min(log->smallest_, segment.bytes);
  }
  return log;
}

// A file shorter than it should be and without header is one whose making was cut short.
Result<> Log::open_segment(size_t number, port::Disk& disk) {
  const std::string path = options_.directory + "/" + std::to_string(number);
  Segment segment;
  segment.file = TRY(disk.open(path, port::OpenMode::kCreate));
  segment.bytes = TRY(segment.file->size());
  std::string head(kSegmentHeaderBytes, '\0');
  TRY(segment.file->read_at(0, head.data(), head.size()));
  segment.header = get_segment_header(head);
  if (!segment.header && segment.bytes < options_.segment_bytes) {
    TRY(write_zeros(*segment.file, options_.segment_bytes));
    segment.bytes = options_.segment_bytes;
  }
  if (segment.header) segment.sequence = segment.header->sequence;
  segments_.push_back(std::move(segment));
  return {};
}

bool Log::pristine() const {
  return std::all_of(segments_.begin(), segments_.end(),
                     [](const Segment& segment) { return segment.sequence == 0; });
}

const Log::Segment* Log::find(uint64_t sequence) const {
  if (sequence == 0) return nullptr;
  for (const Segment& segment : segments_) {
    if (segment.sequence == sequence) return &segment;
  }
  return nullptr;
}

Log::Segment* Log::find(uint64_t sequence) {
  return const_cast<Segment*>(std::as_const(*this).find(sequence));
}

// A reader of the log starts at the durable point, so nothing behind that may be missing, even if
// all its entries were overwritten.
bool Log::is_free(const Segment& segment) const {
  if (segment.sequence == 0) return true;
  if (bites(Tooth::kRecycledTooEarly)) return segment.sequence != end_.sequence;
  return segment.sequence != end_.sequence && segment.sequence < durable_sequence_ &&
         segment.highest <= durable_;
}

size_t Log::free_segments() const {
  return static_cast<size_t>(std::count_if(segments_.begin(), segments_.end(),
                                           [this](const Segment& s) { return is_free(s); }));
}

Log::Segment* Log::next_free() {
  Segment* best = nullptr;
  for (Segment& segment : segments_) {
    if (is_free(segment) && (best == nullptr || segment.sequence < best->sequence)) best = &segment;
  }
  return best;
}

uint64_t Log::bytes() const {
  uint64_t sum = 0;
  for (const Segment& segment : segments_)
    sum += segment.bytes;
  return sum;
}

// The rest of the segment in use counts only if it is all there is: entries may not fit into it.
uint64_t Log::room() const {
  uint64_t sum = 0;
  for (const Segment& segment : segments_)
    sum += is_free(segment) ? segment.bytes - kSegmentHeaderBytes : 0;
  const Segment* now = find(end_.sequence);
  return sum > 0 || now == nullptr ? sum : now->bytes - end_.offset;
}

namespace {

// Builds the bytes of one batch behind `append.after`.
class BatchWriter {
 public:
  BatchWriter(LogAppend& append, uint64_t batch)
      : append_(append),
        point_(append.after),
        base_(append.after.chain) {
    point_.batch = batch;
  }
  void header(uint64_t sequence) {
    point_.sequence = sequence;
    point_.offset = kSegmentHeaderBytes;
    point_.chain = put_segment_header(append_.bytes, {{0, point_.chain, point_.batch, base_},
                                                      sequence,
                                                      point_.next_index,
                                                      point_.term,
                                                      point_.vote,
                                                      point_.commit});
  }
  void record(const LogItem& item, bool last) {
    Record record{{0, point_.chain, point_.batch, base_}, item.type, last, 0, item.term, 0};
    if (item.type == RecordType::kHardState) {
      std::string payload;
      put_u64(payload, point_.term = item.term);
      put_u64(payload, point_.vote = item.vote);
      put_u64(payload, point_.commit = item.commit);
      return put(record, payload);
    }
    const auto& extents = append_.extents;
    if (extents.empty() || item.index != point_.next_index ||
        point_.offset - extents.back().offset > kExtentBytes) {
      append_.extents.push_back({item.index, point_.sequence, point_.offset});
    }
    record.index = item.index;
    point_.next_index = item.index + 1;
    append_.highest = std::max(append_.highest, item.index);
    put(record, item.payload);
  }

 private:
  void put(const Record& record, std::string_view payload) {
    point_.chain = put_record(append_.bytes, record, payload);
    point_.offset += record_bytes(payload.size());
  }

  LogAppend& append_;
  LogPoint& point_;
  uint32_t base_;
};

}  // namespace

std::optional<LogAppend> Log::plan(std::span<const LogItem> items) {
  size_t bytes = 0;
  for (const LogItem& item : items)
    bytes += bytes_in_log(item);

  LogAppend append;
  append.after = end_;
  Segment* segment = find(end_.sequence);
  const bool rolls = segment == nullptr || end_.offset + bytes > segment->bytes;
  if (rolls) segment = next_free();
  if (segment == nullptr) return std::nullopt;
  ASSERT(bytes + kSegmentHeaderBytes <= segment->bytes);
  append.file = segment->file.get();
  append.offset = rolls ? 0 : end_.offset;
  append.bytes.reserve(bytes + (rolls ? kSegmentHeaderBytes : 0));
  BatchWriter writer(append, std::max(end_.batch, newest_batch_) + 1);
  if (rolls) {
    forget_extents(segment->sequence);
    segment->sequence = 0;
    segment->highest = 0;
    writer.header(end_.sequence + 1);
  }
  for (const LogItem& item : items)
    writer.record(item, &item == &items.back());
  return append;
}

void Log::appended(const LogAppend& append) {
  if (append.highest != 0) marks_.push_back({end_, append.highest});
  for (Segment& segment : segments_) {
    if (segment.file.get() != append.file) continue;
    segment.sequence = append.after.sequence;
    segment.highest = std::max(segment.highest, append.highest);
  }
  uint64_t expected = end_.next_index;
  for (const Extent& extent : append.extents)
    add_extent(extent, std::exchange(expected, 0));
  end_ = append.after;
}

std::optional<LogGrowth> Log::plan_growth() {
  if (segments_.size() >= kSegmentsMax) return std::nullopt;
  return LogGrowth{options_.directory + "/" + std::to_string(segments_.size()),
                   options_.segment_bytes, nullptr};
}

void Log::grown(LogGrowth growth) {
  Segment segment;
  segment.file = std::move(growth.file);
  segment.bytes = growth.segment_bytes;
  smallest_ = std::min(smallest_, segment.bytes);
  segments_.push_back(std::move(segment));
}

void Log::jump(uint64_t index) {
  end_.next_index = index + 1;
  extents_.clear();
  marks_.clear();
}

LogPoint Log::point_for(uint64_t applied) {
  while (!marks_.empty() && marks_.front().highest <= applied)
    marks_.pop_front();
  return marks_.empty() || bites(Tooth::kReplayFromTooFar) ? end_ : marks_.front().before;
}

void Log::set_durable(uint64_t index, const LogPoint& point) {
  durable_ = index;
  durable_sequence_ = point.sequence;
}

// Extents of a recycled segment are the oldest ones.
void Log::forget_extents(uint64_t sequence) {
  if (sequence == 0) return;
  while (!extents_.empty() && extents_.front().sequence <= sequence)
    extents_.pop_front();
}

// `expected`: the index that would continue the newest extent.
void Log::add_extent(const Extent& extent, uint64_t expected) {
  if (!extents_.empty() && extent.first == expected &&
      extents_.back().sequence == extent.sequence &&
      extent.offset - extents_.back().offset <= kExtentBytes) {
    return;
  }
  while (!extents_.empty() && extents_.back().first >= extent.first)
    extents_.pop_back();
  extents_.push_back(extent);
}

uint64_t Log::first_index() const {
  return extents_.empty() ? end_.next_index : extents_.front().first;
}

Result<> Log::read(uint64_t low, uint64_t high, LogReader& reader) const {
  auto extent = std::upper_bound(extents_.begin(), extents_.end(), low,
                                 [](uint64_t index, const Extent& e) { return index < e.first; });
  if (extent == extents_.begin()) return fail(Code::kExpired, "entries were recycled");
  for (--extent; low < high && extent != extents_.end(); ++extent) {
    const auto next = std::next(extent);
    const uint64_t end = next == extents_.end() ? high : std::min(high, next->first);
    TRY(read_extent(*extent, low, end, reader));
    low = end;
  }
  return {};
}

}  // namespace coracle::store
