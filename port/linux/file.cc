// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/file.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/owned.h"

namespace coracle::port_linux {
namespace {

// Deeper directories are moved to the top and removed from there, so that no tree a container can
// build exhausts our descriptors or stack.
constexpr int kDepthMax = 32;

class RealFile : public port::File {
 public:
  RealFile(Fd fd, bool appends, std::string path)
      : fd_(std::move(fd)),
        appends_(appends),
        path_(std::move(path)) {}
  Result<size_t> read_at(uint64_t offset, char* out, size_t bytes) override;
  Result<> write_at(uint64_t offset, std::string_view bytes) override;
  Result<> append(std::string_view bytes) override;
  Result<> sync() override;
  Result<> truncate(uint64_t size) override;
  Result<uint64_t> size() override;

 private:
  Fd fd_;
  bool appends_;
  std::string path_;
};

Result<size_t> RealFile::read_at(uint64_t offset, char* out, size_t bytes) {
  size_t done = 0;
  while (done < bytes) {
    const ssize_t got =
        ::pread(fd_.get(), out + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error(errno, path_);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Result<> RealFile::write_at(uint64_t offset, std::string_view bytes) {
  // pwrite(2) ignores the offset of a file opened with O_APPEND.
  if (appends_) return fail(Code::kBadRequest, join({path_, ": opened for appending"}));
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return os_error(errno, path_);
    bytes.remove_prefix(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
  return {};
}

Result<> RealFile::append(std::string_view bytes) {
  if (!appends_ && ::lseek(fd_.get(), 0, SEEK_END) < 0) return os_error(errno, path_);
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return os_error(errno, path_);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

Result<> RealFile::sync() {
  if (::fdatasync(fd_.get()) != 0) return os_error(errno, path_);
  return {};
}

Result<> RealFile::truncate(uint64_t size) {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return os_error(errno, path_);
  return {};
}

Result<uint64_t> RealFile::size() {
  struct stat found;
  if (::fstat(fd_.get(), &found) != 0) return os_error(errno, path_);
  return static_cast<uint64_t>(found.st_size);
}

port::FileType file_type(mode_t mode) {
  if (S_ISDIR(mode)) return port::FileType::kDirectory;
  if (S_ISLNK(mode)) return port::FileType::kSymlink;
  if (S_ISCHR(mode)) return port::FileType::kCharacterDevice;
  if (S_ISBLK(mode)) return port::FileType::kBlockDevice;
  if (S_ISFIFO(mode)) return port::FileType::kFifo;
  if (S_ISSOCK(mode)) return port::FileType::kSocket;
  return port::FileType::kFile;
}

struct Removal {
  int top;  // where too deep directories are moved to
  uint64_t moved = 0;
};

Result<> remove_entry(Removal& removal, int directory, const std::string& name, int depth);

Result<> remove_children(Removal& removal, int directory, const std::string& name, int depth) {
  Fd fd(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return os_error(errno, name);
  Fd listed(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  for (const std::string& child : TRY(list_directory(std::move(listed), name)))
    TRY(remove_entry(removal, fd.get(), child, depth + 1));
  return {};
}

Result<> remove_entry(Removal& removal, int directory, const std::string& name, int depth) {
  if (::unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM && errno != EACCES) return os_error(errno, name);
  if (::unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  if (errno != ENOTEMPTY && errno != EEXIST) return os_error(errno, name);
  if (depth >= kDepthMax) {
    const std::string aside = join({".removed-", std::to_string(removal.moved++)});
    if (::renameat(directory, name.c_str(), removal.top, aside.c_str()) == 0) return {};
    return os_error(errno, name);
  }
  TRY(remove_children(removal, directory, name, depth));
  if (::unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
    return os_error(errno, name);
  return {};
}

}  // namespace

int open_flags(port::OpenMode mode) {
  switch (mode) {
    case port::OpenMode::kRead:
      return O_RDONLY | O_CLOEXEC;
    case port::OpenMode::kReadWrite:
      return O_RDWR | O_CLOEXEC;
    case port::OpenMode::kCreate:
      return O_RDWR | O_CREAT | O_CLOEXEC;
    case port::OpenMode::kCreateNew:
      return O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    case port::OpenMode::kTruncate:
      return O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
    case port::OpenMode::kAppend:
      return O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC;
  }
  return O_RDONLY | O_CLOEXEC;
}

std::unique_ptr<port::File> new_file(Fd fd, port::OpenMode mode, std::string path) {
  return std::make_unique<RealFile>(std::move(fd), mode == port::OpenMode::kAppend,
                                    std::move(path));
}

port::FileStat file_stat(const struct stat& from) {
  port::FileStat to;
  to.type = file_type(from.st_mode);
  to.mode = from.st_mode & 07777;
  to.uid = from.st_uid;
  to.gid = from.st_gid;
  to.size = static_cast<uint64_t>(from.st_size);
  to.modified = {static_cast<int64_t>(from.st_mtim.tv_sec) * 1'000'000'000 + from.st_mtim.tv_nsec};
  return to;
}

Result<std::vector<std::string>> list_directory(Fd directory, const std::string& path) {
  Owned<DIR, ::closedir> entries(::fdopendir(directory.get()));
  if (entries == nullptr) return os_error(errno, path);
  static_cast<void>(directory.release());
  ::rewinddir(entries.get());
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(entries.get())) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return os_error(errno, path);
  std::sort(names.begin(), names.end());
  return names;
}

Result<> remove_beneath(int directory, const std::string& name) {
  Fd top(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  Removal removal{top.get()};
  uint64_t moved_before = 0;
  do {  // again while something deep was moved to the top
    moved_before = removal.moved;
    Result<> removed = remove_entry(removal, directory, name, 0);
    if (!removed && removal.moved == moved_before) return removed;
  } while (removal.moved != moved_before);
  return {};
}

}  // namespace coracle::port_linux
