// SPDX-License-Identifier: GPL-2.0-or-later
// The system calls of the shim, without a C library. Each returns the kernel's value: -errno on
// failure. Only calls that take no 64-bit argument are used, so 32-bit machines need no register
// pairs.
#pragma once

#include <asm/poll.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/time_types.h>
#include <linux/wait.h>
#include <stddef.h>
#include <stdint.h>

namespace coracle::shim {

#if defined(__x86_64__)
inline long raw(long number, const long (&in)[6]) {
  register long r10 asm("r10") = in[3];
  register long r8 asm("r8") = in[4];
  register long r9 asm("r9") = in[5];
  long result = number;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(in[0]), "S"(in[1]), "d"(in[2]), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long raw(long number, const long (&in)[6]) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = in[0];
  register long x1 asm("x1") = in[1];
  register long x2 asm("x2") = in[2];
  register long x3 asm("x3") = in[3];
  register long x4 asm("x4") = in[4];
  register long x5 asm("x5") = in[5];
  asm volatile("svc #0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
}
#elif defined(__arm__)
// r7 must hold the number but may be the frame pointer of Thumb code, so it is saved by hand.
inline long raw(long number, const long (&in)[6]) {
  register long r0 asm("r0") = in[0];
  register long r1 asm("r1") = in[1];
  register long r2 asm("r2") = in[2];
  register long r3 asm("r3") = in[3];
  register long r4 asm("r4") = in[4];
  register long r5 asm("r5") = in[5];
  register long r6 asm("r6") = number;
  asm volatile("mov r12, r7\n\tmov r7, %1\n\tsvc #0\n\tmov r7, r12"
               : "+r"(r0)
               : "r"(r6), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
               : "r12", "memory");
  return r0;
}
#else
#error "the shim knows x86-64, aarch64 and armv7"
#endif

inline long word(long value) {
  return value;
}
inline long word(int value) {
  return value;
}
inline long word(unsigned value) {
  return static_cast<long>(value);
}
inline long word(unsigned long value) {
  return static_cast<long>(value);
}
inline long word(const void* value) {
  return reinterpret_cast<long>(value);
}

template <class... Arguments>
inline long sys(long number, Arguments... arguments) {
  static_assert(sizeof...(arguments) <= 6);
  const long in[6] = {word(arguments)...};
  return raw(number, in);
}

struct Vector {  // struct iovec
  const void* base;
  size_t bytes;
};

struct PollWait {  // struct timespec of ppoll(2): two longs everywhere
  long seconds;
  long nanoseconds;
};

inline long sys_read(int fd, void* out, size_t bytes) {
  return sys(__NR_read, fd, out, bytes);
}
inline long sys_write(int fd, const void* from, size_t n) {
  return sys(__NR_write, fd, from, n);
}
inline long sys_writev(int fd, const Vector* v, int n) {
  return sys(__NR_writev, fd, v, n);
}
inline void sys_close(int fd) {
  sys(__NR_close, fd);
}
inline int sys_open(const char* path, int flags, unsigned mode = 0) {
  return static_cast<int>(sys(__NR_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode));
}
// Resolves `path` as if `root` were "/", and through no link of /proc (openat2(2)).
inline int sys_open_in(int root, const char* path, int flags) {
  const struct open_how how = {static_cast<uint64_t>(flags) | O_CLOEXEC, 0,
                               RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  return static_cast<int>(sys(__NR_openat2, root, path, &how, sizeof how));
}
inline long sys_mkdir(const char* path, unsigned mode) {
  return sys(__NR_mkdirat, AT_FDCWD, path, mode);
}
inline long sys_unlink(const char* path, int flags = 0) {
  return sys(__NR_unlinkat, AT_FDCWD, path, flags);
}
inline long sys_rename(const char* from, const char* to) {
  return sys(__NR_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
inline long sys_pipe(int ends[2], int flags) {
  return sys(__NR_pipe2, ends, flags);
}
inline long sys_dup(int from, int to) {
  return sys(__NR_dup3, from, to, 0);
}
inline long sys_fork() {
  return sys(__NR_clone, static_cast<long>(SIGCHLD));
}
inline long sys_execve(const char* path, const char* const* arguments, const char* const* environ) {
  return sys(__NR_execve, path, arguments, environ);
}
[[noreturn]] inline void sys_exit(int code) {
  for (;;)
    sys(__NR_exit_group, code);
}
inline int sys_wait(int pid, int* status) {
  return static_cast<int>(sys(__NR_wait4, pid, status, WNOHANG, 0L));
}
inline long sys_kill(int pid, int signal) {
  return sys(__NR_kill, pid, signal);
}
inline long sys_unshare(unsigned long flags) {
  return sys(__NR_unshare, flags);
}
inline long sys_mount(const char* source,
                      const char* target,
                      const char* type,
                      unsigned long flags,
                      const char* data) {
  return sys(__NR_mount, source, target, type, flags, data);
}
inline long sys_unmount(const char* target, int flags) {
  return sys(__NR_umount2, target, flags);
}

}  // namespace coracle::shim
