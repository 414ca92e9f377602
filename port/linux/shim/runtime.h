// SPDX-License-Identifier: GPL-2.0-or-later
// Runs crun. The shim's directory and the path of crun are set once at the start.
#pragma once

#include "port/linux/shim/text.h"

namespace coracle::shim {

constexpr size_t kPathMax = 1024;

struct Place {
  const char* directory;  // of the sandbox, absolute; also the working directory
  const char* runtime;    // of crun, absolute
};
extern Place place;

inline constexpr const char* kRuntimeEnvironment[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", nullptr};

struct Output {
  int out = -1;  // becomes stdout; -1: /dev/null
  int err = -1;
  int in = -1;  // becomes stdin
};

// crun --root ROOT --cgroup-manager=cgroupfs <up to ten words, ended by null>. The process id, or
// -errno.
int run_crun(const char* const* words, Output output);

// Writes `text` to `path` so that a reader sees all of it or what was there before.
bool write_whole(const char* path, const Writer& text);
size_t read_some(const char* path, char* room, size_t bytes);  // ended by a NUL
uint64_t start_time(int pid);                                  // field 22 of /proc/PID/stat

}  // namespace coracle::shim
