// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/shim/runtime.h"

#include "port/linux/shim/syscall.h"

namespace coracle::shim {
namespace {

constexpr int kWordsMax = 10;

[[noreturn]] void become(const char* const* arguments, Output output) {
  const int null = sys_open("/dev/null", O_RDWR);
  sys_dup(output.in >= 0 ? output.in : null, 0);
  sys_dup(output.out >= 0 ? output.out : null, 1);
  sys_dup(output.err >= 0 ? output.err : null, 2);
  const uint64_t no_signals = 0;
  sys(__NR_rt_sigprocmask, SIG_SETMASK, &no_signals, 0L, sizeof no_signals);
  const long error = sys_execve(place.runtime, arguments, kRuntimeEnvironment);
  Text<kPathMax + 64> message;
  message.put("cannot run ").put(place.runtime).put(": errno ");
  message.number(static_cast<uint64_t>(-error)).put("\n");
  sys_write(2, message.text(), message.size());
  sys_exit(127);
}

}  // namespace

int run_crun(const char* const* words, Output output) {
  Text<kPathMax> root;
  root.put(place.directory).put("/crun");
  const char* arguments[5 + kWordsMax] = {place.runtime, "--root", root.text(),
                                          "--cgroup-manager=cgroupfs"};
  for (int i = 0; i < kWordsMax && words[i] != nullptr; i++)
    arguments[4 + i] = words[i];
  const long pid = sys_fork();
  if (pid == 0) become(arguments, output);
  return static_cast<int>(pid);
}

bool write_whole(const char* path, const Writer& text) {
  Text<kPathMax> fresh;
  fresh.put(path).put(".new");
  const int fd = sys_open(fresh.text(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) return false;
  const bool written = sys_write(fd, text.text(), text.size()) == static_cast<long>(text.size());
  sys_close(fd);
  return written && sys_rename(fresh.text(), path) == 0;
}

size_t read_some(const char* path, char* room, size_t bytes) {
  room[0] = '\0';
  const int fd = sys_open(path, O_RDONLY);
  if (fd < 0) return 0;
  const long got = sys_read(fd, room, bytes - 1);
  sys_close(fd);
  const size_t count = got > 0 ? static_cast<size_t>(got) : 0;
  room[count] = '\0';
  return count;
}

uint64_t start_time(int pid) {
  Text<32> path;
  path.put("/proc/").number(static_cast<uint64_t>(pid)).put("/stat");
  char stat[1024];
  const size_t count = read_some(path.text(), stat, sizeof stat);
  size_t at = count;
  while (at > 0 && stat[at - 1] != ')')  // the name may hold spaces and parentheses
    at--;
  for (int field = 2; field < 22 && at < count; field++) {
    while (at < count && stat[at] != ' ')
      at++;
    at++;
  }
  return at < count ? parse_number(stat + at) : 0;
}

}  // namespace coracle::shim
