// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/shim/enter.h"

#include "port/linux/shim/runtime.h"
#include "port/linux/shim/syscall.h"

namespace coracle::shim {
namespace {

constexpr int kWordsMax = 24;
// The mount namespace comes last: /proc may look different there.
constexpr const char* kNamespaces[] = {"net", "uts", "ipc", "mnt"};

bool join(const char* pid) {
  int fds[4];
  for (int i = 0; i < 4; i++) {
    Text<48> path;
    path.put("/proc/").put(pid).put("/ns/").put(kNamespaces[i]);
    fds[i] = sys_open(path.text(), O_RDONLY);
    if (fds[i] < 0) return false;
  }
  for (const int fd : fds) {
    if (sys(__NR_setns, fd, 0) != 0) return false;
  }
  return sys(__NR_chdir, place.directory) == 0;
}

}  // namespace

int enter(long count, const char* const* words) {
  constexpr int kFirst = 5;
  if (count <= kFirst || count - kFirst > kWordsMax || !join(words[4])) return 2;
  Text<kPathMax> root;
  root.put(place.directory).put("/crun");
  const char* arguments[5 + kWordsMax] = {place.runtime, "--root", root.text(),
                                          "--cgroup-manager=cgroupfs"};
  for (long i = kFirst; i < count; i++)
    arguments[4 + i - kFirst] = words[i];
  sys_execve(place.runtime, arguments, kRuntimeEnvironment);
  return 127;
}

}  // namespace coracle::shim
