// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/kernel_probe.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "port/linux/os_error.h"

namespace coracle::port_linux {
namespace {

struct NamespaceKind {
  std::string_view name;
  int flag;
};
constexpr std::array<NamespaceKind, 5> kNamespaces{{{"net", CLONE_NEWNET},
                                                    {"pid", CLONE_NEWPID},
                                                    {"uts", CLONE_NEWUTS},
                                                    {"ipc", CLONE_NEWIPC},
                                                    {"user", CLONE_NEWUSER}}};

int namespace_flag(std::string_view name) {
  for (const NamespaceKind& kind : kNamespaces) {
    if (kind.name == name) return kind.flag;
  }
  return 0;
}

// Mounts made from now on are seen by this process and its children only.
bool own_mounts() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// unshare(CLONE_NEWPID) counts for children: it worked if the next one is the first process.
bool child_is_first() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::getpid() == 1 ? 0 : 1);
  int status = 1;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

bool write_text(const std::string& path, std::string_view text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  return file.valid() &&
         ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// What pods do with their root: write into it, and delete what the image holds.
Outcome use_overlay(const std::string& root) {
  if (!write_text(root + "/new", "x")) return refused("write in an overlay", errno);
  if (::unlink((root + "/old").c_str()) != 0) return refused("delete in an overlay", errno);
  if (::rename((root + "/new").c_str(), (root + "/moved").c_str()) != 0)
    return refused("rename in an overlay", errno);
  return works();
}

}  // namespace

Outcome probe_namespace(const std::string&, const char* kind) {
  if (::unshare(namespace_flag(kind)) != 0) return refused(join({"unshare ", kind}), errno);
  if (std::string_view(kind) == "pid" && !child_is_first())
    return {false, "a process in a new namespace did not become its first", {}};
  return works();
}

Outcome probe_mount(const std::string& scratch, const char* type) {
  if (!own_mounts()) return refused("mount namespace", errno);
  // Instances of their own, wherever the file system can have them.
  const std::string_view name(type);
  if (name == "mqueue" && ::unshare(CLONE_NEWIPC) != 0) return refused("unshare ipc", errno);
  const char* options = name == "devpts" ? "newinstance,ptmxmode=0666,mode=0620" : nullptr;
  if (::mount(type, scratch.c_str(), type, MS_NOSUID | MS_NOEXEC, options) != 0)
    return refused(join({"mount ", type}), errno);
  return works();
}

Outcome probe_overlay(const std::string& scratch, const char* upper) {
  if (!own_mounts()) return refused("mount namespace", errno);
  if (*upper != '\0' && ::mount(upper, scratch.c_str(), upper, 0, nullptr) != 0)
    return refused(join({"mount ", upper}), errno);
  for (const char* name : {"/lower", "/upper", "/work", "/merged"}) {
    if (::mkdir((scratch + name).c_str(), 0700) != 0) return refused("mkdir", errno);
  }
  if (!write_text(scratch + "/lower/old", "x")) return refused("write", errno);
  const std::string options = join(
      {"lowerdir=", scratch, "/lower,upperdir=", scratch, "/upper,workdir=", scratch, "/work"});
  const std::string root = scratch + "/merged";
  if (::mount("overlay", root.c_str(), "overlay", 0, options.c_str()) != 0)
    return refused("mount overlay", errno);
  return use_overlay(root);
}

Outcome probe_seccomp(const std::string&, const char*) {
  sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{1, allow};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("no_new_privs", errno);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    return refused("install a filter", errno);
  return works();
}

Outcome probe_keys(const std::string&, const char*) {
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0)
    return refused("join a session keyring", errno);
  return works();
}

Outcome probe_openat2(const std::string& scratch, const char*) {
  const Fd root(::open(scratch.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return refused("open scratch directory", errno);
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const Fd inside(static_cast<int>(::syscall(SYS_openat2, root.get(), ".", &how, sizeof how)));
  if (!inside.valid()) return refused("openat2", errno);
  const Fd outside(static_cast<int>(::syscall(SYS_openat2, root.get(), "..", &how, sizeof how)));
  if (outside.valid()) return {false, "openat2 left its directory", {}};
  return works();
}

}  // namespace coracle::port_linux
