// SPDX-License-Identifier: GPL-2.0-or-later
// What a C library would bring: the entry point and the four functions that a compiler may call by
// itself.
#include <stddef.h>

#if defined(__x86_64__)
asm(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n"
    "\tcall shim_main\n\thlt\n");
#elif defined(__aarch64__)
asm(".globl _start\n_start:\n\tmov x29, #0\n\tmov x30, #0\n\tmov x0, sp\n\tand x1, x0, #-16\n"
    "\tmov sp, x1\n\tbl shim_main\n\tbrk #0\n");
#elif defined(__arm__)
asm(".syntax unified\n.arm\n.globl _start\n.type _start, %function\n_start:\n\tmov r0, sp\n"
    "\tbic r1, r0, #7\n\tmov sp, r1\n\tbl shim_main\n\tudf #0\n");
#endif

// A compiler must not turn the loop of memcpy into a call of memcpy.
#if defined(__clang__)
#define NO_SELF_CALL __attribute__((no_builtin))
#else
#define NO_SELF_CALL __attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif

extern "C" {

NO_SELF_CALL void* memcpy(void* to, const void* from, size_t bytes) {
  char* out = static_cast<char*>(to);
  const char* in = static_cast<const char*>(from);
  for (size_t i = 0; i < bytes; i++)
    out[i] = in[i];
  return to;
}

NO_SELF_CALL void* memmove(void* to, const void* from, size_t bytes) {
  char* out = static_cast<char*>(to);
  const char* in = static_cast<const char*>(from);
  if (out < in) return memcpy(to, from, bytes);
  for (size_t i = bytes; i > 0; i--)
    out[i - 1] = in[i - 1];
  return to;
}

NO_SELF_CALL void* memset(void* to, int value, size_t bytes) {
  char* out = static_cast<char*>(to);
  for (size_t i = 0; i < bytes; i++)
    out[i] = static_cast<char>(value);
  return to;
}

int memcmp(const void* a, const void* b, size_t bytes) {
  const unsigned char* left = static_cast<const unsigned char*>(a);
  const unsigned char* right = static_cast<const unsigned char*>(b);
  for (size_t i = 0; i < bytes; i++) {
    if (left[i] != right[i]) return left[i] - right[i];
  }
  return 0;
}

}  // extern "C"
