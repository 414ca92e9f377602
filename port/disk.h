// SPDX-License-Identifier: GPL-2.0-or-later
// Files and worker lanes. Calls on Disk, File and Tree are synchronous and safe on any lane; slow
// ones (anything that syncs, copies or unpacks) belong into a Job, never on the loop. Linux: the
// file system. Sim: a disk in memory that loses unsynced writes at a power cut.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace coracle::port {

enum class OpenMode : uint8_t { kRead, kReadWrite, kCreate, kCreateNew, kTruncate, kAppend };
enum class FileType : uint8_t {
  kFile,
  kDirectory,
  kSymlink,
  kCharacterDevice,
  kBlockDevice,
  kFifo,
  kSocket
};

struct FileStat {
  FileType type = FileType::kFile;
  uint32_t mode = 0;  // permission bits
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t size = 0;
  Wall modified;
};

class File {
 public:
  virtual ~File() = default;
  virtual Result<size_t> read_at(uint64_t offset,
                                 char* out,
                                 size_t bytes) = 0;                        // short only at the end
  virtual Result<> write_at(uint64_t offset, std::string_view bytes) = 0;  // all or error
  virtual Result<> append(std::string_view bytes) = 0;
  virtual Result<> sync() = 0;  // fdatasync. After a failure the file must not be trusted again.
  virtual Result<> truncate(uint64_t size) = 0;
  virtual Result<uint64_t> size() = 0;
};

// A directory whose entries are reached only beneath it: no "..", no symlink that leaves it, no
// magic links (openat2 RESOLVE_BENEATH). Image layers and volumes are written through this.
class Tree {
 public:
  virtual ~Tree() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path,
                                             OpenMode mode,
                                             uint32_t permissions) = 0;
  virtual Result<> make_directory(const std::string& path,
                                  uint32_t permissions) = 0;  // existing is fine
  virtual Result<> make_symlink(const std::string& target, const std::string& path) = 0;
  virtual Result<> make_hard_link(const std::string& existing, const std::string& path) = 0;
  virtual Result<> make_node(const std::string& path,
                             FileType type,
                             uint32_t permissions,
                             uint64_t device) = 0;
  virtual Result<> set_owner(const std::string& path,
                             uint32_t uid,
                             uint32_t gid) = 0;  // of a symlink itself
  virtual Result<> set_mode(const std::string& path, uint32_t permissions) = 0;
  virtual Result<> set_modified(const std::string& path, Wall at) = 0;
  virtual Result<> set_attribute(const std::string& path,
                                 const std::string& name,
                                 std::string_view value) = 0;
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<> remove(const std::string& path) = 0;        // recursive; absent is fine
  virtual Result<FileStat> stat(const std::string& path) = 0;  // does not follow a last symlink
  virtual Result<std::string> read_link(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;  // sorted names
};

struct Space {
  uint64_t total = 0;
  uint64_t available = 0;
  uint64_t inodes = 0;
  uint64_t inodes_free = 0;
};

class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path,
                                             OpenMode mode,
                                             uint32_t permissions = 0600) = 0;
  virtual Result<std::unique_ptr<Tree>> tree(const std::string& path) = 0;
  virtual Result<std::string> read_file(const std::string& path,
                                        size_t bytes_max = 4 * 1024 * 1024) = 0;
  virtual Result<> write_file(const std::string& path,
                              std::string_view bytes,
                              uint32_t permissions) = 0;  // in place
  // Complete or absent after a power cut: temporary file, fsync, rename, fsync of the directory.
  virtual Result<> replace_file(const std::string& path,
                                std::string_view bytes,
                                uint32_t permissions) = 0;
  virtual Result<> make_directories(const std::string& path,
                                    uint32_t permissions = 0700) = 0;  // like mkdir -p
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<> remove(const std::string& path) = 0;  // one file; absent is fine
  virtual Result<> remove_tree(
      const std::string& path) = 0;  // never follows symlinks; absent is fine
  virtual Result<> remove_directory(
      const std::string& path) = 0;  // rmdir(2): cgroups; absent is fine
  virtual Result<> sync_directory(const std::string& path) = 0;
  virtual Result<FileStat> stat(const std::string& path) = 0;                  // follows symlinks
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;  // sorted names
  virtual Result<Space> space(const std::string& path) = 0;
  virtual const char* sqlite_vfs()
      const = 0;  // name of the registered SQLite VFS that sees the same files
};

// A piece of work for a lane. run() is called on the lane's thread and touches only what the job
// owns; done() is called on the loop afterwards, then the job is destroyed.
class Job {
 public:
  virtual ~Job() = default;
  virtual void run() = 0;
  virtual void done() = 0;
};

// Jobs of one lane run one after another, in order.
class Lane {
 public:
  virtual ~Lane() = default;
  virtual void submit(std::unique_ptr<Job> job) = 0;
  virtual size_t waiting() const = 0;  // submitted and not yet done
  virtual void drain() = 0;  // blocks until all jobs ran and their done() was called; shutdown only
};

}  // namespace coracle::port
