// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the CRI log files that a shim writes: "<time> <stream> <F|P> <text>" lines; the file is
// renamed to .1, .2 and so on when it is full. Synchronous and in small pieces; LogTail (logs.h)
// paces it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/pod_logs.h"
#include "base/result.h"
#include "port/disk.h"

namespace coracle::node {

class LogReader {
 public:
  LogReader(port::Disk& disk, std::string path, const api::LogOptions& options);

  Result<> open();  // finds where to begin
  // Appends formatted text to `out`, about `bytes_max` at most. False: nothing more for now.
  Result<bool> read(std::string& out, size_t bytes_max);
  bool limit_reached() const { return left_ && *left_ <= 0; }

 private:
  std::string path_of(size_t file) const;  // 0: the newest
  Result<> open_file(size_t file, uint64_t offset);
  Result<> seek_tail(int64_t lines);
  Result<bool> next_file();
  bool rotated();
  void take_line(std::string_view line, std::string& out);
  void put(std::string_view text, std::string& out);

  port::Disk& disk_;
  std::string path_;
  bool timestamps_;
  std::optional<Wall> since_;
  std::optional<int64_t> tail_;
  std::optional<int64_t> left_;  // of limitBytes
  std::unique_ptr<port::File> file_;
  size_t index_ = 0;
  uint64_t offset_ = 0;
  std::string rest_;       // of a line that is not complete yet
  bool mid_line_ = false;  // the last one was partial
};

// The last lines of a log as text, for termination messages.
std::string tail_text(port::Disk& disk, const std::string& path, int64_t lines, size_t bytes_max);

}  // namespace coracle::node
