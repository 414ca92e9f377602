// SPDX-License-Identifier: GPL-2.0-or-later
// The log: a ring of segment files, written with zeros once and recycled for ever, so that an
// append and its fdatasync change no metadata. The loop plans appends and the log lane performs
// them, one at a time; a batch never spans segments.
//
// Recovery cuts a torn last batch. If anything valid of a later batch stands behind a bad place,
// that is damage to acknowledged entries: it is reported and nothing is cut.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "port/disk.h"
#include "store/record.h"

namespace coracle::store {

struct LogOptions {
  std::string directory;
  size_t segment_bytes = 0;
  size_t segments = 0;
};

struct LogItem {
  RecordType type = RecordType::kEntry;
  std::string payload;
};

// One write and one fdatasync.
struct LogAppend {
  port::File* file = nullptr;
  uint64_t offset = 0;
  std::string bytes;
  LogPoint after;
  Result<> perform() const;
};

class LogReader {
 public:
  virtual Result<> on_entry(uint64_t index, std::string_view payload) = 0;
  virtual Result<> on_batch_end(const LogPoint& point) = 0;

 protected:
  ~LogReader() = default;
};

class Window;

class Log {
 public:
  static Result<std::unique_ptr<Log>> open(const LogOptions& options, port::Disk& disk);

  // Reads everything behind `from` and gets ready to append. kCorrupt: damage.
  Result<> recover(const LogPoint& from, LogReader& reader);
  bool empty() const { return end_.sequence == 0; }
  const LogPoint& end() const { return end_; }

  // A new leader's term: written in front of the next batch.
  void begin_term();
  // Nothing: the ring has no free segment; more must become durable first.
  std::optional<LogAppend> plan(const std::vector<LogItem>& items);
  void appended(LogAppend append);  // it is on disk

  void set_durable(uint64_t index) { durable_ = index; }  // entries up to it are never needed again
  size_t free_segments() const;
  size_t segments() const { return segments_.size(); }
  size_t batch_bytes_max() const { return smallest_ - kSegmentHeaderBytes - kRecordHeaderBytes; }
  uint64_t bytes() const;

 private:
  struct Segment {
    std::unique_ptr<port::File> file;
    uint64_t bytes = 0;
    uint64_t sequence = 0;                // 0: never used
    uint64_t last_index = 0;              // of its entries, once a later segment is in use
    std::optional<SegmentHeader> header;  // while recovering
  };

  explicit Log(LogOptions options) : options_(std::move(options)) {}
  Result<> open_segment(size_t number, port::Disk& disk);
  Result<> write_zeros(Segment& segment);
  Segment* find(uint64_t sequence);
  bool is_free(const Segment& segment) const;
  Segment* next_free();

  Result<> enter_chain(const LogPoint& from);
  Result<> read_segment(const Segment& segment, LogReader& reader, LogPoint& point);
  Result<bool> read_batch(Window& window,
                          const Segment& segment,
                          LogReader& reader,
                          LogPoint& point);
  Result<> look_for_damage();
  Result<> look_behind(Segment& segment, uint64_t offset);
  Result<> judge(const Chained& item);
  void note_segments_in_use();

  LogOptions options_;
  std::vector<Segment> segments_;
  uint64_t smallest_ = 0;
  LogPoint end_;
  uint64_t newest_batch_ = 0;  // of anything seen, torn ones included
  uint64_t durable_ = 0;
  bool term_pending_ = false;
};

}  // namespace coracle::store
