// SPDX-License-Identifier: GPL-2.0-or-later
// Every path is resolved by openat2(2) with RESOLVE_BENEATH, first to its parent directory; the
// operation then works on a single name in that directory, which is never "." or ".." and whose
// last symlink is not followed.
#include "port/linux/tree.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bytes.h"
#include "port/linux/file.h"

namespace coracle::port_linux {
namespace {

Result<Fd> open_beneath(int root, const std::string& path, int flags, uint32_t permissions) {
  open_how how{};
  how.flags = static_cast<uint64_t>(static_cast<unsigned>(flags | O_CLOEXEC));
  how.mode = (flags & O_CREAT) != 0 ? permissions & 07777 : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const char* name = path.empty() ? "." : path.c_str();
  for (int tries = 0; tries < 16; tries++) {  // EAGAIN: a rename raced with the walk through ".."
    const long fd = ::syscall(SYS_openat2, root, name, &how, sizeof how);
    if (fd >= 0) return Fd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  if (errno == ENOSYS) return fail(Code::kIo, "openat2 is missing: Linux 5.6 or later is needed");
  return os_error(errno, path);
}

struct Place {
  Fd parent;
  std::string name;
};

class RealTree : public port::Tree {
 public:
  explicit RealTree(Fd root) : root_(std::move(root)) {}
  Result<std::unique_ptr<port::File>> open(const std::string& path,
                                           port::OpenMode mode,
                                           uint32_t permissions) override;
  Result<> make_directory(const std::string& path, uint32_t permissions) override;
  Result<> make_symlink(const std::string& target, const std::string& path) override;
  Result<> make_hard_link(const std::string& existing, const std::string& path) override;
  Result<> make_node(const std::string& path,
                     port::FileType type,
                     uint32_t permissions,
                     uint64_t device) override;
  Result<> set_owner(const std::string& path, uint32_t uid, uint32_t gid) override;
  Result<> set_mode(const std::string& path, uint32_t permissions) override;
  Result<> set_modified(const std::string& path, Wall at) override;
  Result<> set_attribute(const std::string& path,
                         const std::string& name,
                         std::string_view value) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<port::FileStat> stat(const std::string& path) override;
  Result<std::string> read_link(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;

 private:
  Result<Place> place(const std::string& path);
  Result<Fd> handle(const std::string& path) {  // of the file itself, even if it is a symlink
    return open_beneath(root_.get(), path, O_PATH | O_NOFOLLOW, 0);
  }

  Fd root_;
};

Result<Place> RealTree::place(const std::string& path) {
  size_t end = path.size();
  while (end > 0 && path[end - 1] == '/')
    end--;
  const std::string trimmed = path.substr(0, end);
  const size_t slash = trimmed.rfind('/');
  std::string name = slash == std::string::npos ? trimmed : trimmed.substr(slash + 1);
  if (name.empty() || name == "." || name == "..")
    return fail(Code::kBadRequest, join({"not a name beneath the tree: \"", path, "\""}));
  const std::string above = slash == std::string::npos ? "" : trimmed.substr(0, slash + 1);
  Fd parent = TRY(open_beneath(root_.get(), above, O_PATH | O_DIRECTORY, 0));
  return Place{std::move(parent), std::move(name)};
}

Result<std::unique_ptr<port::File>> RealTree::open(const std::string& path,
                                                   port::OpenMode mode,
                                                   uint32_t permissions) {
  Fd fd = TRY(open_beneath(root_.get(), path, open_flags(mode) | O_NONBLOCK, permissions));
  return new_file(std::move(fd), mode, path);
}

Result<> RealTree::make_directory(const std::string& path, uint32_t permissions) {
  Place at = TRY(place(path));
  if (::mkdirat(at.parent.get(), at.name.c_str(), permissions) == 0) return {};
  const int error = errno;
  struct stat found;
  if (error == EEXIST &&
      ::fstatat(at.parent.get(), at.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISDIR(found.st_mode))
    return {};
  return os_error(error, path);
}

Result<> RealTree::make_symlink(const std::string& target, const std::string& path) {
  Place at = TRY(place(path));
  if (::symlinkat(target.c_str(), at.parent.get(), at.name.c_str()) != 0)
    return os_error(errno, path);
  return {};
}

Result<> RealTree::make_hard_link(const std::string& existing, const std::string& path) {
  Place from = TRY(place(existing));
  Place to = TRY(place(path));
  if (::linkat(from.parent.get(), from.name.c_str(), to.parent.get(), to.name.c_str(), 0) != 0)
    return os_error(errno, path);
  return {};
}

Result<> RealTree::make_node(const std::string& path,
                             port::FileType type,
                             uint32_t permissions,
                             uint64_t device) {
  mode_t kind = 0;
  if (type == port::FileType::kCharacterDevice) kind = S_IFCHR;
  if (type == port::FileType::kBlockDevice) kind = S_IFBLK;
  if (type == port::FileType::kFifo) kind = S_IFIFO;
  if (kind == 0) return fail(Code::kBadRequest, join({path, ": not a device or fifo"}));
  Place at = TRY(place(path));
  const mode_t mode = kind | (permissions & 07777);
  if (::mknodat(at.parent.get(), at.name.c_str(), mode, static_cast<dev_t>(device)) != 0)
    return os_error(errno, path);
  return {};
}

Result<> RealTree::set_owner(const std::string& path, uint32_t uid, uint32_t gid) {
  Fd fd = TRY(handle(path));
  if (::fchownat(fd.get(), "", uid, gid, AT_EMPTY_PATH) != 0) return os_error(errno, path);
  return {};
}

// An O_PATH descriptor takes no fchmod(2); its /proc link leads to exactly this file and no
// further.
std::string proc_path(const Fd& fd) {
  return join({"/proc/self/fd/", std::to_string(fd.get())});
}

Result<> RealTree::set_mode(const std::string& path, uint32_t permissions) {
  Fd fd = TRY(handle(path));
  struct stat found;
  if (::fstat(fd.get(), &found) != 0) return os_error(errno, path);
  if (S_ISLNK(found.st_mode)) return {};  // a symlink has no mode
  if (::chmod(proc_path(fd).c_str(), permissions & 07777) != 0) return os_error(errno, path);
  return {};
}

Result<> RealTree::set_modified(const std::string& path, Wall at) {
  Fd fd = TRY(handle(path));
  timespec times[2];
  int64_t rest = at.ns % 1'000'000'000;
  if (rest < 0) rest += 1'000'000'000;
  times[0].tv_sec = times[1].tv_sec = static_cast<time_t>((at.ns - rest) / 1'000'000'000);
  times[0].tv_nsec = times[1].tv_nsec = static_cast<long>(rest);
  if (::utimensat(fd.get(), "", times, AT_EMPTY_PATH) == 0) return {};
  if (errno != EINVAL && errno != ENOENT) return os_error(errno, path);
  Place place_at = TRY(place(path));  // kernels before 5.8 know no AT_EMPTY_PATH here
  if (::utimensat(place_at.parent.get(), place_at.name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
    return os_error(errno, path);
  return {};
}

Result<> RealTree::set_attribute(const std::string& path,
                                 const std::string& name,
                                 std::string_view value) {
  Fd fd = TRY(handle(path));
  if (::setxattr(proc_path(fd).c_str(), name.c_str(), value.data(), value.size(), 0) != 0)
    return os_error(errno, path);
  return {};
}

Result<> RealTree::rename(const std::string& from, const std::string& to) {
  Place source = TRY(place(from));
  Place target = TRY(place(to));
  if (::renameat(source.parent.get(), source.name.c_str(), target.parent.get(),
                 target.name.c_str()) != 0)
    return os_error(errno, join({from, " to ", to}));
  return {};
}

Result<> RealTree::remove(const std::string& path) {
  Result<Place> at = place(path);
  if (!at && at.error().code == Code::kNotFound) return {};
  if (!at) return std::move(at).error();
  Fd parent = TRY(open_beneath(at->parent.get(), "", O_RDONLY | O_DIRECTORY, 0));
  return remove_beneath(parent.get(), at->name).with(join({"remove ", path}));
}

Result<port::FileStat> RealTree::stat(const std::string& path) {
  Fd fd = TRY(handle(path));
  struct stat found;
  if (::fstat(fd.get(), &found) != 0) return os_error(errno, path);
  return file_stat(found);
}

Result<std::string> RealTree::read_link(const std::string& path) {
  Place at = TRY(place(path));
  std::string target(4096, '\0');
  const ssize_t length =
      ::readlinkat(at.parent.get(), at.name.c_str(), target.data(), target.size());
  if (length < 0) return os_error(errno, path);
  target.resize(static_cast<size_t>(length));
  return target;
}

Result<std::vector<std::string>> RealTree::list(const std::string& path) {
  Fd fd = TRY(open_beneath(root_.get(), path, O_RDONLY | O_DIRECTORY, 0));
  return list_directory(std::move(fd), path);
}

}  // namespace

Result<std::unique_ptr<port::Tree>> open_tree_at(const std::string& path) {
  Fd root(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return os_error(errno, path);
  return std::unique_ptr<port::Tree>(std::make_unique<RealTree>(std::move(root)));
}

}  // namespace coracle::port_linux
