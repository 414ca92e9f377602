// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/shim/log.h"

#include "port/linux/shim/memory.h"
#include "port/linux/shim/syscall.h"

namespace coracle::shim {
namespace {

constexpr int kReadsPerPump = 16;   // then the other streams have their turn
constexpr size_t kTapBytes = 4096;  // PIPE_BUF: a pipe that is writable takes it whole

// One log is written at a time: flush() comes before the next log.
char read_room[kLinePartMax];
char write_room[kLinePartMax];
size_t write_used = 0;

void put(const char* bytes, size_t count) {
  for (size_t i = 0; i < count; i++)
    write_room[write_used + i] = bytes[i];
  write_used += count;
}

const char* find_newline(const char* at, const char* end) {
  while (at < end && *at != '\n')
    at++;
  return at;
}

}  // namespace

bool Log::open(const char* path, uint64_t bytes_max, uint32_t files_max) {
  path_ = path;
  bytes_max_ = bytes_max;
  files_max_ = files_max;
  fd_ = sys_open(path, O_WRONLY | O_CREAT | O_APPEND | O_LARGEFILE, 0640);
  if (fd_ < 0) return false;
  const long end = sys(__NR_lseek, fd_, 0L, 2);
  size_ = end > 0 ? static_cast<uint64_t>(end) : 0;
  return true;
}

void Log::close() {
  flush();
  if (fd_ >= 0) sys_close(fd_);
  fd_ = -1;
}

void Log::add(const char* stream, char tag, const char* text, size_t bytes) {
  Text<64> head;
  put_time(head, wall_ns());
  head.put(" ").put(stream).put(" ").put(&tag, 1).put(" ");
  const size_t total = head.size() + bytes + 1;
  if (total > sizeof write_room - write_used) flush();
  if (total <= sizeof write_room) {
    put(head.text(), head.size());
    put(text, bytes);
    put("\n", 1);
    return;
  }
  const Vector parts[] = {{head.text(), head.size()}, {text, bytes}, {"\n", 1}};
  const long written = sys_writev(fd_, parts, 3);
  if (written > 0) size_ += static_cast<uint64_t>(written);
  if (bytes_max_ > 0 && size_ >= bytes_max_) rotate();
}

void Log::flush() {
  if (write_used == 0) return;
  const long written = sys_write(fd_, write_room, write_used);
  write_used = 0;
  if (written > 0) size_ += static_cast<uint64_t>(written);
  if (bytes_max_ > 0 && size_ >= bytes_max_) rotate();
}

// path.1 is the newest of the old ones. Readers that hold the old file go on reading it.
void Log::rotate() {
  for (uint32_t i = files_max_ > 1 ? files_max_ - 1 : 0; i > 0; i--) {
    Text<4096> from;
    Text<4096> to;
    from.put(path_);
    if (i > 1) from.put(".").number(i - 1);
    to.put(path_).put(".").number(i);
    if (!from.cut() && !to.cut()) sys_rename(from.text(), to.text());
  }
  if (files_max_ <= 1) sys_unlink(path_);
  const int fresh = sys_open(path_, O_WRONLY | O_CREAT | O_APPEND | O_LARGEFILE, 0640);
  if (fresh < 0) return;  // goes on in the old file
  sys_close(fd_);
  fd_ = fresh;
  size_ = 0;
}

void Stream::pump(Log& log) {
  for (int i = 0; i < kReadsPerPump && fd_ >= 0 && tap_takes(); i++) {
    const size_t room = tap_ >= 0 ? kTapBytes : sizeof read_room;
    const long got = sys_read(fd_, read_room, room);
    if (got == -EINTR) continue;
    if (got == -EAGAIN) break;
    if (got <= 0) return close(log);
    if (tap_ >= 0 && sys_write(tap_, read_room, static_cast<size_t>(got)) != got) untap();
    take(log, read_room, static_cast<size_t>(got));
    if (static_cast<size_t>(got) < room) break;
  }
  log.flush();
}

void Stream::tap(int fd) {
  untap();
  tap_ = fd;
}

void Stream::untap() {
  if (tap_ >= 0) sys_close(tap_);
  tap_ = -1;
  blocked_ = false;
}

bool Stream::tap_takes() {
  if (tap_ < 0) return true;
  struct pollfd writable = {tap_, POLLOUT, 0};
  const PollWait at_once{0, 0};
  blocked_ = sys(__NR_ppoll, &writable, 1L, &at_once, 0L, sizeof(uint64_t)) == 0;
  return !blocked_;
}

// An unterminated last line is a part, as containerd writes it: readers must not add a newline to
// it.
void Stream::close(Log& log) {
  untap();
  if (fd_ < 0) return;
  sys_close(fd_);
  fd_ = -1;
  if (held_bytes_ > 0) log.add(name_, 'P', held_, held_bytes_);
  release();
  log.flush();
}

void Stream::take(Log& log, const char* bytes, size_t count) {
  const char* end = bytes + count;
  while (bytes < end) {
    const char* newline = find_newline(bytes, end);
    const size_t room = kLinePartMax - held_bytes_;
    size_t part = static_cast<size_t>(newline - bytes);
    const bool whole = newline < end && part <= room;
    if (part > room) part = room;
    if (held_bytes_ == 0 && whole) {
      log.add(name_, 'F', bytes, part);
    } else {
      hold(bytes, part);
      if (whole || held_bytes_ == kLinePartMax) {
        log.add(name_, whole ? 'F' : 'P', held_, held_bytes_);
        held_bytes_ = 0;
      }
    }
    bytes += part + (whole ? 1 : 0);
  }
  if (held_bytes_ == 0) release();
}

void Stream::hold(const char* bytes, size_t count) {
  if (held_ == nullptr) held_ = static_cast<char*>(new_memory(kLinePartMax));
  for (size_t i = 0; i < count; i++)
    held_[held_bytes_ + i] = bytes[i];
  held_bytes_ += count;
}

void Stream::release() {
  if (held_ != nullptr) free_memory(held_, kLinePartMax);
  held_ = nullptr;
  held_bytes_ = 0;
}

}  // namespace coracle::shim
