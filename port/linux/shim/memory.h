// SPDX-License-Identifier: GPL-2.0-or-later
// Memory comes straight from the kernel and goes back to it, so that an idle shim keeps none.
#pragma once

#include <linux/mman.h>

#include "port/linux/shim/syscall.h"

namespace coracle::shim {

#if defined(__NR_mmap2)
constexpr long kMapCall = __NR_mmap2;
#else
constexpr long kMapCall = __NR_mmap;
#endif

// Zeroed. Without memory the shim ends, as if the kernel's OOM killer had come: the sandbox is
// lost.
inline void* new_memory(size_t bytes) {
  const long at =
      sys(kMapCall, 0L, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
  if (at < 0 && at > -4096) sys_exit(1);
  return reinterpret_cast<void*>(at);
}

inline void free_memory(void* memory, size_t bytes) {
  sys(__NR_munmap, memory, bytes);
}

}  // namespace coracle::shim
