// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/disk.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "port/linux/file.h"
#include "port/linux/tree.h"

namespace coracle::port_linux {
namespace {

std::string parent_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/')
    path.pop_back();
  return path;
}

Result<> make_one_directory(const std::string& path, uint32_t permissions) {
  if (::mkdir(path.c_str(), permissions) == 0) return {};
  const int error = errno;
  struct stat found;
  if (error == EEXIST && ::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return {};
  return os_error(error, path);
}

Result<> write_and_sync(const std::string& path, std::string_view bytes, uint32_t permissions) {
  Fd fd(::open(path.c_str(), open_flags(port::OpenMode::kTruncate), permissions));
  if (!fd.valid()) return os_error(errno, path);
  ::fchmod(fd.get(), permissions);
  std::unique_ptr<port::File> file = new_file(std::move(fd), port::OpenMode::kTruncate, path);
  TRY(file->write_at(0, bytes));
  return file->sync();
}

}  // namespace

Result<std::unique_ptr<port::File>> RealDisk::open(const std::string& path,
                                                   port::OpenMode mode,
                                                   uint32_t permissions) {
  Fd fd(::open(path.c_str(), open_flags(mode), permissions));
  if (!fd.valid()) return os_error(errno, path);
  return new_file(std::move(fd), mode, path);
}

Result<std::unique_ptr<port::Tree>> RealDisk::tree(const std::string& path) {
  return open_tree_at(path);
}

Result<std::string> RealDisk::read_file(const std::string& path, size_t bytes_max) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return os_error(errno, path);
  std::string bytes;
  size_t used = 0;
  for (;;) {  // files in /proc and /sys tell no size
    if (used == bytes.size()) bytes.resize(used == 0 ? 4096 : used * 2);
    const ssize_t got = ::read(fd.get(), bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error(errno, path);
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (used > bytes_max) return fail(Code::kTooLarge, join({path, ": file too large"}));
  }
  bytes.resize(used);
  return bytes;
}

Result<> RealDisk::write_file(const std::string& path,
                              std::string_view bytes,
                              uint32_t permissions) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, permissions));
  if (!fd.valid()) return os_error(errno, path);
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return os_error(errno, path);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

Result<> RealDisk::replace_file(const std::string& path,
                                std::string_view bytes,
                                uint32_t permissions) {
  const std::string fresh = path + ".new";
  Result<> written = write_and_sync(fresh, bytes, permissions);
  if (written && ::rename(fresh.c_str(), path.c_str()) != 0) written = os_error(errno, path);
  if (!written) {
    ::unlink(fresh.c_str());
    return written;
  }
  return sync_directory(parent_of(path));
}

Result<> RealDisk::make_directories(const std::string& path, uint32_t permissions) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string above = path.substr(0, slash);
    if (above.back() != '/') TRY(make_one_directory(above, permissions));
  }
  if (path.empty() || path.back() == '/') return {};
  return make_one_directory(path, permissions);
}

Result<> RealDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return os_error(errno, join({from, " to ", to}));
  return {};
}

Result<> RealDisk::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return os_error(errno, path);
  return {};
}

Result<> RealDisk::remove_tree(const std::string& path) {
  return remove_beneath(AT_FDCWD, without_trailing_slashes(path)).with(join({"remove ", path}));
}

Result<> RealDisk::remove_directory(const std::string& path) {
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return os_error(errno, path);
  return {};
}

Result<> RealDisk::sync_directory(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return os_error(errno, path);
  return {};
}

Result<port::FileStat> RealDisk::stat(const std::string& path) {
  struct stat found;
  if (::stat(path.c_str(), &found) != 0) return os_error(errno, path);
  return file_stat(found);
}

Result<std::vector<std::string>> RealDisk::list(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return os_error(errno, path);
  return list_directory(std::move(fd), path);
}

Result<port::Space> RealDisk::space(const std::string& path) {
  struct statvfs found;
  if (::statvfs(path.c_str(), &found) != 0) return os_error(errno, path);
  const uint64_t unit = found.f_frsize;
  return port::Space{found.f_blocks * unit, found.f_bavail * unit, found.f_files, found.f_ffree};
}

}  // namespace coracle::port_linux
