// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/log.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"

namespace coracle::store {
namespace {

constexpr size_t kZerosBytes = 64 * 1024;

std::string encode_hard_state(uint64_t term, uint64_t vote) {
  std::string out;
  put_u64(out, term);
  put_u64(out, vote);
  return out;
}

}  // namespace

Result<> LogAppend::perform() const {
  TRY(file->write_at(offset, bytes));
  return file->sync();
}

Result<std::unique_ptr<Log>> Log::open(const LogOptions& options, port::Disk& disk) {
  TRY(disk.make_directories(options.directory));
  std::unique_ptr<Log> log(new Log(options));
  for (size_t i = 0; i < options.segments || disk.stat(options.directory + "/" + std::to_string(i));
       ++i) {
    TRY(log->open_segment(i, disk));
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
  if (!segment.header && segment.bytes < options_.segment_bytes) TRY(write_zeros(segment));
  if (segment.header) segment.sequence = segment.header->sequence;
  segments_.push_back(std::move(segment));
  return {};
}

Result<> Log::write_zeros(Segment& segment) {
  const std::string zeros(kZerosBytes, '\0');
  for (uint64_t at = 0; at < options_.segment_bytes; at += kZerosBytes) {
    const size_t part =
        std::min<size_t>(kZerosBytes, static_cast<size_t>(options_.segment_bytes - at));
    TRY(segment.file->write_at(at, std::string_view(zeros).substr(0, part)));
  }
  segment.bytes = options_.segment_bytes;
  return segment.file->sync();
}

void Log::begin_term() {
  term_pending_ = true;
}

Log::Segment* Log::find(uint64_t sequence) {
  if (sequence == 0) return nullptr;
  for (Segment& segment : segments_) {
    if (segment.sequence == sequence) return &segment;
  }
  return nullptr;
}

bool Log::is_free(const Segment& segment) const {
  if (segment.sequence == 0) return true;
  return segment.sequence != end_.sequence && segment.last_index <= durable_;
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

namespace {

// Builds the bytes of one batch behind `point`.
class BatchWriter {
 public:
  BatchWriter(LogPoint& point, uint64_t batch) : point_(point), base_(point.chain) {
    point_.batch = batch;
  }
  void header(uint64_t sequence) {
    point_.sequence = sequence;
    point_.offset = kSegmentHeaderBytes;
    point_.chain = put_segment_header(bytes, {{0, point_.chain, point_.batch, base_},
                                              sequence,
                                              point_.next_index,
                                              point_.term,
                                              point_.vote,
                                              point_.configuration});
  }
  void record(RecordType type, std::string_view payload, bool last) {
    Record record{{0, point_.chain, point_.batch, base_}, type, last, 0, point_.term, 0};
    if (type == RecordType::kHardState) {
      record.term = ++point_.term;
    } else {
      record.index = point_.next_index++;
    }
    if (type == RecordType::kConfiguration) point_.configuration = payload;
    point_.chain = put_record(bytes, record, payload);
    point_.offset += record_bytes(payload.size());
  }
  std::string bytes;

 private:
  LogPoint& point_;
  uint32_t base_;
};

}  // namespace

std::optional<LogAppend> Log::plan(const std::vector<LogItem>& items) {
  const std::string hard_state = term_pending_ ? encode_hard_state(end_.term + 1, 1) : "";
  size_t bytes = term_pending_ ? record_bytes(hard_state.size()) : 0;
  for (const LogItem& item : items)
    bytes += record_bytes(item.payload.size());

  LogAppend append;
  append.after = end_;
  Segment* segment = find(end_.sequence);
  const bool rolls = segment == nullptr || end_.offset + bytes > segment->bytes;
  if (rolls) segment = next_free();
  if (segment == nullptr) return std::nullopt;
  ASSERT(bytes + kSegmentHeaderBytes <= segment->bytes);
  append.file = segment->file.get();
  append.offset = rolls ? 0 : end_.offset;

  BatchWriter writer(append.after, std::max(end_.batch, newest_batch_) + 1);
  if (rolls) writer.header(end_.sequence + 1);
  if (term_pending_) {
    append.after.vote = 1;
    writer.record(RecordType::kHardState, hard_state, items.empty());
  }
  for (const LogItem& item : items)
    writer.record(item.type, item.payload, &item == &items.back());
  append.bytes = std::move(writer.bytes);
  return append;
}

void Log::appended(LogAppend append) {
  if (append.after.sequence != end_.sequence) {
    Segment* old = find(end_.sequence);
    if (old != nullptr) old->last_index = end_.next_index - 1;
    for (Segment& segment : segments_) {
      if (segment.file.get() == append.file) segment.sequence = append.after.sequence;
    }
  }
  term_pending_ = false;
  end_ = std::move(append.after);
}

}  // namespace coracle::store
