// SPDX-License-Identifier: GPL-2.0-or-later
// Room on the disk that is kept for the day when it is full: SQLite can open its files, deletions
// can be stored and the log goes round. Once it was given up the store counts as full until there
// is room to take it back. Used on the state lane, and while opening.
#pragma once

#include <string>
#include <utility>

#include "port/disk.h"

namespace coracle::store {

inline constexpr const char* kReserveFile = "/reserve";
inline constexpr const char* kInstallRoomFile = "/room";  // while a snapshot is taken in
inline constexpr size_t kReserveBytes = 256 * 1024;

class Reserve {
 public:
  Reserve(port::Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}

  // True: there is more room now.
  bool release() {
    kept_ = false;
    return disk_.stat(path_) && disk_.remove(path_);
  }
  // False: there is no room for it.
  bool keep() {
    if (kept_) return true;
    const auto found = disk_.stat(path_);
    kept_ = found && found->size == kReserveBytes;
    if (!kept_) kept_ = static_cast<bool>(fill());
    if (!kept_) static_cast<void>(disk_.remove(path_));
    return kept_;
  }

 private:
  // Not zeros: some file systems keep no room for those.
  Result<> fill() {
    const auto file = TRY(disk_.open(path_, port::OpenMode::kTruncate));
    std::string bytes(16 * 1024, '\0');
    uint32_t number = 1;
    for (size_t at = 0; at < kReserveBytes; at += bytes.size()) {
      for (char& byte : bytes)
        byte = static_cast<char>((number = number * 1664525 + 1013904223) >> 24);
      TRY(file->write_at(at, bytes));
    }
    return {};  // after a power cut it is made again
  }

  port::Disk& disk_;
  std::string path_;
  bool kept_ = false;
};

}  // namespace coracle::store
