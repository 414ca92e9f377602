// SPDX-License-Identifier: GPL-2.0-or-later
// A set of small files that changes as a whole, as upstream pkg/volume/util/atomic_writer.go does
// it: the files live in a directory of their own ("..<time>.<n>"), "..data" points to it, and each
// visible name points through "..data". One rename of "..data" swaps them all; readers see the old
// set or the new one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "port/disk.h"

namespace coracle::node {

struct AtomicFile {
  std::string path;  // relative, may have directories, no ".."
  std::string content;
  uint32_t mode = 0644;
  std::optional<uint32_t> uid;
};

struct AtomicFiles {
  std::vector<AtomicFile> files;
  std::optional<uint32_t> group;  // fsGroup: owns all files and may read them
};

// True if something was written. Equal content leaves everything untouched.
Result<bool> write_atomically(port::Disk& disk,
                              const std::string& directory,
                              const AtomicFiles& wanted,
                              Wall now);

}  // namespace coracle::node
