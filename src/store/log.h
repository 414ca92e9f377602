// SPDX-License-Identifier: GPL-2.0-or-later
// The log: a ring of segment files, written with zeros once and recycled for ever, so that an
// append and its fdatasync change no metadata. The loop plans appends and the log lane performs
// them, one at a time; a batch never spans segments.
//
// A suffix is overwritten by appending: of the records with one index the last one counts, and
// those behind an overwritten index are dead. Recovery cuts a torn last batch. If anything valid of
// a later batch stands behind a bad place, that is damage to acknowledged entries: it is reported
// and nothing is cut.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
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

// kHardState: term, vote and commit; else an entry.
struct LogItem {
  RecordType type = RecordType::kEntry;
  uint64_t index = 0;
  uint64_t term = 0;
  uint64_t vote = 0;
  std::string_view payload = {};
  uint64_t commit = 0;
};
size_t bytes_in_log(const LogItem& item);

// Where a run of entries with consecutive indexes lies: up to the next extent's first.
struct Extent {
  uint64_t first = 0;
  uint64_t sequence = 0;
  uint64_t offset = 0;
};

// One write and one fdatasync.
struct LogAppend {
  port::File* file = nullptr;
  uint64_t offset = 0;
  std::string bytes;
  LogPoint after;
  std::vector<Extent> extents;
  uint64_t highest = 0;  // index in it; 0: no entries
  Result<> perform() const;
};

class LogReader {
 public:
  virtual Result<> on_entry(const LogItem& entry) = 0;

 protected:
  ~LogReader() = default;
};

// A further segment for the ring, made on the log lane.
struct LogGrowth {
  std::string path;
  uint64_t segment_bytes = 0;
  std::unique_ptr<port::File> file;
  Result<> perform(port::Disk& disk);
};

class Window;

class Log {
 public:
  static Result<std::unique_ptr<Log>> open(const LogOptions& options, port::Disk& disk);
  bool pristine() const;  // nothing was ever written

  // Reads everything behind `from` and gets ready to append. kCorrupt: damage.
  Result<> recover(const LogPoint& from, LogReader& reader);
  const LogPoint& end() const { return end_; }

  // Nothing: the ring has no free segment; more must become durable first. From here on, what was
  // in the segment that is recycled cannot be read any more.
  std::optional<LogAppend> plan(std::span<const LogItem> items);
  void appended(const LogAppend& append);  // it is on disk
  std::optional<LogGrowth> plan_growth();
  void grown(LogGrowth growth);

  // A snapshot takes the place of all entries up to `index`: the next one follows it.
  void jump(uint64_t index);

  // From here all entries above `applied` can be read. Only the end of what is applied may be asked
  // for, and it never goes back.
  LogPoint point_for(uint64_t applied);
  // Entries up to `index`, and everything before `point`, are never needed again.
  void set_durable(uint64_t index, const LogPoint& point);
  size_t free_segments() const;
  size_t segments() const { return segments_.size(); }
  size_t batch_bytes_max() const { return smallest_ - kSegmentHeaderBytes - kRecordHeaderBytes; }
  uint64_t bytes() const;
  uint64_t room() const;  // that can be written before more must become durable

  // Entries that can be read back: [first_index, end().next_index).
  uint64_t first_index() const;
  // In order from `low` on, until the reader fails or `high` is reached.
  Result<> read(uint64_t low, uint64_t high, LogReader& reader) const;

 private:
  struct Segment {
    std::unique_ptr<port::File> file;
    uint64_t bytes = 0;
    uint64_t sequence = 0;                // 0: never used
    uint64_t highest = 0;                 // index of its entries
    std::optional<SegmentHeader> header;  // while recovering
  };
  // A batch that holds entries which are not applied yet.
  struct Mark {
    LogPoint before;
    uint64_t highest = 0;
  };

  explicit Log(LogOptions options) : options_(std::move(options)) {}
  Result<> open_segment(size_t number, port::Disk& disk);
  const Segment* find(uint64_t sequence) const;
  Segment* find(uint64_t sequence);
  bool is_free(const Segment& segment) const;
  Segment* next_free();
  void forget_extents(uint64_t sequence);
  void add_extent(const Extent& extent, uint64_t expected);

  Result<> read_segment(Segment& segment, LogReader& reader, LogPoint& point);
  Result<bool> read_batch(Window& window, Segment& segment, LogReader& reader, LogPoint& point);
  Result<> read_extent(const Extent& extent, uint64_t low, uint64_t high, LogReader& reader) const;
  Result<> look_for_damage();
  Result<> look_behind(Segment& segment, uint64_t offset);
  Result<> judge(const Chained& item);

  LogOptions options_;
  std::vector<Segment> segments_;
  uint64_t smallest_ = 0;
  LogPoint end_;
  uint64_t newest_batch_ = 0;  // of anything seen, torn ones included
  uint64_t durable_ = 0;
  uint64_t durable_sequence_ = 0;
  std::deque<Extent> extents_;  // by first, ascending
  std::deque<Mark> marks_;
};

}  // namespace coracle::store
