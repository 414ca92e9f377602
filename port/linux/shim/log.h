// SPDX-License-Identifier: GPL-2.0-or-later
// A container's log in CRI format: "<RFC 3339 time> stdout|stderr F|P <text>". Lines longer than 16
// KiB come in parts marked P, the last one F. A full disk loses lines; it never blocks the
// container.
#pragma once

#include "port/linux/shim/text.h"

namespace coracle::shim {

constexpr size_t kLinePartMax = 16 * 1024;

class Log {
 public:
  bool open(const char* path,
            uint64_t bytes_max,
            uint32_t files_max);  // `path` must outlive the log
  void close();
  void add(const char* stream, char tag, const char* text, size_t bytes);
  void flush();

 private:
  void rotate();

  int fd_ = -1;
  const char* path_ = nullptr;
  uint64_t size_ = 0;
  uint64_t bytes_max_ = 0;
  uint32_t files_max_ = 1;
};

// One end of a pipe from a container. The rest of an unfinished line waits in memory that exists
// only then.
class Stream {
 public:
  void open(int fd, const char* name) {
    fd_ = fd;
    name_ = name;
  }
  int fd() const { return fd_; }
  // What is to be polled: this end, or the tap while it takes no more.
  int poll_fd() const { return blocked_ ? tap_ : fd_; }
  bool blocked() const { return blocked_; }
  // A pipe that gets a copy of everything from now on; its reader holds up the container when it
  // is slow. It is let go when its reader leaves.
  void tap(int fd);
  void pump(Log& log);  // copies what is there; closes at the end of the pipe
  void close(Log& log);

 private:
  bool tap_takes();
  void untap();
  void take(Log& log, const char* bytes, size_t count);
  void hold(const char* bytes, size_t count);
  void release();

  int fd_ = -1;
  int tap_ = -1;
  bool blocked_ = false;
  const char* name_ = "";
  char* held_ = nullptr;
  size_t held_bytes_ = 0;
};

}  // namespace coracle::shim
