// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/shim/mounts.h"

#include "port/linux/shim/syscall.h"

namespace coracle::shim {
namespace {

constexpr int kDetach = 2;    // MNT_DETACH
constexpr int kNoFollow = 8;  // UMOUNT_NOFOLLOW

struct Option {
  const char* name;
  unsigned long set;
  unsigned long clear;
};
constexpr Option kOptions[] = {
    {"ro", MS_RDONLY, 0},
    {"rw", 0, MS_RDONLY},
    {"nosuid", MS_NOSUID, 0},
    {"suid", 0, MS_NOSUID},
    {"nodev", MS_NODEV, 0},
    {"dev", 0, MS_NODEV},
    {"noexec", MS_NOEXEC, 0},
    {"exec", 0, MS_NOEXEC},
    {"sync", MS_SYNCHRONOUS, 0},
    {"noatime", MS_NOATIME, 0},
    {"nodiratime", MS_NODIRATIME, 0},
    {"relatime", MS_RELATIME, 0},
    {"strictatime", MS_STRICTATIME, 0},
    {"bind", MS_BIND, 0},
    {"rbind", MS_BIND | MS_REC, 0},
    {"rprivate", 0, 0},
    {"private", 0, 0},
    {"defaults", 0, 0},
};

// As mount(8): known words become flags, the rest goes to the file system.
unsigned long parse_options(const char* options, Writer& data) {
  unsigned long flags = 0;
  while (*options != '\0') {
    Text<24> name;
    size_t count = 0;
    while (options[count] != '\0' && options[count] != ',')
      count++;
    name.put(options, count);
    const Option* known = nullptr;
    for (const Option& option : kOptions) {
      if (!name.cut() && same(option.name, name.text())) known = &option;
    }
    if (known != nullptr) flags = (flags | known->set) & ~known->clear;
    if (known == nullptr && count > 0) {
      if (data.size() > 0) data.put(",");
      data.put(options, count);
    }
    options += count + (options[count] == ',');
  }
  return flags;
}

// The descriptor pins what was found: a container that swaps a directory for a symlink meanwhile
// changes nothing, or has the start fail.
long bind_beneath(const char* root, const char* path, const char* target) {
  const int top = sys_open(root, O_PATH | O_DIRECTORY);
  if (top < 0) return top;
  const int found = sys_open_in(top, path, O_PATH);
  sys_close(top);
  if (found < 0) return found;
  Text<40> pinned;
  pinned.put("/proc/self/fd/").number(static_cast<uint64_t>(found));
  const long error = sys_mount(pinned.text(), target, nullptr, MS_BIND | MS_REC, nullptr);
  sys_close(found);
  return error;
}

long mount_one(const char* type, const char* source, const char* target, const char* options) {
  if (same(type, "subpath")) return bind_beneath(source, options, target);
  Text<4096> data;  // the kernel takes one page
  unsigned long flags = parse_options(options, data);
  if (data.cut()) return -E2BIG;
  if (!same(type, "bind")) return sys_mount(source, target, type, flags, data.text());
  const unsigned long wanted = flags & ~static_cast<unsigned long>(MS_BIND | MS_REC);
  const long error = sys_mount(source, target, nullptr, MS_BIND | MS_REC, nullptr);
  if (error != 0 || wanted == 0) return error;
  return sys_mount(nullptr, target, nullptr, MS_REMOUNT | MS_BIND | wanted, nullptr);
}

}  // namespace

bool make_mounts(Record mounts, unsigned& made, Writer& message) {
  while (mounts.more()) {
    const char* type = mounts.field();
    const char* source = mounts.field();
    const char* target = mounts.field();
    const char* options = mounts.field();
    const long error = mount_one(type, source, target, options);
    if (error == 0) {
      made++;
      continue;
    }
    message.put("mount ").put(type).put(" on ").put(target).put(": errno ");
    message.number(static_cast<uint64_t>(-error));
    return false;
  }
  return true;
}

void undo_mounts(Record mounts, unsigned made) {
  for (; made > 0; made--) {
    Record walk = mounts;
    for (unsigned i = 1; i < made; i++) {
      for (int field = 0; field < 4; field++)
        walk.field();
    }
    walk.field();
    walk.field();
    sys_unmount(walk.field(), kDetach | kNoFollow);
  }
}

bool own_mounts(Writer& message) {
  long error = sys_unshare(CLONE_NEWNS);
  if (error == 0) error = sys_mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr);
  if (error != 0) {
    message.put("unshare mounts: errno ").number(static_cast<uint64_t>(-error));
    return false;
  }
  sys_unmount("/sys/fs/cgroup/unified", kDetach | kNoFollow);
  return true;
}

}  // namespace coracle::shim
