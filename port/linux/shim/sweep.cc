// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/shim/sweep.h"

#include "port/linux/shim/mounts.h"
#include "port/linux/shim/runtime.h"
#include "port/linux/shim/syscall.h"

namespace coracle::shim {
namespace {

struct Entry {  // struct linux_dirent64
  uint64_t inode;
  int64_t offset;
  uint16_t bytes;
  uint8_t type;
  char name[1];
};

void delete_container(const char* id) {
  const char* words[] = {"delete", "--force", id, nullptr};
  const int pid = run_crun(words, {});
  int status = 0;
  if (pid > 0) sys(__NR_wait4, pid, &status, 0, 0L);
}

}  // namespace

int sweep() {
  Text<256> message;
  if (!own_mounts(message)) return 1;
  const int fd = sys_open("c", O_RDONLY | O_DIRECTORY);
  if (fd < 0) return 0;
  alignas(8) char room[4096];
  for (;;) {
    const long got = sys(__NR_getdents64, fd, room, sizeof room);
    if (got <= 0) return got < 0;
    for (long at = 0; at < got;) {
      const Entry* entry = reinterpret_cast<const Entry*>(room + at);
      if (entry->name[0] != '.') delete_container(entry->name);
      at += entry->bytes;
    }
  }
}

}  // namespace coracle::shim
