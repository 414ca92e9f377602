// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/log_reader.h"

#include <algorithm>
#include <array>

#include "base/limits.h"

namespace coracle::node {

namespace {

constexpr size_t kBlock = 16 * 1024;
constexpr size_t kLineBytesMax = 256 * 1024;

struct CriLine {
  std::string_view time;
  std::string_view text;
  bool partial = false;
};

std::optional<CriLine> parse_line(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const size_t third = std::min(line.find(' ', second + 1), line.size());
  const std::string_view tag = line.substr(second + 1, third - second - 1);
  return CriLine{line.substr(0, first), line.substr(std::min(third + 1, line.size())),
                 tag.starts_with('P')};
}

}  // namespace

LogReader::LogReader(port::Disk& disk, std::string path, const api::LogOptions& options)
    : disk_(disk),
      path_(std::move(path)),
      timestamps_(options.timestamps),
      since_(options.since),
      tail_(options.tail_lines),
      left_(options.limit_bytes) {}

std::string LogReader::path_of(size_t file) const {
  return file == 0 ? path_ : path_ + "." + std::to_string(file);
}

Result<> LogReader::open() {
  if (tail_) return seek_tail(*tail_);
  size_t oldest = 0;
  while (oldest < limits::kLogFilesMax && disk_.stat(path_of(oldest + 1)))
    ++oldest;
  return open_file(oldest, 0);
}

Result<> LogReader::open_file(size_t file, uint64_t offset) {
  Result<std::unique_ptr<port::File>> opened = disk_.open(path_of(file), port::OpenMode::kRead);
  file_.reset();
  index_ = file;
  offset_ = offset;
  if (opened)
    file_ = std::move(*opened);
  else if (opened.error().code != Code::kNotFound)
    return std::move(opened).error();
  return {};  // a container that wrote nothing may have no file yet
}

// Counts line ends backwards, through older files as far as needed.
Result<> LogReader::seek_tail(int64_t lines) {
  int64_t left = lines;
  for (size_t index = 0;; ++index) {
    TRY(open_file(index, 0));
    if (file_ == nullptr) return index == 0 ? Result<>() : open_file(index - 1, 0);
    uint64_t at = TRY(file_->size());
    if (index == 0 && lines <= 0) {
      offset_ = at;
      return {};
    }
    const uint64_t end = at;
    std::array<char, kBlock> block;
    while (at > 0) {
      const size_t part = static_cast<size_t>(std::min<uint64_t>(at, kBlock));
      at -= part;
      const size_t got = TRY(file_->read_at(at, block.data(), part));
      for (size_t i = got; i-- > 0;) {
        if (block[i] != '\n' || at + i + 1 == end) continue;
        if (--left > 0) continue;
        offset_ = at + i + 1;
        return {};
      }
    }
    if (end > 0) --left;  // the first line of the file has no line end before it
    if (left <= 0 || index >= limits::kLogFilesMax) return {};
  }
}

Result<bool> LogReader::read(std::string& out, size_t bytes_max) {
  if (file_ == nullptr) TRY(open_file(index_, offset_));
  std::array<char, kBlock> block;
  const size_t start = out.size();
  while (out.size() - start < bytes_max && !limit_reached()) {
    size_t got = 0;
    if (file_ != nullptr) got = TRY(file_->read_at(offset_, block.data(), kBlock));
    if (got == 0) {
      const bool more = TRY(next_file());
      if (more) continue;
      return false;
    }
    offset_ += got;
    rest_.append(block.data(), got);
    size_t from = 0;
    for (size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', from)) {
      take_line(std::string_view(rest_).substr(from, end - from), out);
      from = end + 1;
    }
    rest_.erase(0, from);
    if (rest_.size() > kLineBytesMax) rest_.clear();  // not what a shim writes
  }
  return !limit_reached();
}

// At the end of a file: is there a newer one?
Result<bool> LogReader::next_file() {
  if (index_ > 0) {
    rest_.clear();
    TRY(open_file(index_ - 1, 0));
    return file_ != nullptr;
  }
  if (file_ == nullptr || !rotated()) return false;
  TRY(open_file(0, 0));
  return file_ != nullptr;
}

// The path names another file than the open one when their sizes differ although nothing was
// written between.
bool LogReader::rotated() {
  const Result<uint64_t> before = file_->size();
  const Result<port::FileStat> named = disk_.stat(path_);
  const Result<uint64_t> after = file_->size();
  if (!before || !after || !named) return false;
  return *after == offset_ && (named->size < *before || named->size > *after);
}

void LogReader::take_line(std::string_view line, std::string& out) {
  const std::optional<CriLine> parsed = parse_line(line);
  if (!parsed || limit_reached()) return;
  if (since_) {
    const auto at = parse_rfc3339(parsed->time);
    if (at && *at < *since_) return;
    since_.reset();  // lines are in order
  }
  if (timestamps_ && !mid_line_) {
    put(parsed->time, out);
    put(" ", out);
  }
  put(parsed->text, out);
  if (!parsed->partial) put("\n", out);
  mid_line_ = parsed->partial;
}

void LogReader::put(std::string_view text, std::string& out) {
  if (left_) {
    text = text.substr(
        0, static_cast<size_t>(std::clamp<int64_t>(*left_, 0, static_cast<int64_t>(text.size()))));
    *left_ -= static_cast<int64_t>(text.size());
  }
  out += text;
}

std::string tail_text(port::Disk& disk, const std::string& path, int64_t lines, size_t bytes_max) {
  api::LogOptions options;
  options.tail_lines = lines;
  LogReader reader(disk, path, options);
  std::string text;
  if (!reader.open()) return text;
  while (text.size() < 1024 * 1024) {
    const Result<bool> more = reader.read(text, 64 * 1024);
    if (!more || !*more) break;
  }
  if (text.size() > bytes_max) text.erase(0, text.size() - bytes_max);
  return text;
}

}  // namespace coracle::node
